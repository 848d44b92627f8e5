package freshness

import "time"

// ParseDate reads an HTTP date in any of its three forms (RFC 9110, 5.6.7).
// Every digit and separator must stand where the grammar has it; the names of
// days, months and the zone may be in any case. now decides the century of
// the form that has none.
func ParseDate(b []byte, now time.Time) (time.Time, bool) {
	switch {
	case len(b) > 3 && b[3] == ',': // Sun, 06 Nov 1994 08:49:37 GMT
		return fixdate(b)
	case len(b) > 3 && b[3] == ' ': // Sun Nov  6 08:49:37 1994
		return asctime(b)
	default: // Sunday, 06-Nov-94 08:49:37 GMT
		return rfc850(b, now)
	}
}

func fixdate(b []byte) (time.Time, bool) {
	if len(b) != len("Sun, 06 Nov 1994 08:49:37 GMT") || !isDay(b[:3], 3) ||
		b[4] != ' ' || b[7] != ' ' || b[11] != ' ' || b[16] != ' ' || !isGMT(b[25:]) {
		return time.Time{}, false
	}
	return date(number(b[12:16]), month(b[8:11]), number(b[5:7]), b[17:25])
}

func asctime(b []byte) (time.Time, bool) {
	if len(b) != len("Sun Nov  6 08:49:37 1994") || !isDay(b[:3], 3) || b[7] != ' ' || b[10] != ' ' || b[19] != ' ' {
		return time.Time{}, false
	}
	day := b[8:10]
	if day[0] == ' ' {
		day = day[1:]
	}
	return date(number(b[20:24]), month(b[4:7]), number(day), b[11:19])
}

func rfc850(b []byte, now time.Time) (time.Time, bool) {
	name, rest, found := cut(b, ',')
	if !found || !isDay(name, 0) || len(rest) != len(" 06-Nov-94 08:49:37 GMT") ||
		rest[0] != ' ' || rest[3] != '-' || rest[7] != '-' || rest[10] != ' ' || !isGMT(rest[19:]) {
		return time.Time{}, false
	}
	year := number(rest[8:10])
	if year < 0 {
		return time.Time{}, false
	}
	now = now.UTC() // no local zone may count (RFC 9111, 4.2)
	year += now.Year() - now.Year()%100
	if year <= now.Year()-50 {
		year += 100
	}
	at, ok := date(year, month(rest[4:7]), number(rest[1:3]), rest[11:19])
	if at.After(now.AddDate(50, 0, 0)) {
		// More than 50 years ahead means the century before.
		return date(year-100, month(rest[4:7]), number(rest[1:3]), rest[11:19])
	}
	return at, ok
}

// date puts a date together from its parts and a time as 08:49:37.
func date(year int, month time.Month, day int, clock []byte) (time.Time, bool) {
	if clock[2] != ':' || clock[5] != ':' {
		return time.Time{}, false
	}
	hour, minute, second := number(clock[:2]), number(clock[3:5]), number(clock[6:])
	if year < 0 || month == 0 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return time.Time{}, false
	}
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if midnight.Day() != day { // 31 Feb
		return time.Time{}, false
	}
	return midnight.Add(time.Duration(hour*3600+minute*60+second) * time.Second), true
}

var (
	days   = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	months = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
)

// isDay reports whether b names a day of the week, by its first letters or,
// with 0, in full.
func isDay(b []byte, letters int) bool {
	for _, day := range days {
		if letters > 0 {
			day = day[:letters]
		}
		if is(b, day) {
			return true
		}
	}
	return false
}

func month(b []byte) time.Month {
	for i, name := range months {
		if is(b, name) {
			return time.Month(i + 1)
		}
	}
	return 0
}

func isGMT(b []byte) bool { return len(b) == 4 && b[0] == ' ' && is(b[1:], "gmt") }

// number reads digits; -1 when there is anything else.
func number(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
