package rewrite

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// CORS is a compiled spec.CORSSpec (WHATWG Fetch, 3.3).
type CORS struct {
	origins     pattern.List
	everybody   bool // and without credentials, so that all get the same
	credentials bool

	methods, headers, expose, maxAge []byte
}

// NewCORS compiles; nil where no site is let in.
func NewCORS(s spec.CORSSpec) (*CORS, error) {
	if len(s.Origins) == 0 {
		return nil, nil
	}
	c := &CORS{credentials: s.Credentials}
	for _, text := range s.Origins {
		if expression, is := strings.CutPrefix(text, "~"); is {
			text = "~^(?:" + expression + ")$" // an origin whole, or not at all
		}
		p, err := pattern.Parse(text, true)
		if err != nil {
			return nil, wrongIn("rewrite.cors.origins", "%w", err)
		}
		c.origins = append(c.origins, p)
		c.everybody = c.everybody || text == "*" && !s.Credentials
	}
	c.methods = []byte(strings.Join(append([]string{"GET", "HEAD", "POST"}, s.Methods...), ", "))
	c.headers, c.expose = []byte(strings.Join(s.Headers, ", ")), []byte(strings.Join(s.Expose, ", "))
	maxAge := s.MaxAge.Duration()
	if maxAge == 0 {
		maxAge = 10 * time.Minute
	}
	c.maxAge = strconv.AppendInt(nil, int64(maxAge/time.Second), 10)
	return c, nil
}

var (
	allowOrigin      = []byte("Access-Control-Allow-Origin")
	allowCredentials = []byte("Access-Control-Allow-Credentials")
	allowMethods     = []byte("Access-Control-Allow-Methods")
	allowHeaders     = []byte("Access-Control-Allow-Headers")
	exposeHeaders    = []byte("Access-Control-Expose-Headers")
	maxAgeField      = []byte("Access-Control-Max-Age")
	requestMethod    = []byte("Access-Control-Request-Method")
	originField      = []byte("Origin")
	accessControl    = []byte("access-control-allow-")
)

// Preflight reports whether a request asks only whether it might ask.
func (c *CORS) Preflight(method []byte, request *wire.Fields) bool {
	return c != nil && string(method) == "OPTIONS" && request.NextNamed(originField, -1) >= 0 && request.NextNamed(requestMethod, -1) >= 0
}

// AddPreflight adds the fields that answer a preflight.
func (c *CORS) AddPreflight(more, request *wire.Fields) {
	if !c.AddTo(more, request) {
		return
	}
	more.Add(wire.Other, allowMethods, c.methods)
	if len(c.headers) > 0 {
		more.Add(wire.Other, allowHeaders, c.headers)
	}
	more.Add(wire.Other, maxAgeField, c.maxAge)
}

// AddTo adds the fields of an answer to a page of another site, if that is let
// in. What depends on the site is marked so, for caches behind.
func (c *CORS) AddTo(more, request *wire.Fields) (allowed bool) {
	if c.everybody {
		more.Add(wire.Other, allowOrigin, []byte("*"))
		c.addExpose(more)
		return true
	}
	more.AddKnown(wire.Vary, originField)
	i := request.NextNamed(originField, -1)
	if i < 0 || !c.lets(request.Value(i)) {
		return false
	}
	more.Add(wire.Other, allowOrigin, request.Value(i))
	if c.credentials {
		more.Add(wire.Other, allowCredentials, []byte("true"))
	}
	c.addExpose(more)
	return true
}

func (c *CORS) addExpose(more *wire.Fields) {
	if len(c.expose) > 0 {
		more.Add(wire.Other, exposeHeaders, c.expose)
	}
}

func (c *CORS) lets(origin []byte) bool {
	if _, host, found := bytes.Cut(origin, []byte("://")); found && bytes.ContainsAny(host, "/@\\ ") {
		return false // no origin: no star may stand for what ends a host
	}
	return c.origins.Match(origin)
}

// Takes reports whether a field of the origin's answer is ours to say.
func (c *CORS) Takes(name []byte) bool {
	return len(name) >= len(accessControl) && wire.EqualFold(name[:len(accessControl)], accessControl) || bytes.EqualFold(name, exposeHeaders)
}
