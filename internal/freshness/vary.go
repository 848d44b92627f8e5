package freshness

import (
	"bytes"
	"slices"
)

// EachVary calls yield for the names in an answer's Vary fields (RFC 9110,
// 12.5.5); it stops when yield returns false.
func EachVary(answer Fields, yield func(name []byte) bool) {
	more := true
	for i := answer.NextNamed(nameVary, -1); i >= 0 && more; i = answer.NextNamed(nameVary, i) {
		eachName(answer.Value(i), func(name []byte) bool {
			more = yield(name)
			return more
		})
	}
}

func variesOnAll(answer Fields) (all bool) {
	EachVary(answer, func(name []byte) bool {
		all = len(name) == 1 && name[0] == '*'
		return !all
	})
	return all
}

// AppendSelecting appends the one form of what a request says in a field that
// selects a variant, so that two requests which mean the same are the same
// (RFC 9111, 4.1): fields joined, white space and empty elements gone; for
// the fields whose order and case mean nothing (RFC 9110, 12.5), in lower
// case and sorted. An absent field is not the same as an empty one.
func AppendSelecting(dst []byte, request Fields, name []byte) []byte {
	i := request.NextNamed(name, -1)
	if i < 0 {
		return append(dst, '-')
	}
	dst = append(dst, '+')
	if weighted(name) {
		return appendWeighted(dst, request, name)
	}
	start := len(dst)
	if single(name) {
		for ; i >= 0; i = request.NextNamed(name, i) {
			dst = append(append(dst, request.Value(i)...), '\n')
		}
		return dst
	}
	for ; i >= 0; i = request.NextNamed(name, i) {
		eachElement(request.Value(i), func(element []byte) bool {
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = append(dst, element...)
			return true
		})
	}
	return dst
}

// single names fields that are no lists (RFC 9110, 5.5): white space next to
// a comma is part of their value.
func single(name []byte) bool {
	return is(name, "cookie") || is(name, "user-agent") || is(name, "referer") || is(name, "authorization")
}

// weighted names the fields that are sets with weights.
func weighted(name []byte) bool {
	return is(name, "accept-encoding") || is(name, "accept-language") || is(name, "accept-charset")
}

// choice is one element of a weighted field.
type choice struct {
	value  []byte
	weight int // thousandths
}

// choices reads a weighted field into a list with room for it; ok is false
// when there are more elements than that.
func choices(list []choice, request Fields, name []byte) (_ []choice, ok bool) {
	ok = true
	for i := request.NextNamed(name, -1); i >= 0 && ok; i = request.NextNamed(name, i) {
		eachName(request.Value(i), func(element []byte) bool {
			if ok = len(list) < cap(list); ok {
				list = append(list, readChoice(element))
			}
			return ok
		})
	}
	return list, ok
}

// readChoice splits "de;q=0.5" (RFC 9110, 12.4.2). A weight that cannot be
// read stays part of the value, so that it equals only itself.
func readChoice(element []byte) choice {
	value, parameter, found := cut(element, ';')
	if !found {
		return choice{element, 1000}
	}
	parameter = trim(parameter)
	if len(parameter) < 3 || lowered(parameter[0]) != 'q' || parameter[1] != '=' {
		return choice{element, 1000}
	}
	whole, fraction, _ := cut(parameter[2:], '.')
	if len(whole) != 1 || len(fraction) > 3 || number(whole) < 0 || number(fraction) < 0 {
		return choice{element, 1000}
	}
	weight := number(whole) * 1000
	for i, unit := 0, 100; i < len(fraction); i, unit = i+1, unit/10 {
		weight += int(fraction[i]-'0') * unit
	}
	if weight > 1000 {
		return choice{element, 1000}
	}
	return choice{trim(value), weight}
}

func appendWeighted(dst []byte, request Fields, name []byte) []byte {
	var room [24]choice
	list, ok := choices(room[:0], request, name)
	if !ok {
		// Nobody means so much; such a request is a variant of its own.
		for i := request.NextNamed(name, -1); i >= 0; i = request.NextNamed(name, i) {
			dst = append(append(dst, request.Value(i)...), ',')
		}
		return dst
	}
	slices.SortFunc(list, func(a, b choice) int {
		for i := 0; i < len(a.value) && i < len(b.value); i++ {
			if x, y := lowered(a.value[i]), lowered(b.value[i]); x != y {
				return int(x) - int(y)
			}
		}
		if len(a.value) != len(b.value) {
			return len(a.value) - len(b.value)
		}
		return a.weight - b.weight
	})
	for i, c := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		// No value holds a line feed: what cannot be read looks like no weight.
		for _, b := range c.value {
			dst = append(dst, lowered(b))
		}
		if c.weight < 1000 {
			dst = append(dst, '\n', byte('0'+c.weight/100), byte('0'+c.weight/10%10), byte('0'+c.weight%10))
		}
	}
	return dst
}

// SpeaksFor reports whether a stored answer is in the language that a request
// likes best, and likes better than all others, so that it serves although
// the answer was selected by another Accept-Language (RFC 9110, 12.5.4).
func SpeaksFor(stored, request Fields) bool {
	language, found, differ := agreed(stored, nameContentLanguage)
	if !found || differ || bytes.IndexByte(language, ',') >= 0 {
		return false
	}
	var room [24]choice
	list, ok := choices(room[:0], request, nameAcceptLanguage)
	if !ok {
		return false
	}
	best, alone := -1, false
	for i, c := range list {
		switch {
		case best < 0 || c.weight > list[best].weight:
			best, alone = i, true
		case c.weight == list[best].weight:
			alone = false
		}
	}
	return best >= 0 && alone && list[best].weight > 0 && equalFold(list[best].value, language)
}

var (
	nameAcceptLanguage  = []byte("Accept-Language")
	nameContentLanguage = []byte("Content-Language")
)

// AcceptsCoding reports whether a request says that it takes a content coding
// (RFC 9110, 12.5.3). One that says nothing does not: who understands a
// coding says so.
func AcceptsCoding(request Fields, coding []byte) bool {
	var room [24]choice
	list, ok := choices(room[:0], request, nameAcceptEncoding)
	if !ok {
		return false
	}
	accepted := false
	for _, c := range list {
		switch {
		case equalFold(c.value, coding), is(coding, "gzip") && is(c.value, "x-gzip"), is(coding, "x-gzip") && is(c.value, "gzip"):
			return c.weight > 0
		case is(c.value, "*"):
			accepted = c.weight > 0
		}
	}
	return accepted
}

var nameAcceptEncoding = []byte("Accept-Encoding")
