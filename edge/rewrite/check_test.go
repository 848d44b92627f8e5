package rewrite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

func TestCheck_findsCirclesAndWaysWithoutEnd(t *testing.T) {
	one := func(from, to string) spec.RedirectsSpec {
		return spec.RedirectsSpec{Rules: []spec.RedirectSpec{{From: from, To: to}}}
	}
	for name, c := range map[string]struct {
		redirects spec.RedirectsSpec
		want      string // part of the only mistake; empty: none
	}{
		"a way that ends":           {one("/a", "/b"), ""},
		"to itself":                 {one("/a", "/a"), "redirects.rules[0].to: it goes round in a circle: http://one.test/a -> http://one.test/a"},
		"to itself by its host":     {one("/a", "http://one.test/a"), "in a circle"},
		"to another site":           {one("/a", "http://two.test/a"), ""},
		"to itself by https":        {one("/a", "https://one.test/a"), "in a circle"},
		"everything to one page":    {one("", "/closed"), "in a circle"},
		"all below to all below":    {one("/a/*", "/a/b/$1"), "it does not end: http://one.test/a/x -> http://one.test/a/b/x -> http://one.test/a/b/b/x and so on"},
		"by an expression":          {one("~^/p/([0-9]+)$", "/p/0$1"), "does not end"},
		"an expression with an end": {one("~^/p/([0-9])$", "/p/0$1"), ""},
		"through another rule": {spec.RedirectsSpec{Rules: []spec.RedirectSpec{{From: "/a", To: "/b"}, {From: "/b", To: "/a"}}},
			"redirects.rules[0].to: it goes round in a circle: http://one.test/a -> http://one.test/b -> http://one.test/a|redirects.rules[1].to"},
		"but for some only": {spec.RedirectsSpec{Rules: []spec.RedirectSpec{{From: "/a", To: "/a?x", When: spec.ConditionSpec{Header: []string{"X-A"}}}}}, ""},
		"the query ends it": {spec.RedirectsSpec{Rules: []spec.RedirectSpec{{From: "/a", To: "/a?x=1", When: spec.ConditionSpec{Not: []spec.ConditionSpec{{Query: []string{"x"}}}}}}}, ""},
		"a rule against a slash": {spec.RedirectsSpec{TrailingSlash: "add", Rules: []spec.RedirectSpec{{From: "/a/", To: "/a"}}},
			"http://one.test/a/ -> http://one.test/a -> http://one.test/a/"},
		"a list":                {spec.RedirectsSpec{Lists: []spec.RedirectListSpec{{Entries: []string{"/a /b", "/b /c", "/c /b"}}}}, "redirects.lists[0]: it goes round in a circle|redirects.lists[0]|redirects.lists[0]"},
		"https and a rule back": {spec.RedirectsSpec{HTTPS: true, Rules: []spec.RedirectSpec{{From: "/a", To: "http://one.test/a"}}}, "in a circle"},
	} {
		t.Run(name, func(t *testing.T) {
			got := checkRedirects(c.redirects, []string{"one.test"}, nil)
			var wants []string
			if c.want != "" {
				wants = strings.Split(c.want, "|")
			}
			if len(got) != len(wants) {
				t.Fatalf("%d mistakes: %v", len(got), got)
			}
			for i, want := range wants {
				if !strings.Contains(got[i].String(), want) {
					t.Errorf("%s, want %s", got[i], want)
				}
			}
		})
	}
}

// What a visitor sends must never become a part of the host.
func TestCheck_refusesDestinationsThatVisitorsCouldChoose(t *testing.T) {
	for to, want := range map[string]string{
		"/b": "", "/b/$1": "", "/$1": "", "https://two.test": "", "https://two.test/$1": "", "https://two.test/?q=$1": "", "https://${host}/b": "", "https://${host}": "", "${path}": "in a circle",
		"//two.test/":            "an address without a scheme",
		"https://two.test$1":     "could become a part of the host",
		"https://$1":             "the host is missing",
		"https://$1/":            "the host is missing",
		"https://${path}":        "the host is missing",
		"https://${host}$1":      "must begin with a slash",
		"https://u:p@two.test/":  "an address with a user",
		"https:///b":             "the host is missing",
		"$1":                     "is needed",
		"javascript:alert(1)":    "is needed",
		"b":                      "is needed",
		"/b c":                   `" " cannot stand in an address`,
		"/b\\c":                  "cannot stand in an address",
		"/b\r\nX: y":             "cannot stand in an address",
		"/$2":                    "$2: there are only 1 stars",
		"/${nothing}":            "${nothing} stands for nothing; there are host, path",
		"/${host":                "${ without a }",
		"https://two.test?$1":    "",
		"https://two.test/$$1":   "",
		"HTTPS://two.test/a/$1#": "",
	} {
		got := checkRedirects(spec.RedirectsSpec{Rules: []spec.RedirectSpec{{From: "/a/*", To: to}}}, []string{"one.test"}, nil)
		switch {
		case want == "" && len(got) > 0:
			t.Errorf("%s: %v", to, got)
		case want != "" && (len(got) != 1 || !strings.Contains(got[0].Text, want) || got[0].Path != "redirects.rules[0].to"):
			t.Errorf("%s: %v, want %s", to, got, want)
		}
	}
}

func TestCheck_namesTheLineOfAList(t *testing.T) {
	for text, want := range map[string]string{
		"/a /b\n/c":             `line 2: "/c" is not an entry`,
		"/a /b 200":             "line 1: 200 is no redirect",
		"/a /b x":               `line 1: "x" is not a status`,
		"# moved\n/a* /b":       `line 2: "/a*" is not an exact path`,
		"a /b":                  `line 1: "a" is not an exact path`,
		"/a /b\n/c /d\n/a /e":   "line 3: /a is sent elsewhere already (line 1)",
		"/a //two.test/":        "an address without a scheme",
		"/a%zz /b":              "invalid URL escape",
		"/a /b # why\n/c /d#to": "",
	} {
		got := checkRedirects(spec.RedirectsSpec{Lists: []spec.RedirectListSpec{{Text: text}}}, []string{"one.test"}, nil)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0].Text, want)) {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
	}
}

func TestCheck_refusesFieldsThatFrameTheMessage(t *testing.T) {
	z := spec.ZoneSpec{}
	for _, name := range []string{"Content-Length", "transfer-encoding", "Connection", "Host", "Age", "Cache-Status", "Content-Encoding", "Range", "If-None-Match", "Seawall-Key", "a b", ""} {
		z.Rewrite.Answers = append(z.Rewrite.Answers, spec.AnswerRewriteSpec{Fields: spec.FieldsSpec{Remove: []string{name}}}, spec.AnswerRewriteSpec{Fields: spec.FieldsSpec{Set: []string{name + ": x"}}})
	}
	z.Rewrite.Requests = []spec.RequestRewriteSpec{{Fields: spec.FieldsSpec{Add: []string{"X-A: a\nX-B: b"}}}, {Fields: spec.FieldsSpec{Set: []string{"X-A"}}}, {From: "/a", To: "b"}, {Query: []string{"x"}}}
	if got := Check(z, nil); len(got) != len(z.Rewrite.Answers)+len(z.Rewrite.Requests) {
		t.Errorf("%d mistakes of %d:\n%v", len(got), len(z.Rewrite.Answers)+len(z.Rewrite.Requests), got)
	}
}

// FuzzFind sends whatever a visitor could ask through whatever a rule could
// say. The host stays the rule's, and the address is one line.
func FuzzFind(f *testing.F) {
	f.Add("/a*", "/$1", "/a//evil.test", "?x")
	f.Add("*", "https://two.test/?q=$1&p=${path}#x", "/%0d%0aX: y", "?a#b")
	f.Add("~^/(.)(.*)$", "/$2$1", "/\\evil.test", "")
	f.Fuzz(func(t *testing.T, from, to, path, query string) {
		s := spec.RedirectsSpec{Rules: []spec.RedirectSpec{{From: from, To: to}}}
		r, err := NewRedirects(s, []string{"one.test"}, nil)
		if err != nil || strings.ContainsFunc(query, func(r rune) bool { return r <= 0x20 || r >= 0x7f || r == 0x23 || r == 0x5c }) {
			return
		}
		found := r.Find(nil, &rule.Facts{Host: []byte("one.test"), Path: []byte(path), Target: []byte("/?" + query), Method: []byte("GET"), Fields: &wire.Fields{}}, []byte("one.test"))
		if found == nil {
			return
		}
		location := string(found.Location)
		if strings.ContainsAny(location, "\r\n\x00 \\") {
			t.Fatalf("%q", location)
		}
		fixed := to
		if i := strings.IndexByte(to, '$'); i >= 0 {
			fixed = to[:i]
		}
		fixed, _, _ = strings.Cut(fixed, "#")
		if strings.HasPrefix(to, "/") && (location == "" || location[0] != '/' || len(location) > 1 && location[1] == '/') {
			t.Fatalf("%q leads to another host: %q", to, location)
		}
		if !strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "${path}") && !strings.HasPrefix(strings.ToLower(location), strings.ToLower(fixed)) {
			t.Fatalf("%q does not begin with %q", location, fixed)
		}
	})
}

func BenchmarkFind_aHundredThousand(b *testing.B) {
	var text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&text, "/old/%d/page.html /new/%d\n", i, i)
	}
	r, err := NewRedirects(spec.RedirectsSpec{Lists: []spec.RedirectListSpec{{Text: text.String()}}}, []string{"one.test"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	f := &rule.Facts{Host: []byte("one.test"), Path: []byte("/products/chair"), Target: []byte("/products/chair"), Method: []byte("GET"), Fields: &wire.Fields{}}
	b.ReportAllocs()
	for b.Loop() {
		if r.Find(nil, f, f.Host) != nil {
			b.Fatal("found")
		}
	}
}
