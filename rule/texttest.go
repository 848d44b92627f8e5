package rule

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/seawall-edge/seawall/internal/wire"
)

func hostTest(t texts) test {
	return test{
		ask: func(f *Facts) truth { return is(t.match(f.Host)) },
		why: func(f *Facts) string { return fmt.Sprintf("host %s is %s", f.Host, t.which(f.Host)) },
	}
}

func pathTest(t texts) test {
	return test{
		ask: func(f *Facts) truth { return is(t.match(f.Path)) },
		why: func(f *Facts) string { return fmt.Sprintf("path %s is %s", f.Path, t.which(f.Path)) },
	}
}

func rawPathTest(t texts) test {
	return test{
		ask: func(f *Facts) truth { return is(t.match(rawPath(f))) },
		why: func(f *Facts) string { return fmt.Sprintf("raw path %s is %s", rawPath(f), t.which(rawPath(f))) },
	}
}

func extensionTest(t texts) test {
	return test{
		ask: func(f *Facts) truth {
			extension, ok := Extension(f.Path)
			return is(ok && t.match(extension))
		},
		why: func(f *Facts) string {
			extension, _ := Extension(f.Path)
			return fmt.Sprintf("extension %s is %s", extension, t.which(extension))
		},
	}
}

func methodTest(t texts) test {
	return test{
		ask: func(f *Facts) truth { return is(t.match(f.Method)) },
		why: func(f *Facts) string { return fmt.Sprintf("method is %s", f.Method) },
	}
}

func rawPath(f *Facts) []byte {
	if i := bytes.IndexByte(f.Target, '?'); i >= 0 {
		return f.Target[:i]
	}
	return f.Target
}

// Extension returns what follows the last dot of a path's last segment.
func Extension(path []byte) (extension []byte, ok bool) {
	for i := len(path) - 1; i >= 0 && path[i] != '/'; i-- {
		if path[i] == '.' {
			return path[i+1:], i+1 < len(path)
		}
	}
	return nil, false
}

func headerTest(list []named) test {
	find := func(f *Facts) *named {
		for i := range list {
			n := &list[i]
			for at := n.next(f.Fields, -1); at >= 0; at = n.next(f.Fields, at) {
				if n.value.Match(f.Fields.Value(at)) {
					return n
				}
			}
		}
		return nil
	}
	return test{
		ask: func(f *Facts) truth { return is(find(f) != nil) },
		why: func(f *Facts) string { n := find(f); return fmt.Sprintf("field %s is %s", n.name, n.value) },
	}
}

func cookieTest(list []named) test {
	find := func(f *Facts) *named {
		for i := range list {
			if n := &list[i]; n.inCookies(f.Fields) {
				return n
			}
		}
		return nil
	}
	return test{
		ask: func(f *Facts) truth { return is(find(f) != nil) },
		why: func(f *Facts) string { n := find(f); return fmt.Sprintf("cookie %s is %s", n.name, n.value) },
	}
}

// next returns the next field with the name after index at; -1 if there is none.
func (n *named) next(fields *wire.Fields, at int) int {
	if n.known != wire.Other {
		return fields.Next(n.known, at)
	}
	return fields.NextNamed(n.name, at)
}

func (n *named) inCookies(fields *wire.Fields) bool {
	mentioned := false // most often it is not, and nothing has to be taken apart
	for at := fields.Next(wire.Cookie, -1); at >= 0 && !mentioned; at = fields.Next(wire.Cookie, at) {
		mentioned = bytes.Contains(fields.Value(at), n.name)
	}
	if !mentioned {
		return false
	}
	for value := range Cookies(fields, n.name) {
		if n.value.Match(value) {
			return true
		}
	}
	return false
}

func queryTest(list []named) test {
	find := func(f *Facts) *named {
		for i := range list {
			if n := &list[i]; n.inQuery(f.Target) {
				return n
			}
		}
		return nil
	}
	return test{
		ask: func(f *Facts) truth { return is(find(f) != nil) },
		why: func(f *Facts) string { n := find(f); return fmt.Sprintf("query field %s is %s", n.name, n.value) },
	}
}

func (n *named) inQuery(target []byte) bool {
	for raw := range QueryFields(target) {
		name, value := raw, []byte(nil)
		if i := bytes.IndexByte(raw, '='); i >= 0 {
			name, value = raw[:i], raw[i+1:]
		}
		if meansName(name, n.name) && n.matchesEscaped(value) {
			return true
		}
	}
	return false
}

// decoded is memory for values that have escapes in them.
var decoded = sync.Pool{New: func() any { return new([]byte) }}

func (n *named) matchesEscaped(value []byte) bool {
	if bytes.IndexByte(value, '%') < 0 && bytes.IndexByte(value, '+') < 0 {
		return n.value.Match(value)
	}
	room := decoded.Get().(*[]byte)
	defer decoded.Put(room)
	*room = appendUnescaped((*room)[:0], value)
	return n.value.Match(*room)
}
