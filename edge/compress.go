package edge

import (
	"bytes"

	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/coding"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// compression is a compiled spec.CompressionSpec.
type compression struct {
	codings []coding.Coding // the best liked first; none: off
	level   int
	least   int64 // bytes
	cookies bool
}

func compileCompression(s spec.CompressionSpec) compression {
	c := compression{level: s.Level, least: int64(s.MinSize), cookies: s.Cookies}
	if s.Off {
		return c
	}
	for _, name := range s.Codings {
		if known, ok := coding.Parse([]byte(name)); ok {
			c.codings = append(c.codings, known)
		}
	}
	return c
}

// encoding is how the body of the answer at hand is encoded on its way.
type encoding struct {
	varies bool          // the answer depends on Accept-Encoding
	in     coding.Coding // Identity: as it is
	open   bool          // a body is encoded as it is sent
	writer coding.Writer
	out    []byte // memory for what comes out
	flush  bool   // after every piece: somebody waits for it
	pauses bool   // after small pieces, for the origin may pause there
}

// chooseCoding decides in which coding the visitor gets an answer that is not
// kept, with this status, these fields and a body of this length (-1 when not
// known).
func (e *Edge) chooseCoding(c *climb, status int, fields *wire.Fields, length int64) {
	if len(c.zone.compression.codings) == 0 {
		return
	}
	e.chooseFor(c, cache.Coded(status, fields), length)
}

// chooseFor does so for an answer of which is known how it takes to codings.
func (e *Edge) chooseFor(c *climb, takes cache.Codable, length int64) {
	rules, x := &c.zone.compression, c.x
	c.encoding.varies, c.encoding.in, c.encoding.flush = false, coding.Identity, false
	if len(rules.codings) == 0 || x.Bare || !takes.Worth || length >= 0 && length < rules.least || !rules.cookies && (takes.Personal || c.dependsOnVisitor()) {
		return
	}
	c.encoding.varies = true
	if !x.Fields.Has(wire.AcceptEncoding) || x.Fields.Has(wire.Range) {
		return // a part is one of the answer as it is
	}
	var accept coding.Accept
	for i := x.Fields.Next(wire.AcceptEncoding, -1); i >= 0; i = x.Fields.Next(wire.AcceptEncoding, i) {
		accept.Add(x.Fields.Value(i))
	}
	c.encoding.in, _ = accept.Best(rules.codings)
}

var (
	acceptEncoding = []byte("Accept-Encoding")
	eventStream    = []byte("text/event-stream")
)

// dependsOnVisitor reports whether the answer may depend on cookies or
// credentials of its visitor, so that its length could tell a secret (BREACH,
// 2013).
func (c *climb) dependsOnVisitor() bool {
	return !c.kept() && (c.x.Fields.Has(wire.Cookie) || carriesCredentials(c.x.Fields))
}

// dressEncoded changes the fields of an answer whose body is encoded, or could
// have been (RFC 9110, 8.4, 8.8.3.3 and 12.5.5).
func (c *climb) dressEncoded(a *exchange.Answer) {
	if !c.encoding.varies {
		return
	}
	if !variesBy(a.Fields, acceptEncoding) {
		a.More.AddKnown(wire.Vary, acceptEncoding)
	}
	if c.encoding.in == coding.Identity {
		return
	}
	tag, tagged := a.Fields.Get(wire.ETag)
	strong := tagged && !bytes.HasPrefix(tag, []byte("W/"))
	var room [80]byte
	if strong { // other bytes, the same meaning
		tag = append(append(room[:0], "W/"...), tag...)
	}
	c.leaveOut(a, func(known wire.Name, name []byte) bool {
		switch known {
		case wire.ETag:
			return strong
		case wire.AcceptRanges:
			return true
		case wire.Other:
			return describesBytes(name)
		}
		return false
	})
	if strong {
		a.More.AddKnown(wire.ETag, tag)
	}
	if a.Status != 304 {
		a.More.AddKnown(wire.ContentEncoding, []byte(c.encoding.in.String()))
	}
}

// describesBytes names fields that would be wrong about other bytes.
func describesBytes(name []byte) bool {
	for _, text := range [...]string{"content-md5", "content-digest", "repr-digest", "digest"} {
		if wire.EqualFold(name, []byte(text)) {
			return true
		}
	}
	return false
}

func variesBy(fields *wire.Fields, name []byte) bool {
	for i := fields.Next(wire.Vary, -1); i >= 0; i = fields.Next(wire.Vary, i) {
		if value := fields.Value(i); wire.HasToken(value, name) || len(value) == 1 && value[0] == '*' {
			return true
		}
	}
	return false
}

// encodeStored returns the body of a stored answer as the visitor gets it.
// Where there is none in its coding, the coding becomes Identity.
func (e *Edge) encodeStored(c *climb, object *cache.Object) []byte {
	if c.encoding.in == coding.Identity {
		return object.Body
	}
	if len(object.Body) > cache.LargestCoded {
		c.startEncoding(&object.Fields, object.Size())
		return object.Body
	}
	body := c.zone.cache.zone.Encoded(c.key, object, c.encoding.in, c.zone.compression.level)
	if body == nil {
		c.encoding.in = coding.Identity
		return object.Body
	}
	return body
}
