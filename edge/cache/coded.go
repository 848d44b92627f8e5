package cache

import (
	"sync"
	"sync/atomic"

	"github.com/seawall-edge/seawall/internal/coding"
)

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
