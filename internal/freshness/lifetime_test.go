package freshness

import (
	"strings"
	"testing"
	"time"
)

// offer is an answer to GET that came at noon without delay.
func offer(status int, request, answer string) Offer {
	return Offer{
		Method: []byte("GET"), Status: status, Request: fields(request), Answer: fields(answer),
		Requested: noon, Received: noon, Policy: Policy{Heuristic: 3600},
	}
}

// termsOf judges a 200 that something can validate, so that it is stored
// whatever its lifetime is.
func termsOf(t *testing.T, answer string) Terms {
	t.Helper()
	terms, refusal := offer(200, "", answer+"\nETag: \"a\"").Judge()
	if refusal != Storable {
		t.Fatalf("%q is refused: %d", answer, refusal)
	}
	return terms
}

// RFC 9111, 4.2.1 and 5.3; RFC 9213, 2.2.
func TestLifetime_isTheFirstThatIsSaid(t *testing.T) {
	hour := "\nExpires: " + stamp(time.Hour)
	now := "Date: " + stamp(0) + "\n"
	for _, c := range []struct {
		name, answer string
		want         int64
		explicit     bool
	}{
		{"4.2.1 nothing", now, 0, false},
		{"4.2.1 s-maxage before all", now + "Cache-Control: max-age=60, s-maxage=10" + hour, 10, true},
		{"4.2.1 s-maxage may be the longer", now + "Cache-Control: max-age=60, s-maxage=90" + hour, 90, true},
		{"4.2.1 s-maxage of none", now + "Cache-Control: max-age=60, s-maxage=0" + hour, 0, true},
		{"4.2.1 s-maxage that cannot be read", now + "Cache-Control: max-age=60, s-maxage=x" + hour, 0, true},
		{"4.2.1 max-age before Expires", now + "Cache-Control: max-age=60" + hour, 60, true},
		{"5.3 max-age of none before Expires", now + "Cache-Control: max-age=0" + hour, 0, true},
		{"4.2.1 max-age that cannot be read before Expires", now + "Cache-Control: max-age=x" + hour, 0, true},
		{"4.2.1 Expires", now + hour, 3600, true},
		{"4.2.1 Expires counts from Date", "Date: " + stamp(-time.Hour) + hour, 7200, true},
		{"4.2.1 Date is in the future", "Date: " + stamp(30*time.Minute) + hour, 1800, true},
		{"4.2.1 Date is missing: from receipt", hour, 3600, true},
		{"4.2.1 Date is malformed: from receipt", "Date: today" + hour, 3600, true},
		{"4.2.1 Date is behind Expires", "Date: " + stamp(2*time.Hour) + hour, 0, true},
		{"5.3 Expires at Date", now + "Expires: " + stamp(0), 0, true},
		{"5.3 Expires a second later", now + "Expires: " + stamp(time.Second), 1, true},
		{"5.3 Expires before", now + "Expires: " + stamp(-time.Second), 0, true},
		{"5.3 0", now + "Expires: 0", 0, true},
		{"5.3 -1", now + "Expires: -1", 0, true},
		{"5.3 empty", now + "Expires:", 0, true},
		{"5.3 a date in another zone", now + "Expires: " + strings.ReplaceAll(stamp(time.Hour), "GMT", "UTC"), 0, true},
		{"5.3 another form", now + "Expires: Sunday, 22-Nov-26 13:00:00 GMT", 3600, true},
		{"5.3 the third form", now + "Expires: Sun Nov 22 13:00:00 2026", 3600, true},
		{"5.3 in any case", now + "Expires: " + strings.ToLower(stamp(time.Hour)), 3600, true},
		{"4.2.1 two that are equal", now + hour + hour, 3600, true},
		{"4.2.1 two that differ", now + hour + "\nExpires: " + stamp(2*time.Hour), 0, true},
		{"4.2.1 the second cannot be read", now + hour + "\nExpires: 0", 0, true},
		{"4.2.1 two on one line", now + hour + ", " + stamp(time.Hour), 0, true},
		{"1.2.2 farther than can be held", now + "Expires: Fri, 31 Dec 9999 23:59:59 GMT", farFuture, true},
		{"1.2.2 so far from the first year", "Date: Sat, 01 Jan 0000 00:00:00 GMT\nExpires: Fri, 31 Dec 9999 23:59:59 GMT", farFuture, true},
		{"5.3 so far back", now + "Expires: Sat, 01 Jan 0000 00:00:00 GMT", 0, true},
		{"9213 2.2 Expires does not count beside a targeted field", now + "CDN-Cache-Control: public" + hour, 0, false},
		{"9213 2.2 nor does max-age", now + "CDN-Cache-Control: public\nCache-Control: s-maxage=5, max-age=60" + hour, 0, false},
		{"9213 2.2 the targeted lifetime", now + "CDN-Cache-Control: max-age=60\nCache-Control: max-age=5" + hour, 60, true},
		{"9213 2.2 s-maxage there, too", now + "CDN-Cache-Control: max-age=60, s-maxage=30" + hour, 30, true},
		{"9213 2.2 a targeted field that cannot be read", now + "CDN-Cache-Control: max-age=x y" + hour, 3600, true},
		{"edge-arch 2.2 nor beside Surrogate-Control", now + "Surrogate-Control: max-age=60" + hour, 60, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if terms := termsOf(t, c.answer); terms.Lifetime != c.want || terms.Explicit != c.explicit {
				t.Errorf("%q: %d, %v; want %d, %v", c.answer, terms.Lifetime, terms.Explicit, c.want, c.explicit)
			}
		})
	}
}

// RFC 9111, 4.2.2; RFC 9110, 15.1.
func TestLifetime_isGuessedWhereNothingIsSaid(t *testing.T) {
	const hours10 = "\nLast-Modified: Sun, 22 Nov 2026 02:00:00 GMT"
	now := "Date: " + stamp(0)
	for _, c := range []struct {
		name, answer string
		status       int
		bound, want  int64
	}{
		{"4.2.2 a tenth", now + hours10, 200, 86400, 3600},
		{"4.2.2 a tenth, in whole seconds", now + "\nLast-Modified: " + stamp(-19*time.Second), 200, 86400, 1},
		{"4.2.2 within the bound", now + hours10, 200, 3599, 3599},
		{"4.2.2 a bound of nothing", now + hours10, 200, 0, 0},
		{"4.2.2 counted from Date", "Date: " + stamp(-5*time.Hour) + hours10, 200, 86400, 1800},
		{"4.2.2 without Date from receipt", hours10, 200, 86400, 3600},
		{"4.2.2 without Last-Modified", now, 200, 86400, 0},
		{"4.2.2 Last-Modified cannot be read", now + "\nLast-Modified: yesterday", 200, 86400, 0},
		{"4.2.2 Last-Modified is now", now + "\nLast-Modified: " + stamp(0), 200, 86400, 0},
		{"4.2.2 Last-Modified in the future", now + "\nLast-Modified: " + stamp(10*time.Hour), 200, 86400, 0},
		{"4.2.2 Last-Modified long ago", now + "\nLast-Modified: Sat, 01 Jan 0000 00:00:00 GMT", 200, 86400, 86400},
		{"4.2.2 not beside an expired one", now + "\nCache-Control: max-age=0" + hours10, 200, 86400, 0},
		{"4.2.2 not beside Expires", now + "\nExpires: 0" + hours10, 200, 86400, 0},
		{"4.2.2 not beside no-cache", now + "\nCache-Control: no-cache" + hours10, 200, 86400, 0},
		{"4.2.2 beside must-revalidate", now + "\nCache-Control: must-revalidate" + hours10, 200, 86400, 3600},
		{"4.2.2 beside a targeted field", now + "\nCDN-Cache-Control: must-revalidate\nCache-Control: max-age=5" + hours10, 200, 86400, 3600},
		{"5.4 beside Pragma", now + "\nPragma: no-cache" + hours10, 200, 86400, 3600},
		{"5.2.2.9 public allows it for other statuses", now + "\nCache-Control: public" + hours10, 403, 86400, 3600},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := offer(c.status, "", c.answer+"\nETag: \"a\"")
			o.Policy.Heuristic = c.bound
			if terms, refusal := o.Judge(); refusal != Storable || terms.Lifetime != c.want {
				t.Errorf("%q: %d, refusal %d; want %d", c.answer, terms.Lifetime, refusal, c.want)
			}
		})
	}
}

// RFC 9110, 15.1: the statuses that a heuristic is allowed for. The others
// are stored only with a lifetime or public (RFC 9111, 3).
func TestLifetime_isGuessedForTheStatusesThatAllowIt(t *testing.T) {
	allowed := map[int]bool{200: true, 203: true, 204: true, 206: true, 300: true, 301: true, 308: true, 404: true, 405: true, 410: true, 414: true, 501: true}
	for status := 200; status < 600; status++ {
		o := offer(status, "", "Last-Modified: "+stamp(-10*time.Hour)+"\nETag: \"a\"")
		o.Part = status == 206
		terms, refusal := o.Judge()
		if allowed[status] && (refusal != Storable || terms.Lifetime != 3600 || terms.Explicit) {
			t.Errorf("%d: %+v, refusal %d", status, terms, refusal)
		}
		if !allowed[status] && refusal == Storable {
			t.Errorf("%d is stored: %+v", status, terms)
		}
	}
}

// RFC 9111, 4.2.3 and 5.1.
func TestAge_isWhatIsSaidAndSeen(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		delay        time.Duration
		want         int64
	}{
		{"4.2.3 nothing", "", 0, 0},
		{"4.2.3 Age", "Age: 10", 0, 10},
		{"4.2.3 Age and the way", "Age: 10", 5 * time.Second, 15},
		{"4.2.3 the way alone", "", 5 * time.Second, 5},
		{"4.2.3 less than a second", "", 999 * time.Millisecond, 0},
		{"4.2.3 Date", "Date: " + stamp(-20*time.Second), 0, 20},
		{"4.2.3 Date shows more", "Age: 10\nDate: " + stamp(-20*time.Second), 5 * time.Second, 20},
		{"4.2.3 Age and the way show more", "Age: 17\nDate: " + stamp(-20*time.Second), 5 * time.Second, 22},
		{"4.2.3 the origin's clock is ahead", "Date: " + stamp(time.Hour), 0, 0},
		{"4.2.3 the origin's clock is ahead, and it took a while", "Date: " + stamp(time.Hour), 5 * time.Second, 5},
		{"4.2.3 our clock was set back", "Age: 10", -time.Hour, 10},
		{"4.2.3 Date cannot be read", "Date: x\nAge: 10", 0, 10},
		{"5.1 zero", "Age: 0", 0, 0},
		{"5.1 leading zeros", "Age: 007", 0, 7},
		{"5.1 a list: the first", "Age: 10, 20", 0, 10},
		{"5.1 a list without white space", "Age: 10,20", 0, 10},
		{"5.1 a list whose first is none", "Age: x, 20", 0, 0},
		{"5.1 a list that begins with nothing", "Age: , 20", 0, 20},
		{"5.1 two lines: the first", "Age: 10\nAge: 20", 0, 10},
		{"5.1 two lines: the first cannot be read", "Age: x\nAge: 20", 0, 0},
		{"5.1 empty", "Age:", 0, 0},
		{"5.1 quoted", `Age: "10"`, 0, 0},
		{"5.1 a fraction", "Age: 10.0", 0, 0},
		{"5.1 negative", "Age: -10", 0, 0},
		{"5.1 letters", "Age: abc", 0, 0},
		{"5.1 letters behind", "Age: 10s", 0, 0},
		{"5.1 a parameter", "Age: 10;foo=1", 0, 0},
		{"5.1 a number as a parameter", "Age: 10;20", 0, 0},
		{"1.2.2 the largest", "Age: 2147483648", 0, farFuture},
		{"1.2.2 too large for 64 bits", "Age: 9223372036854775808", 0, farFuture},
		{"1.2.2 wraps around to 5", "Age: 18446744073709551621", time.Hour, farFuture},
		{"1.2.2 the way is farther than can be held", "", 1 << 62, farFuture},
		{"1.2.2 Date is farther back than can be held", "Date: Sat, 01 Jan 0000 00:00:00 GMT", 0, farFuture},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := offer(200, "", c.answer+"\nETag: \"a\"")
			o.Requested = noon.Add(-c.delay)
			if terms, refusal := o.Judge(); refusal != Storable || terms.Age != c.want {
				t.Errorf("%q after %v: %d, refusal %d; want %d", c.answer, c.delay, terms.Age, refusal, c.want)
			}
		})
	}
}

// RFC 9110, 6.6.1.
func TestTerms_sayWhenTheAnswerWasMade(t *testing.T) {
	for answer, want := range map[string]time.Time{
		"Date: " + stamp(-time.Hour): noon.Add(-time.Hour),
		"Date: " + stamp(time.Hour):  noon.Add(time.Hour),
		"Date: yesterday":            noon,
		"":                           noon,
	} {
		if terms := termsOf(t, answer); terms.Date != want.Unix() {
			t.Errorf("%q: %v; want %v", answer, time.Unix(terms.Date, 0).UTC(), want)
		}
	}
}
