package cache

import (
	"bytes"

	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Object is one stored answer. Once it is stored it is never changed.
type Object struct {
	Status int
	Fields wire.Fields // built; without framing, Age and hop-by-hop fields
	Body   []byte

	born     int64 // Unix seconds at which its age was zero
	lifetime int64 // seconds from there for which it is fresh

	// While the body arrives (see Collect).
	expected int64 // the body's length; -1 when not known
	most     int64 // bytes of a body that are still stored
	held     int64 // bytes of memory counted for it

	vary   [][]byte // names in lower case, in the order of the Vary field
	values [][]byte // what the request had for each, see selection
}

// Age returns the answer's age in seconds (RFC 9111, 4.2.3).
func (o *Object) Age(unix int64) int64 { return max(0, unix-o.born) }

// TTL returns for how many seconds the answer is fresh; negative when stale.
func (o *Object) TTL(unix int64) int64 { return o.lifetime - o.Age(unix) }

// Serves reports whether the stored answer may serve a request with these
// directives without asking the origin (RFC 9111, 4 and 5.2.1).
func (o *Object) Serves(request freshness.Directives, unix int64) (serves, fresh bool) {
	age := o.Age(unix)
	switch {
	case age >= o.lifetime:
		return false, false
	case request.NoCache, request.MaxAge >= 0 && age > request.MaxAge, request.MinFresh >= 0 && o.lifetime-age < request.MinFresh:
		return false, true
	}
	return true, true
}

func (o *Object) size() int {
	const bookkeeping = 256
	size := bookkeeping + o.Fields.Size() + cap(o.Body)
	for _, value := range o.values {
		size += 48 + len(value)
	}
	return size
}

// selectedBy reports whether a request's fields select this variant (RFC
// 9111, 4.1).
func (o *Object) selectedBy(vary [][]byte, request *wire.Fields) bool {
	for i, name := range vary {
		rest := o.values[i]
		matched := true
		for j := request.NextNamed(name, -1); j >= 0; j = request.NextNamed(name, j) {
			value := request.Value(j)
			if len(rest) < len(value)+1 || !bytes.Equal(rest[:len(value)], value) || rest[len(value)] != '\n' {
				matched = false
				break
			}
			rest = rest[len(value)+1:]
		}
		if !matched || len(rest) > 0 {
			return false
		}
	}
	return true
}

func (o *Object) sameSelection(other *Object) bool {
	for i := range o.values {
		if !bytes.Equal(o.values[i], other.values[i]) {
			return false
		}
	}
	return true
}

// selection joins the values that a request has for a name, each ended by a
// line feed, which no value can hold.
func selection(name []byte, request *wire.Fields) []byte {
	var joined []byte
	for i := request.NextNamed(name, -1); i >= 0; i = request.NextNamed(name, i) {
		joined = append(joined, request.Value(i)...)
		joined = append(joined, '\n')
	}
	return joined
}
