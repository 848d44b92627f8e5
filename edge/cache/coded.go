package cache

import (
	"sync"
	"sync/atomic"

	"github.com/seawall-edge/seawall/internal/coding"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Codable is how an answer takes to content codings.
type Codable struct {
	Worth    bool // it compresses well, and may be compressed
	Personal bool // its fields say that it is made for one visitor
}

// Coded says how an answer with this status and these fields takes to codings.
func Coded(status int, fields *wire.Fields) (c Codable) {
	c.Personal = fields.Has(wire.SetCookie) || says(fields, wire.Vary, cookieName)
	contentType, ok := fields.Get(wire.ContentType)
	c.Worth = ok && (status == 200 || status == 203 || status >= 400) && coding.Compressible(contentType) &&
		!fields.Has(wire.ContentEncoding) && !fields.Has(wire.ContentRange) && !says(fields, wire.CacheControl, noTransform)
	return c
}

var (
	noTransform = []byte("no-transform") // RFC 9111, 5.2.2.6
	cookieName  = []byte("cookie")
)

func says(fields *wire.Fields, name wire.Name, token []byte) bool {
	for i := fields.Next(name, -1); i >= 0; i = fields.Next(name, i) {
		if wire.HasToken(fields.Value(i), token) {
			return true
		}
	}
	return false
}

// codings are the encodings of one stored body, each made once. Objects that
// have the same body, as one that a 304 has freshened, share them.
type codings struct {
	mu     sync.Mutex                              // whoever makes one holds it
	bodies [coding.Zstd + 1]atomic.Pointer[[]byte] // nil: not made; empty: not worth it
}

// bytes is the memory that the encodings take.
func (c *codings) bytes() (total int) {
	if c == nil {
		return 0
	}
	for i := range c.bodies {
		if body := c.bodies[i].Load(); body != nil {
			total += cap(*body)
		}
	}
	return total
}

// LargestCoded is the largest body that is encoded as a whole and kept so, in
// bytes. Larger ones are encoded while they are sent.
const LargestCoded = 4 << 20

// Encoded returns a stored answer's body in a coding; nil where that is not
// smaller. Whoever asks first makes it, others who ask meanwhile wait.
func (z *Zone) Encoded(key []byte, object *Object, in coding.Coding, level int) []byte {
	c := object.codings
	if c == nil || !object.Whole() || len(object.Body) > LargestCoded {
		return nil
	}
	if body := c.bodies[in].Load(); body != nil {
		return worth(*body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if body := c.bodies[in].Load(); body != nil {
		return worth(*body)
	}
	made := coding.Append(make([]byte, 0, len(object.Body)/4+64), object.Body, in, level)
	switch spare := cap(made) - len(made); {
	case len(made) >= len(object.Body)/20*19:
		made = []byte{} // five in a hundred are not worth what it costs to decode
	case spare > len(made)/8:
		made = append([]byte(nil), made...)
	}
	c.bodies[in].Store(&made)
	z.update(key, Epoch{}, func(variants []*Object) []*Object { // the same, larger by what was made
		for _, other := range variants {
			if other.codings == c {
				return variants
			}
		}
		return nil
	})
	return worth(made)
}

func worth(body []byte) []byte {
	if len(body) == 0 {
		return nil
	}
	return body
}
