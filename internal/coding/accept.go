package coding

import "bytes"

// maxElements is how many elements a request's Accept-Encoding may have in
// all; browsers send four or five. One with more says nothing: what stands
// behind the limit could refuse what stands before it.
const maxElements = 64

// Accept is what the Accept-Encoding fields of one request say (RFC 9110,
// 12.5.3). The zero value is that of a request without one.
//
// Two rules are stricter than the RFC. Who says nothing takes the identity
// alone, as who sends an empty field does: a client that can decode says so.
// And a coding that is named twice has the lower of its weights, so that what
// is refused anywhere is refused, whatever the order of the lines.
type Accept struct {
	weights  [count]weight
	others   weight // of "*"
	elements int
}

// weight is a qvalue in thousandths, plus one; zero when none was given.
type weight uint16

const (
	unnamed weight = iota
	refused
	full weight = 1001
)

// Add reads the value of one line of Accept-Encoding. Lines may come in any
// order. An element with a malformed weight is as if it was not there, and so
// is an unknown coding. Add does not allocate.
func (a *Accept) Add(value []byte) {
	for more := true; more && a.elements <= maxElements; {
		var element []byte
		element, value, more = bytes.Cut(value, comma)
		if element = trim(element); len(element) > 0 { // RFC 9110, 5.6.1.2
			a.elements++
			a.add(element)
		}
	}
}

func (a *Accept) add(element []byte) {
	name, parameter, weighted := bytes.Cut(element, semicolon)
	w := full
	if weighted {
		var ok bool
		if w, ok = parseWeight(trim(parameter)); !ok {
			return
		}
	}
	name = trim(name)
	if len(name) == 1 && name[0] == '*' {
		a.others = lower(a.others, w)
	} else if c, ok := Parse(name); ok {
		a.weights[c] = lower(a.weights[c], w)
	}
}

// Takes reports whether an answer in the coding is acceptable. The identity
// is, unless it is refused by name or by a refused "*" that nothing more
// specific stands against.
func (a *Accept) Takes(c Coding) bool {
	if c != Identity {
		return a.weight(c) > refused
	}
	w := a.weight(Identity)
	return w > refused || w == unnamed && (a.others != refused || a.elements > maxElements)
}

// Best returns the coding to answer in: of those offered, which stand in the
// order the server likes them, the one with the highest weight, of several
// with that weight the first. Identity is always on offer, behind the others;
// it wins when the client gives it more weight by name than all of them, and
// when nothing else is acceptable.
//
// identity is whether the identity is acceptable at all. Where Best is
// Identity and it is not, nothing that the server has is (RFC 9110, 15.5.16).
func (a *Accept) Best(offered []Coding) (best Coding, identity bool) {
	most := max(a.weight(Identity), refused)
	for _, c := range offered {
		w := a.weight(c)
		if w > most || best == Identity && w == most && w > refused {
			best, most = c, w
		}
	}
	return best, a.Takes(Identity)
}

// weight returns that of a coding; for the identity only what it was given by
// name, since "*" in the mouth of a client that can decode is no wish for it.
func (a *Accept) weight(c Coding) weight {
	switch {
	case c >= count || a.elements > maxElements:
		return unnamed
	case a.weights[c] == unnamed && c != Identity:
		return a.others
	}
	return a.weights[c]
}

func lower(old, w weight) weight {
	if old == unnamed {
		return w
	}
	return min(old, w)
}

// parseWeight reads "q=" and a qvalue (RFC 9110, 12.4.2): 0 or 1 with at most
// three digits behind a point, none of them above 1.
func parseWeight(b []byte) (w weight, ok bool) {
	if len(b) < 3 || len(b) > len("q=0.000") || lowered(b[0]) != 'q' || b[1] != '=' || b[2] != '0' && b[2] != '1' {
		return unnamed, false
	}
	w = weight(b[2]-'0') * 1000
	b = b[3:]
	if len(b) > 0 && b[0] != '.' {
		return unnamed, false
	}
	for place := weight(100); len(b) > 1; b, place = b[1:], place/10 {
		digit := b[1] - '0'
		if digit > 9 {
			return unnamed, false
		}
		w += weight(digit) * place
	}
	return w + refused, w+refused <= full
}

var (
	comma     = []byte(",")
	semicolon = []byte(";")
)

func trim(b []byte) []byte { return bytes.Trim(b, " \t") }
