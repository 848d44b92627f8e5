// Package freshness is HTTP caching's arithmetic (RFC 9111) as pure
// functions of field values and the clock: no storage, no HTTP.
package freshness

// Directives is what the Cache-Control fields of one message say together
// (RFC 9111, 5.2). Seconds are -1 where a directive is absent; a directive
// that cannot be read counts as its strictest form.
type Directives struct {
	MaxAge, SharedMaxAge, MinFresh, MaxStale int64

	NoStore, NoCache, Private, Public bool
	MustRevalidate, ProxyRevalidate   bool
	OnlyIfCached                      bool
}

// farFuture is what a number of seconds too large to hold counts as (RFC
// 9111, 1.2.2).
const farFuture = 1 << 31

// None is a message without directives.
func None() Directives {
	return Directives{MaxAge: -1, SharedMaxAge: -1, MinFresh: -1, MaxStale: -1}
}

// Add reads one Cache-Control field value into d; call it for every field in
// order. Of conflicting numbers the smaller counts (RFC 9111, 4.2.1).
func (d *Directives) Add(value []byte) {
	for len(value) > 0 {
		var name, argument []byte
		var given bool
		name, argument, given, value = next(value)
		d.set(name, argument, given)
	}
}

func (d *Directives) set(name, argument []byte, given bool) {
	switch {
	case is(name, "max-age"):
		atMost(&d.MaxAge, seconds(argument))
	case is(name, "s-maxage"):
		atMost(&d.SharedMaxAge, seconds(argument))
	case is(name, "min-fresh"):
		d.MinFresh = max(d.MinFresh, seconds(argument))
	case is(name, "max-stale"):
		stale := int64(farFuture)
		if given {
			stale = seconds(argument)
		}
		atMost(&d.MaxStale, stale)
	case is(name, "no-store"):
		d.NoStore = true
	case is(name, "no-cache"):
		d.NoCache = true // with field names, too: the stricter reading
	case is(name, "private"):
		d.Private = true // likewise
	case is(name, "public"):
		d.Public = true
	case is(name, "must-revalidate"):
		d.MustRevalidate = true
	case is(name, "proxy-revalidate"):
		d.ProxyRevalidate = true
	case is(name, "only-if-cached"):
		d.OnlyIfCached = true
	}
}

func atMost(have *int64, value int64) {
	if *have < 0 || value < *have {
		*have = value
	}
}

// seconds reads delta-seconds (RFC 9111, 1.2.2); what is not a number is 0,
// which makes an answer stale (4.2.1).
func seconds(b []byte) int64 {
	if len(b) == 0 {
		return 0
	}
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0
		}
		n = min(n*10+int64(c-'0'), farFuture)
	}
	return n
}

// next splits the first directive off a field value. A quoted argument may
// hold commas; its quotes are taken away.
func next(value []byte) (name, argument []byte, given bool, rest []byte) {
	i := 0
	for i < len(value) && (value[i] == ' ' || value[i] == '\t' || value[i] == ',') {
		i++
	}
	start := i
	for i < len(value) && value[i] != '=' && value[i] != ',' {
		i++
	}
	name = trim(value[start:i])
	if i == len(value) || value[i] == ',' {
		return name, nil, false, value[i:]
	}
	i++
	if i < len(value) && value[i] == '"' {
		i++
		start = i
		for i < len(value) && value[i] != '"' {
			if value[i] == '\\' {
				i++
			}
			i++
		}
		end := min(i, len(value))
		argument = value[start:end]
		for i = end; i < len(value) && value[i] != ','; i++ {
		}
		return name, argument, true, value[i:]
	}
	start = i
	for i < len(value) && value[i] != ',' {
		i++
	}
	return name, trim(value[start:i]), true, value[i:]
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// is compares a directive's name without regard to case.
func is(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
