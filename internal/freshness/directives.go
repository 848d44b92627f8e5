package freshness

// Directives is what the Cache-Control fields of one message say together
// (RFC 9111, 5.2; RFC 5861). Seconds are -1 where a directive is absent; a
// directive that cannot be read counts as its strictest form.
type Directives struct {
	MaxAge, SharedMaxAge               int64
	MinFresh, MaxStale                 int64 // of requests
	StaleWhileRevalidate, StaleIfError int64

	NoStore, NoCache, Private, Public bool
	MustRevalidate, ProxyRevalidate   bool
	MustUnderstand                    bool
	OnlyIfCached                      bool

	// FieldsNamed says that no-cache or private named fields; only these must
	// not be kept then (RFC 9111, 5.2.2.4 and 5.2.2.7). See Named.
	FieldsNamed bool
}

// farFuture is what a number of seconds too large to hold counts as (RFC
// 9111, 1.2.2).
const farFuture = 1 << 31

// None is a message without directives.
func None() Directives {
	return Directives{MaxAge: -1, SharedMaxAge: -1, MinFresh: -1, MaxStale: -1, StaleWhileRevalidate: -1, StaleIfError: -1}
}

// Add reads one Cache-Control field value into d; call it for every field in
// order. Of conflicting numbers the smaller counts (RFC 9111, 4.2.1).
func (d *Directives) Add(value []byte) {
	eachElement(value, func(element []byte) bool {
		d.set(split(element))
		return true
	})
}

// argument is what stands behind a directive's name. Within quotes nothing
// that is read here needs an escape, and neither a backslash nor a quote that
// has no partner is a digit or stands in a name.
type argument struct {
	text  []byte // without quotes
	given bool
	bad   bool // white space around "="
}

// split takes a directive apart (RFC 9111, 5.2). There is no white space
// around "=".
func split(element []byte) (name []byte, a argument) {
	equals := -1
	for i, c := range element {
		if c == '=' {
			equals = i
			break
		}
	}
	if equals < 0 {
		return element, a
	}
	name, a.text, a.given = trim(element[:equals]), trim(element[equals+1:]), true
	a.bad = len(name) != equals || len(a.text) != len(element)-equals-1
	if end := len(a.text) - 1; end > 0 && a.text[0] == '"' && a.text[end] == '"' {
		a.text = a.text[1:end]
	}
	return name, a
}

func (d *Directives) set(name []byte, a argument) {
	switch {
	case is(name, "max-age"):
		atMost(&d.MaxAge, a.seconds())
	case is(name, "s-maxage"):
		atMost(&d.SharedMaxAge, a.seconds())
	case is(name, "min-fresh"):
		fresh, ok := seconds(a.text)
		if !ok || a.bad {
			fresh = farFuture
		}
		d.MinFresh = max(d.MinFresh, fresh)
	case is(name, "max-stale"):
		stale := int64(farFuture)
		if a.given {
			stale = a.seconds()
		}
		atMost(&d.MaxStale, stale)
	case is(name, "stale-while-revalidate"):
		atMost(&d.StaleWhileRevalidate, a.seconds())
	case is(name, "stale-if-error"):
		atMost(&d.StaleIfError, a.seconds())
	case is(name, "no-store"):
		d.NoStore = true
	case is(name, "no-cache"):
		d.limit(&d.NoCache, a)
	case is(name, "private"):
		d.limit(&d.Private, a)
	case is(name, "public"):
		d.Public = true
	case is(name, "must-revalidate"):
		d.MustRevalidate = true
	case is(name, "proxy-revalidate"):
		d.ProxyRevalidate = true
	case is(name, "must-understand"):
		d.MustUnderstand = true
	case is(name, "only-if-cached"):
		d.OnlyIfCached = true
	}
}

// limit reads no-cache or private. With names it concerns these fields alone;
// with an argument that names nothing, or holds what is no name, it is taken
// to concern everything.
func (d *Directives) limit(whole *bool, a argument) {
	named := false
	eachName(a.text, func(name []byte) bool {
		named = isName(name)
		return named
	})
	if !named || a.bad {
		*whole = true
		return
	}
	d.FieldsNamed = true
}

// isName reports whether b looks like the name of a field. The grammar (RFC
// 9110, 5.1) has marks that no field uses; who writes "*" or single quotes
// means something else.
func isName(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// names reports whether one Cache-Control value has no-cache or private name
// a field.
func names(value, field []byte) (found bool) {
	eachElement(value, func(element []byte) bool {
		name, a := split(element)
		found = (is(name, "no-cache") || is(name, "private")) && holds(a.text, field)
		return !found
	})
	return found
}

// holds reports whether a list of field names has one.
func holds(list, field []byte) (found bool) {
	eachName(list, func(listed []byte) bool {
		found = equalFold(listed, field)
		return !found
	})
	return found
}

func atMost(have *int64, value int64) {
	if *have < 0 || value < *have {
		*have = value
	}
}

// seconds reads delta-seconds (RFC 9111, 1.2.2); what is not a number is 0,
// which makes an answer stale (4.2.1).
func (a argument) seconds() int64 {
	n, ok := seconds(a.text)
	if a.bad || !ok {
		return 0
	}
	return n
}

// seconds reads delta-seconds; one that is too large is farFuture.
func seconds(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int64(c-'0'), farFuture)
	}
	return n, len(b) > 0
}
