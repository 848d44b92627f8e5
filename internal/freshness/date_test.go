package freshness

import (
	"bytes"
	"net/http"
	"testing"
	"time"
)

var november = time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC)

// RFC 9110, 5.6.7; RFC 9111, 4.2 (in any case, and GMT alone).
func TestParseDate_readsThreeForms(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       time.Time
	}{
		{"5.6.7 the preferred form", "Sun, 06 Nov 1994 08:49:37 GMT", november},
		{"5.6.7 RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", november},
		{"5.6.7 asctime", "Sun Nov  6 08:49:37 1994", november},
		{"5.6.7 asctime with two digits of a day", "Sun Nov 06 08:49:37 1994", november},
		{"5.6.7 asctime late in the month", "Wed Nov 16 08:49:37 1994", november.AddDate(0, 0, 10)},
		{"9111 4.2 lower case", "sun, 06 nov 1994 08:49:37 gmt", november},
		{"9111 4.2 upper case", "SUN, 06 NOV 1994 08:49:37 GMT", november},
		{"9111 4.2 RFC 850 in any case", "sUNDAY, 06-nOV-94 08:49:37 gMt", november},
		{"9111 4.2 asctime in any case", "SUN nov  6 08:49:37 1994", november},
		{"5.6.7 another day of the week is not looked at", "Mon, 06 Nov 1994 08:49:37 GMT", november},
		{"5.6.7 the first second of a day", "Sun, 06 Nov 1994 00:00:00 GMT", time.Date(1994, 11, 6, 0, 0, 0, 0, time.UTC)},
		{"5.6.7 the last second of a day", "Sun, 06 Nov 1994 23:59:59 GMT", time.Date(1994, 11, 6, 23, 59, 59, 0, time.UTC)},
		{"5.6.7 a leap second", "Sat, 31 Dec 2016 23:59:60 GMT", time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"5.6.7 29 February", "Thu, 29 Feb 2024 08:49:37 GMT", time.Date(2024, 2, 29, 8, 49, 37, 0, time.UTC)},
		{"5.6.7 the epoch", "Thu, 01 Jan 1970 00:00:00 GMT", time.Unix(0, 0)},
		{"5.6.7 the last year that can be written", "Fri, 31 Dec 9999 23:59:59 GMT", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"5.6.7 the first", "Sat, 01 Jan 0000 00:00:00 GMT", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if at, ok := ParseDate([]byte(c.text), noon); !ok || !at.Equal(c.want) {
				t.Errorf("%q: %v, %v; want %v", c.text, at, ok, c.want)
			}
		})
	}
	for i, month := range []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"} {
		if at, ok := ParseDate([]byte("Sun, 06 "+month+" 1994 08:49:37 GMT"), noon); !ok || at.Month() != time.Month(i+1) {
			t.Errorf("%s is %v, %v", month, at.Month(), ok)
		}
	}
	for _, day := range []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"} {
		for _, text := range []string{day[:3] + ", 06 Nov 1994 08:49:37 GMT", day[:3] + " Nov  6 08:49:37 1994", day + ", 06-Nov-94 08:49:37 GMT"} {
			if at, ok := ParseDate([]byte(text), noon); !ok || !at.Equal(november) {
				t.Errorf("%q: %v, %v", text, at, ok)
			}
		}
	}
}

// RFC 9110, 5.6.7; RFC 9111, 4.2.
func TestParseDate_refusesWhatIsNoDate(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"5.6.7 empty", ""},
		{"5.6.7 a number", "0"},
		{"5.6.7 seconds", "1790000000"},
		{"5.6.7 a day", "Sun"},
		{"5.6.7 a day and a comma", "Sun,"},
		{"5.6.7 a day and a space", "Sun "},
		{"5.6.7 a whole day and a comma", "Sunday,"},
		{"5.6.7 no comma", "Sun 06 Nov 1994 08:49:37 GMT"},
		{"5.6.7 no space behind the comma", "Sun,06 Nov 1994 08:49:37 GMT"},
		{"5.6.7 two spaces behind the comma", "Sun,  06 Nov 1994 08:49:37 GMT"},
		{"5.6.7 two spaces before the time", "Sun, 06 Nov 1994  08:49:37 GMT"},
		{"5.6.7 a space at the end", "Sun, 06 Nov 1994 08:49:37 GMT "},
		{"5.6.7 a space at the start", " Sun, 06 Nov 1994 08:49:37 GMT"},
		{"5.6.7 tabs", "Sun,\t06\tNov\t1994\t08:49:37\tGMT"},
		{"5.6.7 dashes", "Sun, 06-Nov-1994 08:49:37 GMT"},
		{"5.6.7 periods in the time", "Sun, 06 Nov 1994 08.49.37 GMT"},
		{"5.6.7 one period in the time", "Sun, 06 Nov 1994 08:49.37 GMT"},
		{"5.6.7 an hour of one digit", "Sun, 06 Nov 1994 8:49:37 GMT"},
		{"5.6.7 an hour of one digit, padded", "Sun, 06 Nov 1994  8:49:37 GMT"},
		{"5.6.7 a day of one digit", "Sun, 6 Nov 1994 08:49:37 GMT"},
		{"5.6.7 a day of one digit, padded", "Sun,  6 Nov 1994 08:49:37 GMT"},
		{"5.6.7 a year of two digits", "Sun, 06 Nov 94 08:49:37 GMT"},
		{"5.6.7 a year of five digits", "Sun, 06 Nov 11994 08:49:37 GMT"},
		{"5.6.7 a signed year", "Sun, 06 Nov +994 08:49:37 GMT"},
		{"5.6.7 RFC 850 with a year of four digits", "Sunday, 06-Nov-1994 08:49:37 GMT"},
		{"5.6.7 RFC 850 with a short day", "Sun, 06-Nov-94 08:49:37 GMT"},
		{"5.6.7 RFC 850 without a comma", "Sunday 06-Nov-94 08:49:37 GMT"},
		{"5.6.7 RFC 850 with spaces", "Sunday, 06 Nov 94 08:49:37 GMT"},
		{"5.6.7 RFC 850 with a year in letters", "Sunday, 06-Nov-9x 08:49:37 GMT"},
		{"5.6.7 a whole day in the preferred form", "Sunday, 06 Nov 1994 08:49:37 GMT"},
		{"5.6.7 asctime with a zone", "Sun Nov  6 08:49:37 1994 GMT"},
		{"5.6.7 asctime without a day", "Sun Nov    08:49:37 1994"},
		{"5.6.7 asctime with a dash", "Sun Nov- 6 08:49:37 1994"},
		{"9111 4.2 UTC", "Sun, 06 Nov 1994 08:49:37 UTC"},
		{"9111 4.2 AEST", "Sun, 06 Nov 1994 08:49:37 AEST"},
		{"9111 4.2 an offset", "Sun, 06 Nov 1994 08:49:37 +0000"},
		{"9111 4.2 no zone", "Sun, 06 Nov 1994 08:49:37"},
		{"9111 4.2 RFC 850 in another zone", "Sunday, 06-Nov-94 08:49:37 CET"},
		{"5.6.7 a day that is none", "Foo, 06 Nov 1994 08:49:37 GMT"},
		{"5.6.7 a whole day that is none", "Foo Fooday, 06-Nov-94 08:49:37 GMT"},
		{"5.6.7 a month that is none", "Sun, 06 Nob 1994 08:49:37 GMT"},
		{"5.6.7 31 February", "Mon, 31 Feb 2026 08:49:37 GMT"},
		{"5.6.7 31 February, with a leap second", "Mon, 31 Feb 2026 23:59:60 GMT"},
		{"5.6.7 29 February of a common year", "Sun, 29 Feb 2026 08:49:37 GMT"},
		{"5.6.7 day 0", "Sun, 00 Nov 1994 08:49:37 GMT"},
		{"5.6.7 day 32", "Sun, 32 Dec 1994 08:49:37 GMT"},
		{"5.6.7 24 o'clock", "Sun, 06 Nov 1994 24:00:00 GMT"},
		{"5.6.7 minute 60", "Sun, 06 Nov 1994 08:60:00 GMT"},
		{"5.6.7 second 61", "Sat, 31 Dec 2016 23:59:61 GMT"},
		{"5.6.7 a negative second", "Sun, 06 Nov 1994 08:49:-7 GMT"},
		{"5.6.7 letters for digits", "Sun, 06 Nov 1994 0a:49:37 GMT"},
		{"5.6.7 ISO 8601", "1994-11-06T08:49:37Z"},
		{"5.6.7 a list of two", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"},
		{"5.6.7 quoted", `"Sun, 06 Nov 1994 08:49:37 GMT"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if at, ok := ParseDate([]byte(c.text), noon); ok {
				t.Errorf("%q: %v", c.text, at)
			}
		})
	}
	for _, whole := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"} {
		for i := range whole {
			if at, ok := ParseDate([]byte(whole[:i]), noon); ok {
				t.Errorf("%q: %v", whole[:i], at)
			}
			text := whole[:i] + "~" + whole[i+1:]
			if at, ok := ParseDate([]byte(text), noon); ok {
				t.Errorf("%q: %v", text, at)
			}
		}
	}
}

// RFC 9110, 5.6.7: what seems more than 50 years ahead is the most recent
// year in the past with the same two digits.
func TestParseDate_findsTheCenturyOfTwoDigits(t *testing.T) {
	at := func(year int) time.Time { return time.Date(year, 6, 15, 12, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		now   time.Time
		date  string
		years int
	}{
		{at(1994), "06-Nov-94 08:49:37", 1994},
		{at(2026), "15-Jun-26 12:00:00", 2026},
		{at(2026), "06-Nov-94 08:49:37", 1994},
		{at(2026), "06-Nov-00 08:49:37", 2000},
		{at(2026), "06-Nov-75 08:49:37", 2075},
		{at(2026), "15-Jun-76 12:00:00", 2076}, // exactly 50 years
		{at(2026), "15-Jun-76 12:00:01", 1976}, // a second more
		{at(2026), "06-Nov-76 08:49:37", 1976},
		{at(2026), "01-Jan-76 08:49:37", 2076},
		{at(2026), "01-Jan-77 08:49:37", 1977},
		{at(2049), "06-Nov-94 08:49:37", 2094},
		{at(2049), "01-Jan-99 08:49:37", 2099},
		{at(2049), "06-Nov-99 08:49:37", 1999},
		{at(2049), "06-Nov-00 08:49:37", 2000},
		{at(2051), "06-Nov-99 08:49:37", 2099},
		{at(2051), "01-Jan-01 08:49:37", 2101},
		{at(2051), "06-Nov-01 08:49:37", 2001},
		{at(2099), "06-Nov-94 08:49:37", 2094},
		{at(2099), "06-Nov-01 08:49:37", 2101},
		{at(2099), "06-Nov-48 08:49:37", 2148},
		{at(2099), "06-Nov-50 08:49:37", 2050},
		{at(2099), "01-Jan-49 08:49:37", 2149},
		{at(2099), "06-Nov-49 08:49:37", 2049},
		{at(2100), "29-Feb-00 08:49:37", 0}, // 2100 has no such day
	} {
		got, ok := ParseDate([]byte("Sunday, "+c.date+" GMT"), c.now)
		if ok != (c.years > 0) || ok && (got.Year() != c.years || got.Format("02-Jan-06 15:04:05") != c.date) {
			t.Errorf("%s in %d: %v, %v; want %d", c.date, c.now.Year(), got, ok, c.years)
		}
	}
}

// RFC 9111, 4.2: where the clock stands on the wall must not count.
func TestParseDate_readsTheSameInEveryZone(t *testing.T) {
	for _, c := range []struct {
		now  time.Time
		date string
		want int
	}{
		{time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC), "01-Jan-77 00:00:00", 1977},
		{time.Date(2027, 1, 1, 1, 0, 0, 0, time.UTC), "01-Jan-77 00:30:00", 2077},
		{time.Date(2099, 12, 31, 23, 0, 0, 0, time.UTC), "31-Dec-50 23:30:00", 2050},
		{time.Date(2100, 1, 1, 1, 0, 0, 0, time.UTC), "01-Jan-50 00:30:00", 2150},
	} {
		for _, hours := range []int{-12, 0, 5, 14} {
			at, ok := ParseDate([]byte("Friday, "+c.date+" GMT"), c.now.In(time.FixedZone("", hours*3600)))
			if !ok || at.Year() != c.want {
				t.Errorf("%s, %d hours from Greenwich: %v, %v; want %d", c.date, hours, at, ok, c.want)
			}
		}
	}
}

// What is written reads as itself, in all three forms.
func FuzzParseDate_readsWhatIsWritten(f *testing.F) {
	f.Add(november.Unix())
	f.Add(int64(0))
	f.Add(int64(253402300799))
	f.Add(int64(4107542399))
	f.Fuzz(func(t *testing.T, unix int64) {
		at := time.Unix(unix%253402300800, 0).UTC()
		if at.Year() < 100 {
			return
		}
		for _, form := range []string{http.TimeFormat, time.ANSIC, "Monday, 02-Jan-06 15:04:05 GMT"} {
			text := []byte(at.Format(form))
			now := at.AddDate(int(unix%49), 0, 0)
			for _, text := range [][]byte{text, bytes.ToLower(text), bytes.ToUpper(text)} {
				if got, ok := ParseDate(text, now); !ok || !got.Equal(at) {
					t.Errorf("%q in %d: %v, %v; want %v", text, now.Year(), got, ok, at)
				}
			}
		}
	})
}

// No bytes make it panic, and what it takes for a date in the preferred form
// the standard library takes for the same.
func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "", "Sun,", "Sun ", "0", ",,,,", "Sat, 31 Dec 2016 23:59:60 GMT",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		at, ok := ParseDate(text, noon)
		if again, same := ParseDate(text, noon); same != ok || !again.Equal(at) {
			t.Fatalf("%q: %v, then %v", text, at, again)
		}
		if !ok || len(text) != len(http.TimeFormat) || text[3] != ',' || at.Year() > 9999 {
			return
		}
		second := string(text[23:25])
		text = bytes.Clone(text)
		copy(text[len(text)-3:], "GMT")
		copy(text[23:25], "00")
		want, err := time.Parse(http.TimeFormat, string(text))
		if err != nil || second != "60" && at.Truncate(time.Minute) != want {
			t.Errorf("%q: %v; want %v, %v", text, at, want, err)
		}
	})
}
