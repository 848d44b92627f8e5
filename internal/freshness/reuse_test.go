package freshness

import "testing"

// fresh60 is an answer that is fresh for a minute, changed by edit.
func fresh60(edit func(terms *Terms)) Terms {
	terms := Terms{Lifetime: 60, Explicit: true, StaleWhileRevalidate: -1, StaleIfError: -1}
	if edit != nil {
		edit(&terms)
	}
	return terms
}

// RFC 9111, 4, 4.2 and 5.2.1; RFC 5861, 3.
func TestUse_keepsToTheTermsAndTheRequest(t *testing.T) {
	neverStale := func(terms *Terms) { terms.NeverStale = true }
	alwaysAsk := func(terms *Terms) { terms.AlwaysAsk, terms.NeverStale = true, true }
	window := func(terms *Terms) { terms.StaleWhileRevalidate = 30 }
	both := func(terms *Terms) { terms.StaleWhileRevalidate, terms.NeverStale = 30, true }
	never := func(terms *Terms) { terms.Lifetime = 0 }
	for _, c := range []struct {
		name    string
		terms   func(terms *Terms)
		request string
		age     int64
		want    Use
	}{
		{"4.2 just made", nil, "", 0, UseFresh},
		{"4.2 the last fresh second", nil, "", 59, UseFresh},
		{"4.2 as old as its lifetime is stale", nil, "", 60, AskStale},
		{"4.2 older", nil, "", 61, AskStale},
		{"4.2 no lifetime", never, "", 0, AskStale},
		{"4.2 of any age", nil, "", farFuture, AskStale},

		{"5.2.2.4 no-cache is never used unasked", alwaysAsk, "", 0, AskStale},
		{"5.2.2.4 nor by max-stale", alwaysAsk, "max-stale", 0, AskStale},
		{"5.2.2.2 must-revalidate while fresh", neverStale, "", 59, UseFresh},
		{"5.2.2.2 must-revalidate when stale", neverStale, "", 60, AskStale},
		{"4.2.4 max-stale does not override it", neverStale, "max-stale", 60, AskStale},
		{"4.2.4 nor does stale-while-revalidate", both, "", 60, AskStale},

		{"5861 3 the window begins", window, "", 60, UseWhileRevalidating},
		{"5861 3 its last second", window, "", 89, UseWhileRevalidating},
		{"5861 3 it is over", window, "", 90, AskStale},
		{"5861 3 a window of nothing", func(terms *Terms) { terms.StaleWhileRevalidate = 0 }, "", 60, AskStale},
		{"5861 3 while fresh nobody is asked", window, "", 59, UseFresh},

		{"5.2.1.4 no-cache", nil, "no-cache", 0, AskRequest},
		{"5.2.1.4 no-cache, and it is stale", nil, "no-cache", 60, AskStale},
		{"5.2.1.4 no-cache within the window", window, "no-cache", 60, AskStale},
		{"5.2.1.4 no-cache and max-stale", nil, "no-cache, max-stale", 60, AskStale},

		{"5.2.1.1 as old as max-age", nil, "max-age=30", 30, UseFresh},
		{"5.2.1.1 older than max-age", nil, "max-age=30", 31, AskRequest},
		{"5.2.1.1 max-age=0, just made", nil, "max-age=0", 0, UseFresh},
		{"5.2.1.1 max-age=0", nil, "max-age=0", 1, AskRequest},
		{"5.2.1.1 max-age that cannot be read", nil, "max-age=x", 1, AskRequest},
		{"5.2.1.1 younger than max-age, but stale", nil, "max-age=100", 60, AskStale},
		{"5.2.1.1 older than max-age, and stale", nil, "max-age=30", 60, AskStale},
		{"5.2.1.1 max-age wants nothing stale", window, "max-age=100", 60, AskStale},
		{"5.2.1.1 unless max-stale allows it", window, "max-age=100, max-stale=5", 60, UseStale},
		{"5.2.1.1 even of nothing", nil, "max-age=100, max-stale=0", 60, UseStale},
		{"5.2.1.1 max-age=0 wants nothing stale", func(terms *Terms) { terms.Lifetime, terms.StaleWhileRevalidate = 0, 30 }, "max-age=0", 0, AskStale},
		{"5.2.1.1 beyond max-stale the window counts", window, "max-age=100, max-stale=5", 66, UseWhileRevalidating},
		{"5.2.1.1 older than max-age in spite of max-stale", nil, "max-age=64, max-stale=10", 65, AskStale},

		{"5.2.1.3 as fresh as min-fresh", nil, "min-fresh=20", 40, UseFresh},
		{"5.2.1.3 less fresh", nil, "min-fresh=20", 41, AskRequest},
		{"5.2.1.3 min-fresh=0", nil, "min-fresh=0", 59, UseFresh},
		{"5.2.1.3 min-fresh=0 wants nothing stale", window, "min-fresh=0", 60, AskStale},
		{"5.2.1.3 fresher than it can ever be", nil, "min-fresh=61", 0, AskRequest},
		{"5.2.1.3 min-fresh that cannot be read", nil, "min-fresh=x", 0, AskRequest},
		{"5.2.1.3 stale in spite of max-stale", nil, "min-fresh=1, max-stale", 60, AskStale},

		{"5.2.1.2 max-stale, at its lifetime", nil, "max-stale=10", 60, UseStale},
		{"5.2.1.2 max-stale, the last second", nil, "max-stale=10", 70, UseStale},
		{"5.2.1.2 max-stale, older", nil, "max-stale=10", 71, AskStale},
		{"5.2.1.2 max-stale=0", nil, "max-stale=0", 60, UseStale},
		{"5.2.1.2 max-stale=0, a second later", nil, "max-stale=0", 61, AskStale},
		{"5.2.1.2 max-stale that cannot be read", nil, "max-stale=x", 61, AskStale},
		{"5.2.1.2 max-stale of any age", nil, "max-stale", 1 << 30, UseStale},
		{"5.2.1.2 max-stale while fresh", nil, "max-stale=10", 59, UseFresh},

		{"5.2.1.5 no-store forbids no use", nil, "no-store", 0, UseFresh},
		{"5.2.1.7 nor does only-if-cached", nil, "only-if-cached", 0, UseFresh},
		{"5.2.1.7 which allows nothing, either", nil, "only-if-cached", 60, AskStale},
		{"5861 4 stale-if-error is for errors", func(terms *Terms) { terms.StaleIfError = 30 }, "stale-if-error=30", 60, AskStale},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms, request := fresh60(c.terms), said(c.request)
			if got := terms.Use(c.age, &request); got != c.want {
				t.Errorf("%+v at %d for %q: %d; want %d", terms, c.age, c.request, got, c.want)
			}
		})
	}
}

// RFC 9111, 4.
func TestUse_servesWithoutWaitingInThreeCases(t *testing.T) {
	for use, want := range map[Use]bool{UseFresh: true, UseStale: true, UseWhileRevalidating: true, AskStale: false, AskRequest: false} {
		if use.Serves() != want {
			t.Errorf("%d serves: %v", use, !want)
		}
	}
}

// RFC 9111, 4.2.4; RFC 5861, 4.
func TestOnError_allowsStaleAnswersWithinBounds(t *testing.T) {
	none := func(*Terms) {}
	ifError := func(terms *Terms) { terms.StaleIfError = 30 }
	window := func(terms *Terms) { terms.StaleWhileRevalidate = 30 }
	never := func(terms *Terms) { terms.NeverStale, terms.StaleIfError = true, 30 }
	always := func(terms *Terms) { terms.AlwaysAsk, terms.NeverStale, terms.StaleIfError = true, true, 30 }
	for _, c := range []struct {
		name         string
		terms        func(terms *Terms)
		request      string
		age          int64
		failure      Failure
		disconnected int64
		want         bool
	}{
		{"4.2.4 nothing allows it", none, "", 60, FailedToConnect, 0, false},
		{"4.2.4 disconnected", none, "", 60, FailedToConnect, 10, true},
		{"4.2.4 disconnected, the last second", none, "", 69, FailedToConnect, 10, true},
		{"4.2.4 disconnected, too old", none, "", 70, FailedToConnect, 10, false},
		{"4.2.4 an answer is no disconnection", none, "", 60, FailedByStatus, 10, false},
		{"4.2.4 must-revalidate", never, "", 60, FailedToConnect, 10, false},
		{"4.2.4 must-revalidate, and the request would allow it", never, "stale-if-error=30", 60, FailedToConnect, 10, false},
		{"4.2.4 no-cache", always, "", 60, FailedToConnect, 10, false},
		{"5.2.2.4 no-cache, and it is young", always, "", 0, FailedToConnect, 10, false},
		{"5.2.1.4 the request's no-cache", ifError, "no-cache", 60, FailedToConnect, 10, false},
		{"5.2.1.4 the request's no-cache, and it is fresh", ifError, "no-cache", 10, FailedToConnect, 10, false},
		{"5861 4 in the answer", ifError, "", 60, FailedByStatus, 0, true},
		{"5861 4 for lost connections, too", ifError, "", 60, FailedToConnect, 0, true},
		{"5861 4 the last second", ifError, "", 89, FailedByStatus, 0, true},
		{"5861 4 too old", ifError, "", 90, FailedByStatus, 0, false},
		{"5861 4 in the request", none, "stale-if-error=30", 89, FailedByStatus, 0, true},
		{"5861 4 in the request, too old", none, "stale-if-error=30", 90, FailedByStatus, 0, false},
		{"5861 4 the longer of both", ifError, "stale-if-error=50", 109, FailedByStatus, 0, true},
		{"5861 4 a window of nothing", none, "stale-if-error=0", 60, FailedByStatus, 0, false},
		{"5861 3 its window counts", window, "", 89, FailedByStatus, 0, true},
		{"5861 3 it is over", window, "", 90, FailedByStatus, 0, false},
		{"5.2.1.1 fresh, but older than the visitor likes", none, "max-age=0", 59, FailedByStatus, 0, true},
		{"5.2.1.3 fresh, but not for as long", none, "min-fresh=100", 0, FailedToConnect, 0, true},
		{"5.2.2.2 must-revalidate is for stale answers", never, "max-age=0", 59, FailedToConnect, 0, true},
		{"5.2.2.2 not a second longer", never, "max-age=0", 60, FailedToConnect, 60, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms, request := fresh60(c.terms), said(c.request)
			if got := terms.OnError(c.age, &request, c.failure, c.disconnected); got != c.want {
				t.Errorf("%+v at %d for %q: %v", terms, c.age, c.request, got)
			}
		})
	}
}

// RFC 5861, 4.
func TestIsFailure_namesFourStatuses(t *testing.T) {
	for status := 100; status < 600; status++ {
		want := status == 500 || status == 502 || status == 503 || status == 504
		if IsFailure(status) != want {
			t.Errorf("%d: %v", status, !want)
		}
	}
}

// What serves at an age serves at every smaller one, with an error and
// without; and what the answer forbids no request brings about.
func FuzzUse(f *testing.F) {
	f.Add("max-age=60, stale-while-revalidate=30", "max-stale=5", int64(70), int64(60))
	f.Add("max-age=60, stale-if-error=30", "min-fresh=10, max-age=50", int64(50), int64(10))
	f.Add("s-maxage=60", "max-stale", int64(61), int64(59))
	f.Add("no-cache, max-age=5", "no-cache", int64(1), int64(0))
	f.Fuzz(func(t *testing.T, answer, asked string, age, less int64) {
		o := offer(200, "", "")
		o.Answer = add(fields("ETag: \"a\""), "Cache-Control", answer)
		terms, refusal := o.Judge()
		if refusal != Storable || age < 0 || less < 0 || age > farFuture {
			return
		}
		younger := less % (age + 1)
		request := said(asked)
		use, before := terms.Use(age, &request), terms.Use(younger, &request)
		if use.Serves() && !before.Serves() {
			t.Errorf("%q serves %q at %d, but not at %d", answer, asked, age, younger)
		}
		if use.Serves() && (terms.AlwaysAsk || terms.NeverStale && age >= terms.Lifetime) {
			t.Errorf("%q serves %q at %d", answer, asked, age)
		}
		if use == UseFresh && age >= terms.Lifetime {
			t.Errorf("%q is fresh at %d", answer, age)
		}
		for _, failure := range []Failure{FailedToConnect, FailedByStatus} {
			late, early := terms.OnError(age, &request, failure, 10), terms.OnError(younger, &request, failure, 10)
			if late && !early {
				t.Errorf("%q helps %q at %d, but not at %d", answer, asked, age, younger)
			}
			if late && (terms.AlwaysAsk || terms.NeverStale && age >= terms.Lifetime) {
				t.Errorf("%q helps %q at %d", answer, asked, age)
			}
		}
	})
}

func TestUse_allocatesNothing(t *testing.T) {
	terms := fresh60(nil)
	request := None()
	if n := testing.AllocsPerRun(100, func() { terms.Use(60, &request); terms.OnError(60, &request, FailedToConnect, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
