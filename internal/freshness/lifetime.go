package freshness

import (
	"bytes"
	"net/http"
	"time"
)

// Lifetime returns for how many seconds an answer is fresh in a shared cache,
// counted from its generation, and whether it says so explicitly (RFC 9111,
// 4.2.1): s-maxage, else max-age, else Expires minus Date. expires is nil
// when there is no such field; an unreadable one means "already expired" (5.3).
func Lifetime(d Directives, expires []byte, date time.Time) (seconds int64, explicit bool) {
	switch {
	case d.SharedMaxAge >= 0:
		return d.SharedMaxAge, true
	case d.MaxAge >= 0:
		return d.MaxAge, true
	case expires != nil:
		at, ok := ParseDate(expires)
		if !ok {
			return 0, true
		}
		return max(0, int64(at.Sub(date)/time.Second)), true
	}
	return 0, false
}

// Age returns an answer's age in seconds when it was received (RFC 9111,
// 4.2.3): what the origin's Age field says plus how long the answer took to
// come, or what Date shows if that is more. age is nil when there is no such
// field.
func Age(age []byte, date, requested, received time.Time) int64 {
	apparent := max(0, int64(received.Sub(date)/time.Second))
	corrected := int64(received.Sub(requested) / time.Second)
	if first, _, _ := bytes.Cut(age, []byte(",")); len(first) > 0 {
		// Of a list the first member counts (RFC 9111, 5.1).
		corrected += seconds(trim(first))
	}
	return max(apparent, corrected)
}

// ParseDate reads an HTTP date in any of its three forms (RFC 9110, 5.6.7).
func ParseDate(b []byte) (time.Time, bool) {
	at, err := http.ParseTime(string(b))
	return at, err == nil
}
