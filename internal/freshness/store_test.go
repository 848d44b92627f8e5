package freshness

import (
	"testing"
	"time"
)

// RFC 9111, 3 and the sections it names.
func TestJudge_storesWhatMayBeStored(t *testing.T) {
	const (
		hour = "Cache-Control: max-age=3600\n"
		tag  = "ETag: \"a\"\n"
		auth = "Authorization: Basic eDp5\n"
	)
	old := "Last-Modified: " + stamp(-10*time.Hour) + "\n"
	for _, c := range []struct {
		name            string
		status          int
		request, answer string
		want            Refusal
	}{
		{"3 a lifetime", 200, "", hour, Storable},
		{"3 a guessed lifetime", 200, "", old, Storable},
		{"3 a validator", 200, "", tag, Storable},
		{"3 nothing to go on", 200, "", "Date: " + stamp(0), RefusedWithoutTerms},
		{"3 public, but nothing to go on", 200, "", "Cache-Control: public", RefusedWithoutTerms},
		{"3 a status that is stored only when told, and not told", 403, "", tag + old, RefusedWithoutTerms},
		{"3 nor by no-cache", 403, "", tag + "Cache-Control: no-cache", RefusedWithoutTerms},
		{"3 nor by must-revalidate", 302, "", tag + "Cache-Control: must-revalidate", RefusedWithoutTerms},
		{"3 nor by a window for stale answers", 302, "", tag + "Cache-Control: stale-if-error=60", RefusedWithoutTerms},
		{"3 told by a lifetime", 403, "", hour, Storable},
		{"3 told by Expires", 302, "", "Expires: " + stamp(time.Hour), Storable},
		{"3 told by an Expires that is over", 302, "", tag + "Expires: 0", Storable},
		{"3 told by s-maxage", 500, "", "Cache-Control: s-maxage=5", Storable},
		{"3 told by public", 302, "", tag + "Cache-Control: public", Storable},
		{"3 told by a targeted field", 302, "", "CDN-Cache-Control: max-age=5", Storable},
		{"3 an unknown status with a lifetime", 299, "", hour, Storable},
		{"3 another", 499, "", hour, Storable},
		{"3 and one more", 599, "", hour, Storable},

		{"3 interim answers are not final", 103, "", hour, RefusedByStatus},
		{"3 nor is switching protocols", 101, "", hour, RefusedByStatus},
		{"3 a part whose place is not known", 206, "", hour, RefusedByStatus},
		{"3 not modified", 304, "", hour + tag, RefusedByStatus},
		{"15.5.8 proxy authentication", 407, "", hour, RefusedByStatus},
		{"15.5.13 precondition failed", 412, "", hour + tag, RefusedByStatus},
		{"15.5.17 range not satisfiable", 416, "", hour, RefusedByStatus},
		{"15.5.18 expectation failed", 417, "", hour, RefusedByStatus},
		{"15.5.20 misdirected", 421, "", hour, RefusedByStatus},

		{"5.2.2.5 no-store", 200, "", tag + "Cache-Control: max-age=60, no-store", RefusedByNoStore},
		{"5.2.2.5 no-store on another line", 200, "", hour + "Cache-Control: NO-STORE", RefusedByNoStore},
		{"9213 2.2 no-store does not count beside a targeted field", 200, "", "Cache-Control: no-store\nCDN-Cache-Control: max-age=60", Storable},
		{"9213 2.2 no-store there", 200, "", hour + "CDN-Cache-Control: no-store, max-age=60", RefusedByNoStore},
		{"edge-arch 2.2 no-store in Surrogate-Control", 200, "", hour + "Surrogate-Control: no-store", RefusedByNoStore},
		{"5.2.2.7 private", 200, "", tag + "Cache-Control: max-age=60, private", RefusedByPrivate},
		{"5.2.2.7 private and public", 200, "", "Cache-Control: max-age=60, public, private", RefusedByPrivate},
		{"5.2.2.7 private with names", 200, "", "Cache-Control: max-age=60, private=\"X-User\"", Storable},
		{"5.2.2.7 private with what names nothing", 200, "", "Cache-Control: max-age=60, private=\"\"", RefusedByPrivate},
		{"9213 2.2 private there", 200, "", hour + "CDN-Cache-Control: private, max-age=60", RefusedByPrivate},

		{"5.2.2.3 must-understand, understood", 200, "", "Cache-Control: max-age=60, must-understand", Storable},
		{"5.2.2.3 it overrides no-store", 200, "", "Cache-Control: max-age=60, must-understand, no-store", Storable},
		{"5.2.2.3 for a status that is not known it does not", 299, "", "Cache-Control: max-age=60, must-understand, no-store", RefusedAsUnclear},
		{"5.2.2.3 nor is that stored without no-store", 299, "", "Cache-Control: max-age=60, must-understand", RefusedAsUnclear},
		{"5.2.2.3 it does not override private", 200, "", "Cache-Control: max-age=60, must-understand, no-store, private", RefusedByPrivate},
		{"5.2.2.3 nor the request's no-store", 200, "Cache-Control: no-store", "Cache-Control: max-age=60, must-understand, no-store", RefusedByRequest},
		{"5.2.2.3 nor what a status hangs on", 304, "", "Cache-Control: max-age=60, must-understand, no-store", RefusedByStatus},

		{"5.2.1.5 the request's no-store", 200, "Cache-Control: no-store", hour, RefusedByRequest},
		{"5.2.1.4 the request's no-cache forbids nothing", 200, "Cache-Control: no-cache", hour, Storable},
		{"5.4 nor does Pragma", 200, "Pragma: no-cache", hour, Storable},

		{"3.5 credentials", 200, auth, hour, RefusedByCredentials},
		{"3.5 and Expires", 200, auth, "Expires: " + stamp(time.Hour), RefusedByCredentials},
		{"3.5 and proxy-revalidate", 200, auth, "Cache-Control: max-age=60, proxy-revalidate", RefusedByCredentials},
		{"3.5 and no-cache", 200, auth, tag + "Cache-Control: no-cache", RefusedByCredentials},
		{"3.5 and public", 200, auth, "Cache-Control: max-age=60, public", Storable},
		{"3.5 and s-maxage", 200, auth, "Cache-Control: s-maxage=60", Storable},
		{"3.5 and s-maxage of none", 200, auth, tag + "Cache-Control: s-maxage=0", Storable},
		{"3.5 and must-revalidate", 200, auth, "Cache-Control: max-age=60, must-revalidate", Storable},
		{"3.5 and public in a targeted field", 200, auth, "CDN-Cache-Control: max-age=60, public", Storable},
		{"3.5 public in the field that does not count", 200, auth, "CDN-Cache-Control: max-age=60\nCache-Control: public", RefusedByCredentials},
		{"3.5 public does not help against private", 200, auth, "Cache-Control: public, private, max-age=60", RefusedByPrivate},

		{"4.1 Vary with names", 200, "", hour + "Vary: Accept", Storable},
		{"4.1 Vary: *", 200, "", hour + "Vary: *", RefusedByVary},
		{"4.1 * among names", 200, "", hour + "Vary: Accept, *", RefusedByVary},
		{"4.1 * on the second line", 200, "", hour + "Vary: Accept\nVary: Cookie,*", RefusedByVary},
		{"4.1 a name with an asterisk", 200, "", hour + "Vary: *a", Storable},

		{"5.2.2.4 no-cache and a tag", 200, "", tag + "Cache-Control: no-cache", Storable},
		{"5.2.2.4 no-cache and Last-Modified", 200, "", old + "Cache-Control: no-cache, max-age=60", Storable},
		{"5.2.2.4 no-cache and no validator", 200, "", "Cache-Control: no-cache, max-age=60", RefusedAlwaysAsk},
		{"5.2.2.4 no-cache with names", 200, "", "Cache-Control: no-cache=\"X-User\", max-age=60", Storable},

		{"4.2 over, and a tag", 200, "", tag + "Cache-Control: max-age=0", Storable},
		{"4.2 over, and Last-Modified", 200, "", old + "Cache-Control: max-age=0", Storable},
		{"4.2 over, and no validator", 200, "", "Cache-Control: max-age=0", RefusedAsExpired},
		{"5.3 so says Expires", 200, "", "Expires: 0", RefusedAsExpired},
		{"4.2.3 so says Age", 200, "", "Cache-Control: max-age=60\nAge: 60", RefusedAsExpired},
		{"4.2.3 one second is left", 200, "", "Cache-Control: max-age=60\nAge: 59", Storable},
		{"4.2.3 so says Date", 200, "", "Cache-Control: max-age=60\nDate: " + stamp(-time.Minute), RefusedAsExpired},
		{"5861 3 over, but within the window", 200, "", "Cache-Control: max-age=0, stale-while-revalidate=1", Storable},
		{"5861 3 over, and so is the window", 200, "", "Cache-Control: max-age=60, stale-while-revalidate=5\nAge: 65", RefusedAsExpired},
		{"5861 4 over, but within the window", 200, "", "Cache-Control: max-age=0, stale-if-error=1", Storable},
		{"5861 4 over, and so is the window", 200, "", "Cache-Control: max-age=60, stale-if-error=5\nAge: 65", RefusedAsExpired},
		{"4.2.4 over, and the window is forbidden", 200, "", "Cache-Control: max-age=0, stale-if-error=60, must-revalidate", RefusedAsExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			if terms, refusal := offer(c.status, c.request, c.answer).Judge(); refusal != c.want {
				t.Errorf("%d %q to %q: %d, %+v; want %d", c.status, c.answer, c.request, refusal, terms, c.want)
			}
		})
	}
}

// RFC 9110, 9.2.3, 9.3.2, 9.3.3; RFC 9111, 3.
func TestJudge_storesAnswersToGetAndSomeToPost(t *testing.T) {
	const hour = "Cache-Control: max-age=3600"
	for _, c := range []struct {
		name, method string
		itself       bool
		status       int
		answer       string
		want         Refusal
	}{
		{"9.3.1 GET", "GET", false, 200, hour, Storable},
		{"9.1 methods have their case", "get", false, 200, hour, RefusedByMethod},
		{"9.3.2 HEAD has no body to store", "HEAD", false, 200, hour, RefusedByMethod},
		{"9.3.3 POST of itself", "POST", true, 200, hour, Storable},
		{"9.3.3 POST of itself with Expires", "POST", true, 200, "Expires: " + stamp(time.Hour), Storable},
		{"9.3.3 POST of something else", "POST", false, 200, hour, RefusedByMethod},
		{"9.3.3 POST without a lifetime", "POST", true, 200, "ETag: \"a\"\nLast-Modified: " + stamp(-10*time.Hour), RefusedByMethod},
		{"9.3.3 POST with public alone", "POST", true, 200, "ETag: \"a\"\nCache-Control: public", RefusedByMethod},
		{"9.3.3 POST with no-cache alone", "POST", true, 200, "ETag: \"a\"\nCache-Control: no-cache", RefusedByMethod},
		{"9.3.3 POST with another status", "POST", true, 201, hour, RefusedByMethod},
		{"9.3.3 POST with private", "POST", true, 200, hour + ", private", RefusedByPrivate},
		{"9.3.4 PUT", "PUT", true, 200, hour, RefusedByMethod},
		{"9.3.5 DELETE", "DELETE", true, 200, hour, RefusedByMethod},
		{"9.3.7 OPTIONS", "OPTIONS", true, 200, hour, RefusedByMethod},
		{"3 a method that is not known", "QUERY", true, 200, hour, RefusedByMethod},
		{"3 none", "", true, 200, hour, RefusedByMethod},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := offer(c.status, "", c.answer)
			o.Method, o.Itself = []byte(c.method), c.itself
			if _, refusal := o.Judge(); refusal != c.want {
				t.Errorf("%s %d %q: %d; want %d", c.method, c.status, c.answer, refusal, c.want)
			}
		})
	}
}

// RFC 9111, 3 and 3.3.
func TestJudge_storesAPartOnlyWhenItsPlaceIsKnown(t *testing.T) {
	for status, want := range map[int]Refusal{206: Storable, 304: RefusedByStatus, 412: RefusedByStatus, 416: RefusedByStatus} {
		o := offer(status, "", "ETag: \"a\"\nCache-Control: max-age=60")
		o.Part = true
		if _, refusal := o.Judge(); refusal != want {
			t.Errorf("%d: %d; want %d", status, refusal, want)
		}
	}
}

// RFC 9111, 5.2.2.3: the registered statuses, without those that are not used.
func TestJudge_understandsTheRegisteredStatuses(t *testing.T) {
	known := map[int]bool{}
	for _, span := range [][2]int{{200, 206}, {300, 305}, {307, 308}, {400, 417}, {421, 426}, {428, 429}, {431, 431}, {451, 451}, {500, 505}, {511, 511}} {
		for status := span[0]; status <= span[1]; status++ {
			known[status] = true
		}
	}
	for status := 200; status < 600; status++ {
		_, refusal := offer(status, "", "Cache-Control: max-age=60, must-understand, no-store").Judge()
		if known[status] && refusal != Storable && refusal != RefusedByStatus || !known[status] && refusal != RefusedAsUnclear {
			t.Errorf("%d: %d", status, refusal)
		}
	}
}

// RFC 9111, 4.2.4, 5.2.2; RFC 5861, 3 and 4.
func TestJudge_setsTheTerms(t *testing.T) {
	for _, c := range []struct {
		name, control string
		want          func(terms *Terms)
	}{
		{"5.2.2.1 max-age", "max-age=60", func(terms *Terms) {}},
		{"5.2.2.4 no-cache", "max-age=60, no-cache", func(terms *Terms) { terms.AlwaysAsk, terms.NeverStale = true, true }},
		{"5.2.2.4 no-cache with names", `max-age=60, no-cache="a"`, func(terms *Terms) { terms.FieldsNamed = true }},
		{"5.2.2.7 private with names", `max-age=60, private="a"`, func(terms *Terms) { terms.FieldsNamed = true }},
		{"5.2.2.2 must-revalidate", "max-age=60, must-revalidate", func(terms *Terms) { terms.NeverStale = true }},
		{"5.2.2.8 proxy-revalidate", "max-age=60, proxy-revalidate", func(terms *Terms) { terms.NeverStale = true }},
		{"5.2.2.10 s-maxage", "max-age=5, s-maxage=60", func(terms *Terms) { terms.NeverStale = true }},
		{"5.2.2.10 s-maxage of none", "max-age=60, s-maxage=0", func(terms *Terms) { terms.Lifetime, terms.NeverStale = 0, true }},
		{"5861 3 stale-while-revalidate", "max-age=60, stale-while-revalidate=5", func(terms *Terms) { terms.StaleWhileRevalidate = 5 }},
		{"5861 4 stale-if-error", "max-age=60, stale-if-error=5", func(terms *Terms) { terms.StaleIfError = 5 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := Terms{Lifetime: 60, Date: noon.Unix(), Explicit: true, StaleWhileRevalidate: -1, StaleIfError: -1}
			c.want(&want)
			if terms := termsOf(t, "Cache-Control: "+c.control); terms != want {
				t.Errorf("%q: %+v; want %+v", c.control, terms, want)
			}
		})
	}
}

// RFC 9111, 7.3 leaves Set-Cookie to the origin and to the owner of the cache.
func TestJudge_treatsSetCookieByPolicy(t *testing.T) {
	const (
		cookie = "Set-Cookie: a=b\n"
		tag    = "ETag: \"a\"\n"
	)
	guessed := "Last-Modified: " + stamp(-10*time.Hour)
	for _, c := range []struct {
		name, answer string
		policy       Cookies
		want         Refusal
		without      bool
	}{
		{"7.3 replayed", cookie + "Cache-Control: max-age=60", CookiesReplayed, Storable, false},
		{"7.3 removed", cookie + "Cache-Control: max-age=60", CookiesRemoved, Storable, true},
		{"7.3 refused", cookie + "Cache-Control: max-age=60", CookiesRefused, RefusedByCookie, false},
		{"7.3 no cookie, whatever the policy", "Cache-Control: max-age=60", CookiesRefused, Storable, false},
		{"7.3 no cookie to remove", "Cache-Control: max-age=60", CookiesRemoved, Storable, false},
		{"4.2.2 never kept on a guess", cookie + guessed, CookiesReplayed, Storable, true},
		{"4.2.2 refused on a guess, too", cookie + guessed, CookiesRefused, RefusedByCookie, false},
		{"4.2 never kept where it must be asked for", cookie + tag + "Cache-Control: max-age=0", CookiesReplayed, Storable, true},
		{"5.2.2.4 nor where a 304 would hand one visitor's cookie to the next", cookie + tag + "Cache-Control: no-cache, max-age=60", CookiesReplayed, Storable, true},
		{"4.2 nor without a lifetime", cookie + tag, CookiesReplayed, Storable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := offer(200, "", c.answer)
			o.Policy.Cookies = c.policy
			if terms, refusal := o.Judge(); refusal != c.want || refusal == Storable && terms.WithoutCookie != c.without {
				t.Errorf("%q: %d, without %v; want %d, %v", c.answer, refusal, terms.WithoutCookie, c.want, c.without)
			}
		})
	}
}

// RFC 9111, 4.2.2 allows a guess; none is made about what saw a cookie.
func TestJudge_guessesNothingAboutAnswersToCookies(t *testing.T) {
	const cookie = "Cookie: a=b"
	old := "Last-Modified: " + stamp(-10*time.Hour)
	for _, c := range []struct {
		name, answer string
		want         Refusal
		lifetime     int64
	}{
		{"4.2.2 no guess", old, RefusedWithoutTerms, 0},
		{"4.2.2 nor one with public", old + "\nCache-Control: public", RefusedWithoutTerms, 0},
		{"9213 2.2 nor one beside a targeted field", old + "\nCDN-Cache-Control: must-revalidate", RefusedWithoutTerms, 0},
		{"3 nor is it kept to be validated", "ETag: \"a\"", RefusedWithoutTerms, 0},
		{"5.2.2.1 a lifetime counts", old + "\nCache-Control: max-age=60", Storable, 60},
		{"5.3 Expires counts", old + "\nExpires: " + stamp(time.Minute), Storable, 60},
		{"5.2.2.4 so does no-cache", old + "\nCache-Control: no-cache", Storable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if terms, refusal := offer(200, cookie, c.answer).Judge(); refusal != c.want || terms.Lifetime != c.lifetime {
				t.Errorf("%q: %d, %d seconds; want %d, %d", c.answer, refusal, terms.Lifetime, c.want, c.lifetime)
			}
		})
	}
}

// RFC 9111, 4.4; RFC 9110, 9.2.1.
func TestInvalidates_whatUnsafeMethodsChanged(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "QUERY", "CONNECT", "FOO", "get", ""} {
		for status := 100; status < 600; status++ {
			if want := status >= 200 && status < 400; Invalidates([]byte(method), status) != want {
				t.Errorf("%q, %d: %v", method, status, !want)
			}
		}
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE"} {
		for status := 100; status < 600; status++ {
			if Invalidates([]byte(method), status) {
				t.Errorf("%s, %d", method, status)
			}
		}
	}
}

// Whatever the fields are, what is stored keeps to RFC 9111, 3.
func FuzzJudge(f *testing.F) {
	f.Add("GET", 200, "", "Cache-Control: max-age=60\nETag: \"a\"", true)
	f.Add("POST", 200, "Authorization: x", "Cache-Control: public, no-cache=\"a\"\nAge: 99999999999999999999\nDate: x\nExpires: 0", false)
	f.Add("GET", 206, "Cookie: a", "CDN-Cache-Control: max-age=5;a, private=\"b\"\nVary: *\nSet-Cookie: c", true)
	f.Add("GET", 299, "Cache-Control: no-store", "Surrogate-Control: max-age=5+6;seawall, no-store;b\nLast-Modified: Sunday, 06-Nov-94 08:49:37 GMT", false)
	f.Add("GET", 403, "", "Cache-Control: must-understand, no-store, s-maxage=\"7", true)
	f.Fuzz(func(t *testing.T, method string, status int, request, answer string, yes bool) {
		o := offer(status, request, answer)
		o.Method, o.Itself, o.Part = []byte(method), yes, yes
		terms, refusal := o.Judge()
		if again, same := o.Judge(); again != terms || same != refusal {
			t.Fatalf("%+v, %d, then %+v, %d", terms, refusal, again, same)
		}
		if refusal != Storable {
			return
		}
		d, _ := Response(o.Answer)
		basis := terms.Explicit || d.Public || heuristically(status)
		switch {
		case method != "GET" && method != "POST", status < 200, status == 304, status == 412, status == 416, status == 206 && !yes:
			t.Errorf("%s, %d is stored", method, status)
		case d.Private, d.NoStore && !d.MustUnderstand, Request(o.Request).NoStore, !basis:
			t.Errorf("%q to %q is stored with %d", answer, request, status)
		case has(o.Request, nameAuthorization) && !d.Public && !d.MustRevalidate && d.SharedMaxAge < 0:
			t.Errorf("%q to %q is stored", answer, request)
		case terms.Age < 0, terms.Age > farFuture, terms.Lifetime < 0, terms.Lifetime > farFuture:
			t.Errorf("%q: %+v", answer, terms)
		case terms.AlwaysAsk && !has(o.Answer, nameETag) && !has(o.Answer, nameLastModified):
			t.Errorf("%q is stored and can never be used", answer)
		case terms.FieldsNamed:
			Named(o.Answer, nameSetCookie)
		}
	})
}
