package freshness

import "time"

// lifetime returns for how many seconds an answer is fresh in a shared cache,
// counted from its generation, and whether it says so itself (RFC 9111,
// 4.2.1): s-maxage, else max-age, else Expires minus Date. An unreadable
// Expires, or several that differ, mean "already expired" (5.3). Where a
// targeted field counts, Expires does not (RFC 9213, 2.2).
func lifetime(d Directives, targeted bool, answer Fields, date, received time.Time) (seconds int64, explicit bool) {
	switch {
	case d.SharedMaxAge >= 0:
		return d.SharedMaxAge, true
	case d.MaxAge >= 0:
		return d.MaxAge, true
	case targeted:
		return 0, false
	}
	expires, found, differ := agreed(answer, nameExpires)
	if !found {
		return 0, false
	}
	at, ok := ParseDate(expires, received)
	if !ok || differ {
		return 0, true
	}
	return min(max(0, int64(at.Sub(date)/time.Second)), farFuture), true
}

// heuristic returns how long an answer that says nothing is taken to be
// fresh: a tenth of the time since it was last modified, within a bound (RFC
// 9111, 4.2.2).
func heuristic(answer Fields, date, received time.Time, bound int64) int64 {
	value, _ := first(answer, nameLastModified)
	modified, ok := ParseDate(value, received)
	if !ok {
		return 0
	}
	return min(max(0, int64(date.Sub(modified)/time.Second)/10), bound)
}

// heuristically names the status codes that allow a heuristic (RFC 9110, 15.1).
func heuristically(status int) bool {
	switch status {
	case 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

// understood names the final status codes whose rules for caching are known
// here (RFC 9111, 5.2.2.3): those of RFC 9110 and its registry.
func understood(status int) bool {
	switch {
	case status >= 200 && status <= 206, status >= 300 && status <= 305, status == 307, status == 308,
		status >= 400 && status <= 417, status >= 421 && status <= 426, status == 428, status == 429, status == 431,
		status == 451, status >= 500 && status <= 505, status == 511:
		return true
	}
	return false
}

// bound names the final status codes whose meaning hangs on the request's own
// conditions, range or credentials towards a proxy, so that no other request
// may get them.
func bound(status int) bool {
	switch status {
	case 206, 304, 407, 412, 416, 417, 421:
		return true
	}
	return false
}

// generated returns when an answer was made: its Date, or the moment it came
// when that is missing or unreadable (RFC 9110, 6.6.1).
func generated(answer Fields, received time.Time) time.Time {
	if value, ok := first(answer, nameDate); ok {
		if at, ok := ParseDate(value, received); ok {
			return at
		}
	}
	return received
}

// age returns an answer's age in seconds when it was received (RFC 9111,
// 4.2.3): what its Age field says plus how long the answer took to come, or
// what Date shows if that is more. Of several members the first counts; one
// that is no number is ignored (5.1).
func age(answer Fields, date, requested, received time.Time) int64 {
	apparent := max(0, int64(received.Sub(date)/time.Second))
	corrected := max(0, int64(received.Sub(requested)/time.Second))
	if value, ok := first(answer, nameAge); ok {
		eachName(value, func(member []byte) bool {
			said, _ := seconds(member)
			corrected += said
			return false
		})
	}
	return min(max(apparent, corrected), farFuture)
}
