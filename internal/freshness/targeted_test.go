package freshness

import (
	"testing"

	"github.com/dunglas/httpsfv"
)

// RFC 9213, 2.1 and 2.2; RFC 9651.
func TestResponse_readsTheFirstTargetedFieldThatCounts(t *testing.T) {
	const control = "\nCache-Control: max-age=1"
	fallback := meaning(func(d *Directives) { d.MaxAge = 1 })
	empty := None()
	for _, c := range []struct {
		name, answer string
		targeted     bool
		want         Directives
	}{
		{"2.2 none", "", false, fallback},
		{"2.2 CDN-Cache-Control", "CDN-Cache-Control: max-age=60", true, meaning(func(d *Directives) { d.MaxAge = 60 })},
		{"2.2 its name in any case", "cdn-CACHE-control: max-age=60", true, meaning(func(d *Directives) { d.MaxAge = 60 })},
		{"2.2 our own comes first", "CDN-Cache-Control: max-age=60\nSeawall-CDN-Cache-Control: max-age=90", true, meaning(func(d *Directives) { d.MaxAge = 90 })},
		{"2.2 our own cannot be read", "CDN-Cache-Control: max-age=60\nSeawall-CDN-Cache-Control: max-age=", true, meaning(func(d *Directives) { d.MaxAge = 60 })},
		{"2.2 our own is empty", "CDN-Cache-Control: max-age=60\nSeawall-CDN-Cache-Control:", true, meaning(func(d *Directives) { d.MaxAge = 60 })},
		{"2.2 before Surrogate-Control", "Surrogate-Control: max-age=90\nCDN-Cache-Control: max-age=60", true, meaning(func(d *Directives) { d.MaxAge = 60 })},
		{"2.2 Surrogate-Control before Cache-Control", "Surrogate-Control: max-age=90", true, meaning(func(d *Directives) { d.MaxAge = 90 })},
		{"2.2 neither can be read", "Surrogate-Control: content=\"ESI/1.0\"\nCDN-Cache-Control: max-age=\nSeawall-CDN-Cache-Control: ,", false, fallback},
		{"2.2 a field of another network", "Example-CDN-Cache-Control: max-age=60", false, fallback},
		{"2.1 empty", "CDN-Cache-Control:", false, fallback},
		{"2.1 an upper-case key is no key", "CDN-Cache-Control: Max-Age=60", false, fallback},
		{"2.1 one bad member spoils all", "CDN-Cache-Control: max-age=60, no-store,", false, fallback},
		{"2.1 parted by semicolons", "CDN-Cache-Control: max-age=60; no-store", true, meaning(func(d *Directives) { d.MaxAge = 60 })},
		{"2.1 white space around =", "CDN-Cache-Control: max-age = 60", false, fallback},
		{"2.1 a string that is not closed", `CDN-Cache-Control: max-age=60, private="a`, false, fallback},
		{"2.1 a byte that is not ASCII", "CDN-Cache-Control: max-age=60, a=\"\xe4\"", false, fallback},
		{"2.1 unknown members alone", "CDN-Cache-Control: none", true, empty},
		{"2.1 unknown members of every type", `CDN-Cache-Control: a=1, b=1.5, c="x", d=tok, e=:eA==:, f=?0, g=@1, h=%"x", i=(1 2), max-age=60`, true,
			meaning(func(d *Directives) { d.MaxAge = 60 })},
		{"2.1 parameters mean nothing", `CDN-Cache-Control: max-age=60;a;b="max-age=1", no-store;c=?0`, true,
			meaning(func(d *Directives) { d.MaxAge, d.NoStore = 60, true })},
		{"2.1 several lines", "CDN-Cache-Control: max-age=60\nCDN-Cache-Control: private", true, meaning(func(d *Directives) { d.MaxAge, d.Private = 60, true })},
		{"2.1 a line that spoils the others", "CDN-Cache-Control: max-age=60\nCDN-Cache-Control: =", false, fallback},
		{"9651 3.2 the last of a repeated name", "CDN-Cache-Control: max-age=60, max-age=90", true, meaning(func(d *Directives) { d.MaxAge = 90 })},
		{"2.1 every flag", "CDN-Cache-Control: no-store, no-cache, private, public, must-revalidate, proxy-revalidate, must-understand", true,
			meaning(func(d *Directives) {
				d.NoStore, d.NoCache, d.Private, d.Public, d.MustRevalidate, d.ProxyRevalidate, d.MustUnderstand = true, true, true, true, true, true, true
			})},
		{"2.1 every number", "CDN-Cache-Control: max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4", true,
			meaning(func(d *Directives) { d.MaxAge, d.SharedMaxAge, d.StaleWhileRevalidate, d.StaleIfError = 1, 2, 3, 4 })},
		{"2.1 true written out", "CDN-Cache-Control: no-store=?1", true, meaning(func(d *Directives) { d.NoStore = true })},
		{"2.1 false", "CDN-Cache-Control: no-store=?0", true, empty},
		{"2.1 no-store as an integer", "CDN-Cache-Control: no-store=1", true, empty},
		{"2.1 no-store as a string", `CDN-Cache-Control: no-store="x"`, true, empty},
		{"2.1 a number as a flag", "CDN-Cache-Control: max-age, s-maxage, stale-while-revalidate, stale-if-error", true, empty},
		{"2.1 a number as a decimal", "CDN-Cache-Control: max-age=60.0", true, empty},
		{"2.1 a number as a string", `CDN-Cache-Control: max-age="60"`, true, empty},
		{"2.1 a number as a token", "CDN-Cache-Control: max-age=a60", true, empty},
		{"2.1 a number as a list", "CDN-Cache-Control: max-age=(60)", true, empty},
		{"9111 1.2.2 negative", "CDN-Cache-Control: max-age=-60", true, meaning(func(d *Directives) { d.MaxAge = 0 })},
		{"9111 1.2.2 large", "CDN-Cache-Control: max-age=999999999999999", true, meaning(func(d *Directives) { d.MaxAge = farFuture })},
		{"9651 3.3.1 more digits than an integer has", "CDN-Cache-Control: max-age=1000000000000000", false, fallback},
		{"2.1 no-cache with names", `CDN-Cache-Control: no-cache="a, b"`, true, meaning(func(d *Directives) { d.FieldsNamed = true })},
		{"2.1 private with names", `CDN-Cache-Control: private="a"`, true, meaning(func(d *Directives) { d.FieldsNamed = true })},
		{"2.1 no-cache without a name", `CDN-Cache-Control: no-cache=""`, true, meaning(func(d *Directives) { d.NoCache = true })},
		{"2.1 private with what is no name", `CDN-Cache-Control: private="a\"b"`, true, meaning(func(d *Directives) { d.Private = true })},
		{"2.1 no-cache as a token", "CDN-Cache-Control: no-cache=a", true, empty},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d, targeted := Response(fields(c.answer + control)); d != c.want || targeted != c.targeted {
				t.Errorf("%q: %+v, targeted %v; want %+v, %v", c.answer, d, targeted, c.want, c.targeted)
			}
		})
	}
}

// W3C Note edge-arch, 2.2 (Surrogate-Control) and 3 (its targets).
func TestResponse_readsSurrogateControl(t *testing.T) {
	const control = "\nCache-Control: private"
	age := func(seconds int64) Directives { return meaning(func(d *Directives) { d.MaxAge = seconds }) }
	noStore := meaning(func(d *Directives) { d.NoStore = true })
	for _, c := range []struct {
		name, value string
		want        Directives // None: it does not count
	}{
		{"2.2 max-age", "max-age=60", age(60)},
		{"2.2 in any case", "MAX-AGE=60", age(60)},
		{"2.2 max-age with what may be served stale", "max-age=10+20", age(10)},
		{"2.2 the same in quotes", `max-age="10+20"`, age(10)},
		{"2.2 nothing before +", "max-age=+20", age(0)},
		{"2.2 no number", "max-age=x", age(0)},
		{"2.2 negative", "max-age=-1", age(0)},
		{"2.2 huge", "max-age=99999999999999999999", age(farFuture)},
		{"2.2 no-store", "no-store", noStore},
		{"2.2 no-store-remote", "no-store-remote", noStore},
		{"2.2 of several the smaller", "max-age=60, max-age=30", age(30)},
		{"2.2 both", "no-store, max-age=60", meaning(func(d *Directives) { d.MaxAge, d.NoStore = 60, true })},
		{"2.2 content alone", `content="ESI/1.0"`, None()},
		{"2.2 content besides", `max-age=60, content="ESI/1.0 no-store, max-age=1"`, age(60)},
		{"2.2 directives it does not have", "private, no-cache, s-maxage=60", None()},
		{"2.2 empty", "", None()},
		{"3 for us", "max-age=60;seawall", age(60)},
		{"3 for us, in any case and with white space", "max-age=60 ; SeaWall", age(60)},
		{"3 for another", "max-age=60;abc", None()},
		{"3 no-store for another", "no-store;abc, max-age=60", age(60)},
		{"3 for one whose name begins like ours", "max-age=60;seawall2", None()},
		{"3 for nobody", "max-age=60;", None()},
		{"3 no-store for us before max-age for all", "max-age=60, no-store;seawall", noStore},
		{"3 max-age for us before no-store for all", "no-store, max-age=60;seawall", age(60)},
		{"3 the longer for us before the shorter for all", "max-age=600, max-age=3600;seawall", age(3600)},
		{"3 in any order", "max-age=3600;seawall, max-age=600", age(3600)},
		{"3 what is for us and unknown does not hide what is for all", "foo;seawall, max-age=60", age(60)},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, targeted := Response(fields("Surrogate-Control: " + c.value + control))
			if c.want == None() {
				if targeted || !d.Private {
					t.Errorf("%q counts: %+v", c.value, d)
				}
				return
			}
			if !targeted || d != c.want {
				t.Errorf("%q: %+v, targeted %v; want %+v", c.value, d, targeted, c.want)
			}
		})
	}
	d, targeted := Response(fields("Surrogate-Control: max-age=60\nSurrogate-Control: max-age=30, no-store;abc"))
	if !targeted || d != age(30) {
		t.Errorf("on two lines: %+v, %v", d, targeted)
	}
}

// RFC 9111, 5.4: what Pragma means in an answer was never said.
func TestResponse_readsNoPragma(t *testing.T) {
	if d, targeted := Response(fields("Pragma: no-cache")); d != None() || targeted {
		t.Errorf("%+v, %v", d, targeted)
	}
}

// A targeted field counts when it is a dictionary with members, whole or not
// at all, and then nothing of Cache-Control does.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{"max-age=60, no-store", `no-cache="a";b`, "max-age=1.5", "a=(1 2);b", "Max-Age=1", "max-age=-999999999999999", `private="a\\", x=%"a"`, ","} {
		f.Add(seed, "private, max-age=5")
	}
	f.Fuzz(func(t *testing.T, target, value string) {
		answer := add(add(fields(""), "CDN-Cache-Control", target), "Cache-Control", value)
		dictionary, err := httpsfv.UnmarshalDictionary([]string{target})
		counts := err == nil && len(dictionary.Names()) > 0
		d, targeted := Response(answer)
		if targeted != counts {
			t.Fatalf("%q counts: %v", target, targeted)
		}
		if !targeted {
			if d != said(value) {
				t.Errorf("%q, %q: %+v", target, value, d)
			}
			return
		}
		for _, n := range []int64{d.MaxAge, d.SharedMaxAge, d.StaleWhileRevalidate, d.StaleIfError} {
			if n < -1 || n > farFuture {
				t.Errorf("%q: %+v", target, d)
			}
		}
		if Named(answer, []byte("Set-Cookie")) && !d.FieldsNamed && !d.NoCache && !d.Private {
			t.Errorf("%q names a field, but says %+v", target, d)
		}
	})
}
