package freshness

import "github.com/dunglas/httpsfv"

// Response returns the directives that concern this cache in an answer: those
// of the first targeted field that can be read (RFC 9213, 2.2), else those of
// Cache-Control. targeted says that Cache-Control and Expires do not count.
// Pragma in an answer means nothing (RFC 9111, 5.4).
func Response(answer Fields) (d Directives, targeted bool) {
	d, source := read(answer)
	return d, source != nil
}

// read also names the targeted field; nil when there is none to follow.
func read(answer Fields) (d Directives, source []byte) {
	for _, name := range [...][]byte{nameOwnCacheControl, nameCDNCacheControl} {
		if has(answer, name) {
			if d, ok := structured(answer, name); ok {
				return d, name
			}
		}
	}
	if has(answer, nameSurrogateControl) {
		if d, ok := surrogate(answer); ok {
			return d, nameSurrogateControl
		}
	}
	return control(answer), nil
}

func control(f Fields) Directives {
	d := None()
	for i := f.NextNamed(nameCacheControl, -1); i >= 0; i = f.NextNamed(nameCacheControl, i) {
		d.Add(f.Value(i))
	}
	return d
}

// Request returns the directives of a request: its Cache-Control fields, or
// Pragma where there are none (RFC 9111, 5.4).
func Request(request Fields) Directives {
	if has(request, nameCacheControl) {
		d := control(request)
		d.NoCache = d.NoCache || d.FieldsNamed // a request has no fields to name
		return d
	}
	d := None()
	for i := request.NextNamed(namePragma, -1); i >= 0; i = request.NextNamed(namePragma, i) {
		eachElement(request.Value(i), func(element []byte) bool {
			d.NoCache = d.NoCache || is(element, "no-cache")
			return true
		})
	}
	return d
}

// structured reads a targeted field, a Dictionary of RFC 9651 (RFC 9213,
// 2.1). One that is empty or malformed is no field at all; a directive with
// a value of the wrong type is no directive; parameters mean nothing.
func structured(answer Fields, name []byte) (d Directives, ok bool) {
	members := dictionary(answer, name)
	if members == nil {
		return d, false
	}
	d = None()
	for _, directive := range members.Names() {
		switch value := bare(members, directive).(type) {
		case bool:
			if value {
				d.flag(directive)
			}
		case int64:
			d.number(directive, value)
		case string:
			if directive == "no-cache" || directive == "private" {
				d.set([]byte(directive), argument{text: []byte(value), given: true})
			}
		}
	}
	return d, true
}

// dictionary returns nil for a field that is empty or malformed.
func dictionary(answer Fields, name []byte) *httpsfv.Dictionary {
	var lines []string
	for i := answer.NextNamed(name, -1); i >= 0; i = answer.NextNamed(name, i) {
		lines = append(lines, string(answer.Value(i)))
	}
	members, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil || len(members.Names()) == 0 {
		return nil
	}
	return members
}

// bare returns a member without its parameters; nil for an inner list.
func bare(members *httpsfv.Dictionary, name string) any {
	member, _ := members.Get(name)
	item, _ := member.(httpsfv.Item)
	return item.Value
}

// flag sets a directive that has no value.
func (d *Directives) flag(directive string) {
	switch directive {
	case "max-age", "s-maxage", "stale-while-revalidate", "stale-if-error":
		return // these are integers
	}
	d.set([]byte(directive), argument{})
}

// number sets a directive whose value is seconds; less than none is none.
func (d *Directives) number(directive string, value int64) {
	value = min(max(value, 0), farFuture)
	switch directive {
	case "max-age":
		d.MaxAge = value
	case "s-maxage":
		d.SharedMaxAge = value
	case "stale-while-revalidate":
		d.StaleWhileRevalidate = value
	case "stale-if-error":
		d.StaleIfError = value
	}
}

// SurrogateDevice is how origins may address this cache in Surrogate-Control.
const SurrogateDevice = "seawall"

// surrogate reads Surrogate-Control (W3C Note edge-arch, 2.2 and 3): max-age
// and no-store, each perhaps for one device alone. It counts when it has one
// for us; what is addressed to us counts before what is addressed to all.
func surrogate(answer Fields) (d Directives, ok bool) {
	all, ours := None(), None()
	for i := answer.NextNamed(nameSurrogateControl, -1); i >= 0; i = answer.NextNamed(nameSurrogateControl, i) {
		eachElement(answer.Value(i), func(element []byte) bool {
			directive, device, named := cut(element, ';')
			d := &all
			if named {
				d = &ours
			}
			if named && !is(trim(device), SurrogateDevice) {
				return true
			}
			name, a := split(trim(directive))
			switch {
			case is(name, "no-store"), is(name, "no-store-remote"):
				d.NoStore = true
			case is(name, "max-age"):
				a.text, _, _ = cut(a.text, '+') // how long it may be served stale; we ask
				atMost(&d.MaxAge, a.seconds())
			}
			return true
		})
	}
	if ours != None() {
		return ours, true
	}
	return all, all != None()
}

func cut(b []byte, at byte) (before, after []byte, found bool) {
	for i, c := range b {
		if c == at {
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}

// Named reports whether the directives that count for an answer forbid to keep
// one of its fields (RFC 9111, 5.2.2.4 and 5.2.2.7). Ask only when
// Directives.FieldsNamed is true.
func Named(answer Fields, field []byte) bool {
	if _, source := read(answer); source != nil {
		members := dictionary(answer, source)
		return members != nil && (namesIn(members, "no-cache", field) || namesIn(members, "private", field))
	}
	for i := answer.NextNamed(nameCacheControl, -1); i >= 0; i = answer.NextNamed(nameCacheControl, i) {
		if names(answer.Value(i), field) {
			return true
		}
	}
	return false
}

func namesIn(members *httpsfv.Dictionary, directive string, field []byte) bool {
	list, _ := bare(members, directive).(string)
	return holds([]byte(list), field)
}
