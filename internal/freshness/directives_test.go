package freshness

import (
	"strings"
	"testing"
)

// said reads Cache-Control lines.
func said(lines ...string) Directives {
	d := None()
	for _, line := range lines {
		d.Add([]byte(line))
	}
	return d
}

// meaning returns the directives that differ from none as edit says.
func meaning(edit func(d *Directives)) Directives {
	d := None()
	edit(&d)
	return d
}

// RFC 9111, 5.2.1, 5.2.2 and 5.2.3; RFC 5861, 3 and 4.
func TestDirectives_areRead(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        func(d *Directives)
	}{
		{"5.2 nothing", "", func(*Directives) {}},
		{"5.2 empty elements", ", ,,", func(*Directives) {}},
		{"5.2.1.1 and 5.2.2.1 max-age", "max-age=60", func(d *Directives) { d.MaxAge = 60 }},
		{"5.2.1.2 max-stale", "max-stale=60", func(d *Directives) { d.MaxStale = 60 }},
		{"5.2.1.2 max-stale of any age", "max-stale", func(d *Directives) { d.MaxStale = farFuture }},
		{"5.2.1.3 min-fresh", "min-fresh=60", func(d *Directives) { d.MinFresh = 60 }},
		{"5.2.1.4 and 5.2.2.4 no-cache", "no-cache", func(d *Directives) { d.NoCache = true }},
		{"5.2.1.5 and 5.2.2.5 no-store", "no-store", func(d *Directives) { d.NoStore = true }},
		{"5.2.1.6 and 5.2.2.6 no-transform", "no-transform", func(*Directives) {}},
		{"5.2.1.7 only-if-cached", "only-if-cached", func(d *Directives) { d.OnlyIfCached = true }},
		{"5.2.2.2 must-revalidate", "must-revalidate", func(d *Directives) { d.MustRevalidate = true }},
		{"5.2.2.3 must-understand", "must-understand", func(d *Directives) { d.MustUnderstand = true }},
		{"5.2.2.7 private", "private", func(d *Directives) { d.Private = true }},
		{"5.2.2.8 proxy-revalidate", "proxy-revalidate", func(d *Directives) { d.ProxyRevalidate = true }},
		{"5.2.2.9 public", "public", func(d *Directives) { d.Public = true }},
		{"5.2.2.10 s-maxage", "s-maxage=60", func(d *Directives) { d.SharedMaxAge = 60 }},
		{"5861 3 stale-while-revalidate", "stale-while-revalidate=60", func(d *Directives) { d.StaleWhileRevalidate = 60 }},
		{"5861 4 stale-if-error", "stale-if-error=60", func(d *Directives) { d.StaleIfError = 60 }},
		{"5.2 names in any case", "MAX-age=60, No-Store", func(d *Directives) { d.MaxAge, d.NoStore = 60, true }},
		{"5.2 white space between elements", "\tmax-age=60 ,\tpublic ", func(d *Directives) { d.MaxAge, d.Public = 60, true }},
		{"5.2.3 what is not known", "immutable, foo=1, bar=\"2\", =, =3", func(*Directives) {}},
		{"5.2.3 a name that only begins like one", "max-age2=60, no-stores, xprivate", func(*Directives) {}},
		{"5.2.3 an extension's text is no directive", `ext="max-age=60, no-store, private"`, func(*Directives) {}},
		{"5.2.3 nor is it after an escaped quote", `ext="a\", no-store, b", public`, func(d *Directives) { d.Public = true }},
		{"5.2.3 an extension's text hides nothing before it", `max-age=60, ext="max-age=1"`, func(d *Directives) { d.MaxAge = 60 }},
		{"5.2.3 nor after it", `ext="max-age=1", max-age=60`, func(d *Directives) { d.MaxAge = 60 }},
		{"5.2 a flag with an argument is the flag", `no-store=1, public="", must-revalidate=x`,
			func(d *Directives) { d.NoStore, d.Public, d.MustRevalidate = true, true, true }},
		{"5.2 all together", "max-age=1,s-maxage=2,min-fresh=3,max-stale=4,stale-while-revalidate=5,stale-if-error=6",
			func(d *Directives) {
				*d = Directives{1, 2, 3, 4, 5, 6, false, false, false, false, false, false, false, false, false}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := said(c.value), meaning(c.want); got != want {
				t.Errorf("%q: %+v; want %+v", c.value, got, want)
			}
		})
	}
}

// RFC 9111, 1.2.2 (delta-seconds), 4.2.1 (what cannot be read is stale) and
// 5.2 (arguments).
func TestDirectives_readNumbers(t *testing.T) {
	for _, c := range []struct {
		name, argument string
		want           int64
	}{
		{"1.2.2 zero", "=0", 0},
		{"1.2.2 leading zeros", "=0060", 60},
		{"1.2.2 the largest", "=2147483648", farFuture},
		{"1.2.2 one too large", "=2147483649", farFuture},
		{"1.2.2 too large for 64 bits", "=9223372036854775808", farFuture},
		{"1.2.2 wraps around to 5", "=18446744073709551621", farFuture},
		{"1.2.2 a hundred digits", "=" + strings.Repeat("9", 100), farFuture},
		{"5.2 quoted", `="60"`, 60},
		{"4.2.1 nothing", "", 0},
		{"4.2.1 empty", "=", 0},
		{"4.2.1 empty in quotes", `=""`, 0},
		{"4.2.1 single quotes", "='60'", 0},
		{"4.2.1 a fraction", "=60.0", 0},
		{"4.2.1 a comma as the fraction's mark", "=60,5", 60}, // "5" is another directive
		{"4.2.1 an exponent", "=6e1", 0},
		{"4.2.1 negative", "=-60", 0},
		{"4.2.1 a plus", "=+60", 0},
		{"4.2.1 hexadecimal", "=0x3c", 0},
		{"4.2.1 letters", "=a", 0},
		{"4.2.1 letters behind", "=60a", 0},
		{"4.2.1 letters before", "=a60", 0},
		{"4.2.1 a word behind", "=60 s", 0},
		{"4.2.1 other digits", "=６０", 0},
		{"5.2 white space before =", " =60", 0},
		{"5.2 white space behind =", "= 60", 0},
		{"5.2 a tab behind =", "=\t60", 0},
		{"5.2 white space in quotes", `=" 60"`, 0},
		{"5.2 twice =", "==60", 0},
		{"5.2 never closed", `="60`, 0},
		{"5.2 never opened", `=60"`, 0},
		{"5.2 a quote alone", `="`, 0},
		{"5.2 the end is escaped", `="60\"`, 0},
		{"5.2 escaped digits", `="\6\0"`, 0},
		{"5.2 quotes with something behind", `="60"0`, 0},
		{"5.2 a parameter", "=60;a", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := said("max-age"+c.argument, "s-maxage"+c.argument, "stale-while-revalidate"+c.argument, "stale-if-error"+c.argument)
			if d.MaxAge != c.want || d.SharedMaxAge != c.want || d.StaleWhileRevalidate != c.want || d.StaleIfError != c.want {
				t.Errorf("%q: %+v; want %d", c.argument, d, c.want)
			}
			// A request's directive is at its strictest when it allows least.
			if c.argument == "" {
				return
			}
			if d := said("max-stale" + c.argument); d.MaxStale != c.want {
				t.Errorf("max-stale%s: %d; want %d", c.argument, d.MaxStale, c.want)
			}
		})
	}
}

// RFC 9111, 5.2.1.3: what cannot be read asks for more than any answer has.
func TestDirectives_readMinFreshAtItsStrictest(t *testing.T) {
	for value, want := range map[string]int64{
		"min-fresh=60": 60, `min-fresh="60"`: 60, "min-fresh=0": 0, "min-fresh=60, min-fresh=90, min-fresh=70": 90,
		"min-fresh": farFuture, "min-fresh=": farFuture, "min-fresh=a": farFuture, "min-fresh=-1": farFuture, "min-fresh= 60": farFuture,
		"min-fresh=60, min-fresh=x": farFuture, "min-fresh=99999999999999999999": farFuture,
	} {
		if d := said(value); d != meaning(func(d *Directives) { d.MinFresh = want }) {
			t.Errorf("%s: %+v; want %d", value, d, want)
		}
	}
}

// RFC 9111, 4.2.1: of several values the smaller counts, and a directive that
// forbids counts before one that allows.
func TestDirectives_thatConflictCountAtTheirStrictest(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  func(d *Directives)
	}{
		{"4.2.1 the same twice", []string{"max-age=60, max-age=60"}, func(d *Directives) { d.MaxAge = 60 }},
		{"4.2.1 the smaller behind", []string{"max-age=60, max-age=30"}, func(d *Directives) { d.MaxAge = 30 }},
		{"4.2.1 the smaller before", []string{"max-age=30, max-age=60"}, func(d *Directives) { d.MaxAge = 30 }},
		{"4.2.1 on two lines", []string{"max-age=30", "max-age=60"}, func(d *Directives) { d.MaxAge = 30 }},
		{"4.2.1 on two lines, turned", []string{"max-age=60", "max-age=30"}, func(d *Directives) { d.MaxAge = 30 }},
		{"4.2.1 one cannot be read", []string{"max-age=60, max-age=x"}, func(d *Directives) { d.MaxAge = 0 }},
		{"4.2.1 zero stays", []string{"max-age=0, max-age=60"}, func(d *Directives) { d.MaxAge = 0 }},
		{"4.2.1 s-maxage", []string{"s-maxage=60, s-maxage=30"}, func(d *Directives) { d.SharedMaxAge = 30 }},
		{"4.2.1 s-maxage and max-age are two things", []string{"max-age=30, s-maxage=60"},
			func(d *Directives) { d.MaxAge, d.SharedMaxAge = 30, 60 }},
		{"5861 3 the smaller window", []string{"stale-while-revalidate=60", "stale-while-revalidate=30"},
			func(d *Directives) { d.StaleWhileRevalidate = 30 }},
		{"5861 4 the smaller window", []string{"stale-if-error=60, stale-if-error=30"}, func(d *Directives) { d.StaleIfError = 30 }},
		{"5.2.1.2 max-stale with a bound and without", []string{"max-stale, max-stale=30"}, func(d *Directives) { d.MaxStale = 30 }},
		{"5.2.1.2 and turned", []string{"max-stale=30, max-stale"}, func(d *Directives) { d.MaxStale = 30 }},
		{"4.2.1 both are kept; who reads them prefers the strict", []string{"public, private, max-age=60", "no-store, no-cache"},
			func(d *Directives) { d.Public, d.Private, d.MaxAge, d.NoStore, d.NoCache = true, true, 60, true, true }},
		{"4.2.1 no-cache with names and without", []string{`no-cache="a"`, "no-cache"}, func(d *Directives) { d.NoCache, d.FieldsNamed = true, true }},
		{"4.2.1 private without names and with", []string{"private", "private=a"}, func(d *Directives) { d.Private, d.FieldsNamed = true, true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := said(c.lines...), meaning(c.want); got != want {
				t.Errorf("%q: %+v; want %+v", c.lines, got, want)
			}
		})
	}
}

// RFC 9111, 5.2.2.4 and 5.2.2.7: with names these concern the named fields
// alone. What names nothing that could be a field concerns everything.
func TestDirectives_limitWhatTheyName(t *testing.T) {
	for _, c := range []struct {
		name, argument string
		whole          bool
	}{
		{"5.2.2.4 no argument", ``, true},
		{"5.2.2.4 one name", `="Set-Cookie"`, false},
		{"5.2.2.4 several", `="Set-Cookie, X-User"`, false},
		{"5.2.2.4 empty elements between", `=" ,Set-Cookie,, X-User ,"`, false},
		{"5.2.2.4 a token", `=Set-Cookie`, false},
		{"5.2.2.4 whatever names are made of", `="aZ-Az_09."`, false},
		{"5.2.2.4 an empty argument", `=`, true},
		{"5.2.2.4 an empty list", `=""`, true},
		{"5.2.2.4 a list of nothing", `=" , ,"`, true},
		{"5.2.2.4 never closed", `="Set-Cookie`, true},
		{"5.2.2.4 closed by an escaped quote", `="Set-Cookie\"`, true},
		{"5.2.2.4 escaped", `="Set\-Cookie"`, true},
		{"5.2.2.4 a quote inside", `="Set-"Cookie"`, true},
		{"5.2.2.4 a quote before", `=""Set-Cookie"`, true},
		{"5.2.2.4 a backslash before", `="\Set-Cookie"`, true},
		{"5.2.2.4 quotes with something behind", `="Set-Cookie"x`, true},
		{"5.2.2.4 single quotes", `='Set-Cookie'`, true},
		{"5.2.2.4 an asterisk", `="*"`, true},
		{"5.2.2.4 words", `="set cookie"`, true},
		{"5.2.2.4 a name and words", `="Set-Cookie, and others"`, true},
		{"5.2 white space before =", ` ="Set-Cookie"`, true},
		{"5.2 white space behind =", `= "Set-Cookie"`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := said("no-cache" + c.argument); d != meaning(func(d *Directives) { d.NoCache, d.FieldsNamed = c.whole, !c.whole }) {
				t.Errorf("no-cache%s: %+v", c.argument, d)
			}
			if d := said("private" + c.argument); d != meaning(func(d *Directives) { d.Private, d.FieldsNamed = c.whole, !c.whole }) {
				t.Errorf("private%s: %+v", c.argument, d)
			}
		})
	}
}

// RFC 9111, 3.1, 5.2.2.4 and 5.2.2.7; RFC 9213, 2.2.
func TestNamed_findsWhatMustNotBeKept(t *testing.T) {
	for _, c := range []struct {
		name, answer, field string
		want                bool
	}{
		{"5.2.2.4 no-cache", `Cache-Control: no-cache="Set-Cookie"`, "Set-Cookie", true},
		{"5.2.2.7 private", `Cache-Control: private="Set-Cookie"`, "Set-Cookie", true},
		{"5.2.2.7 in any case", `Cache-Control: PRIVATE="set-COOKIE"`, "Set-Cookie", true},
		{"5.2.2.7 the second name", `Cache-Control: private="X-User ,Set-Cookie"`, "Set-Cookie", true},
		{"5.2.2.7 the second directive", `Cache-Control: no-cache="X-User", private="Set-Cookie"`, "Set-Cookie", true},
		{"5.2.2.7 the second line", "Cache-Control: no-cache=\"X-User\"\nCache-Control: private=\"Set-Cookie\"", "Set-Cookie", true},
		{"5.2.2.7 a token", `Cache-Control: private=Set-Cookie`, "Set-Cookie", true},
		{"5.2.2.7 another", `Cache-Control: private="X-User"`, "Set-Cookie", false},
		{"5.2.2.7 one that only begins like it", `Cache-Control: private="Set-Cookie2"`, "Set-Cookie", false},
		{"5.2.3 an extension's names", `Cache-Control: private="X-User", ext="Set-Cookie", ext2=Set-Cookie`, "Set-Cookie", false},
		{"9213 2.2 by the targeted field", "CDN-Cache-Control: max-age=1, private=\"Set-Cookie\"", "Set-Cookie", true},
		{"9213 2.2 the targeted field alone", "CDN-Cache-Control: private=\"X-User\"\nCache-Control: private=\"Set-Cookie\"", "Set-Cookie", false},
		{"9213 2.2 a targeted field that cannot be read", "CDN-Cache-Control: Private=\"X-User\"\nCache-Control: private=\"Set-Cookie\"", "Set-Cookie", true},
		{"9213 2.1 with parameters", `CDN-Cache-Control: private="Set-Cookie";a="x"`, "Set-Cookie", true},
		{"9213 2.1 in a parameter", `CDN-Cache-Control: private="X-User";no-cache="Set-Cookie"`, "Set-Cookie", false},
		{"9213 2.1 a token is the wrong type", `CDN-Cache-Control: private="X-User", no-cache=Set-Cookie`, "Set-Cookie", false},
		{"9651 3.2 the last of a repeated name", `CDN-Cache-Control: private="Set-Cookie", private="X-User"`, "Set-Cookie", false},
		{"9651 4.2 over two lines", "CDN-Cache-Control: no-cache=\"X-User\"\nCDN-Cache-Control: private=\"Set-Cookie\"", "Set-Cookie", true},
		{"nothing", "", "Set-Cookie", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Named(fields(c.answer), []byte(c.field)); got != c.want {
				t.Errorf("%q names %s: %v; want %v", c.answer, c.field, got, c.want)
			}
		})
	}
}

// RFC 9111, 5.2.1 (Cache-Control) and 5.4 (Pragma).
func TestRequest_readsPragmaOnlyWithoutCacheControl(t *testing.T) {
	noCache := meaning(func(d *Directives) { d.NoCache = true })
	for _, c := range []struct {
		name, request string
		want          Directives
	}{
		{"5.2.1 nothing", "", None()},
		{"5.2.1 one line", "Cache-Control: max-age=5, no-cache", meaning(func(d *Directives) { d.MaxAge, d.NoCache = 5, true })},
		{"5.2.1 several lines", "cache-control: max-age=5\nX: y\nCACHE-CONTROL: no-cache", meaning(func(d *Directives) { d.MaxAge, d.NoCache = 5, true })},
		{"5.2.1.4 no-cache has no names in a request", `Cache-Control: no-cache="Set-Cookie"`, meaning(func(d *Directives) { d.NoCache, d.FieldsNamed = true, true })},
		{"5.4 Pragma", "Pragma: no-cache", noCache},
		{"5.4 in any case", "Pragma: No-Cache", noCache},
		{"5.4 among others", `Pragma: foo="no-cache", bar,no-cache`, noCache},
		{"5.4 on the second line", "Pragma: foo\nPragma: no-cache", noCache},
		{"5.4 other pragmas", "Pragma: no-caches, no-cache=1, max-age=5, no-store", None()},
		{"5.4 in quotes", `Pragma: foo="x, no-cache"`, None()},
		{"5.4 Cache-Control counts", "Pragma: no-cache\nCache-Control: max-age=5", meaning(func(d *Directives) { d.MaxAge = 5 })},
		{"5.4 even when it says nothing", "Pragma: no-cache\nCache-Control:", None()},
		{"9213 2.2 targeted fields are for answers", "CDN-Cache-Control: no-cache", None()},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Request(fields(c.request)); got != c.want {
				t.Errorf("%q: %+v; want %+v", c.request, got, c.want)
			}
		})
	}
}

func TestRequest_withoutFieldsAllocatesNothing(t *testing.T) {
	request := fields("Host: a\nAccept: */*\nCookie: a=b")
	if n := testing.AllocsPerRun(100, func() { Request(request) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	request = fields("Host: a\nCache-Control: max-age=0, no-cache")
	if n := testing.AllocsPerRun(100, func() { Request(request) }); n != 0 {
		t.Errorf("%v allocations with Cache-Control", n)
	}
}

// Whatever follows or stands before it, a directive is seen; a value over two
// lines reads like one; reading twice changes nothing.
func FuzzDirectives(f *testing.F) {
	for _, seed := range []string{
		"max-age=60, s-maxage=5", `max-age="6\"0", no-store`, `private="`, `=,=;"`, `a="\`, `no-cache="a,b", ext="x, y"`, "min-fresh, max-stale",
	} {
		f.Add(seed, uint8(1))
	}
	f.Fuzz(func(t *testing.T, value string, at uint8) {
		once := said(value)
		if twice := said(value, value); once != twice {
			t.Errorf("%q: once %+v, twice %+v", value, once, twice)
		}
		if !said("no-store,"+value).NoStore || !said(value+",no-store").NoStore {
			t.Errorf("%q hides no-store", value)
		}
		for _, n := range []int64{once.MaxAge, once.SharedMaxAge, once.MinFresh, once.MaxStale, once.StaleWhileRevalidate, once.StaleIfError} {
			if n < -1 || n > farFuture {
				t.Errorf("%q: %+v", value, once)
			}
		}
		list := elements(value)
		if _, closed := elementEnd([]byte(value)); !closed || len(list) == 0 {
			return
		}
		cut := int(at) % (len(list) + 1)
		if parted := said(strings.Join(list[:cut], " ,"), strings.Join(list[cut:], ", ")); once != parted {
			t.Errorf("%q: %+v; over two lines %+v", value, once, parted)
		}
	})
}
