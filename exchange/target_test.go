package exchange

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall"
)

func TestSetTarget_hasOneFormForOriginAndKeyAndOneForMatching(t *testing.T) {
	for _, c := range []struct{ raw, target, path string }{
		{"/", "/", "/"},
		{"/a/b?c=d", "/a/b?c=d", "/a/b"},
		{"/%7euser/%2f", "/~user/%2F", "/~user/"},
		{"/%41%2d%5f", "/A-_", "/A-_"},
		{"/a%20b", "/a%20b", "/a b"},
		{"/a/./b", "/a/./b", "/a/b"},
		{"/a/../b", "/a/../b", "/b"},
		{"/a/b/..", "/a/b/..", "/a/"},
		{"/a/%2e%2e/b", "/a/../b", "/b"},
		{"/a//b///c", "/a//b///c", "/a/b/c"},
		{"/a%2fb", "/a%2Fb", "/a/b"},
		{"/a%5cb\\c", "/a%5Cb\\c", "/a/b/c"},
		{"/a/.", "/a/.", "/a/"},
		{"/.well-known/x", "/.well-known/x", "/.well-known/x"},
		{"/a/..b/...", "/a/..b/...", "/a/..b/..."},
		{"/?q=/../%2e%2E//", "/?q=/../..//", "/"},
		{"/?q=100%", "/?q=100%", "/"},
		{"/?q=%zz%4", "/?q=%zz%4", "/"},
		{"/?%7%30", "/?%7%30", "/"},
		{"/?info=%00%ff", "/?info=%00%FF", "/"},
		{"/%C3%a4", "/%C3%A4", "/\xc3\xa4"},
		{"/a;b=c/d", "/a;b=c/d", "/a;b=c/d"},
	} {
		var x Exchange
		if reason := x.SetTarget([]byte(c.raw)); reason != seawall.ReasonNone {
			t.Errorf("%s: refused: %s", c.raw, reason)
			continue
		}
		if string(x.Target) != c.target || string(x.Path) != c.path {
			t.Errorf("%s: target %q, path %q; want %q, %q", c.raw, x.Target, x.Path, c.target, c.path)
		}
	}
}

func TestSetTarget_refusesToClimbAndToEndStrings(t *testing.T) {
	for raw, want := range map[string]seawall.Reason{
		"":                   seawall.ReasonTarget,
		"a":                  seawall.ReasonTarget,
		"*":                  seawall.ReasonTarget,
		"/%":                 seawall.ReasonTarget,
		"/%4":                seawall.ReasonTarget,
		"/%zz":               seawall.ReasonTarget,
		"/..":                seawall.ReasonTargetClimbs,
		"/../etc/passwd":     seawall.ReasonTargetClimbs,
		"/a/../../b":         seawall.ReasonTargetClimbs,
		"/a/%2e%2e/%2E%2e/x": seawall.ReasonTargetClimbs,
		"/..%2f":             seawall.ReasonTargetClimbs,
		"/a%2f..%2f..%2fb":   seawall.ReasonTargetClimbs,
		"/..\\x":             seawall.ReasonTargetClimbs,
		"//..":               seawall.ReasonTargetClimbs,
		"/a/./../..":         seawall.ReasonTargetClimbs,
		"/a%00":              seawall.ReasonTargetEnds,
		"/a%00.jpg?b":        seawall.ReasonTargetEnds,
	} {
		var x Exchange
		if reason := x.SetTarget([]byte(raw)); reason != want {
			t.Errorf("%q: %s; want %s", raw, reason, want)
		}
	}
}

// The normaliser is idempotent, its short cut agrees with the long way, the
// path never climbs, and net/url decodes to the same text.
func FuzzTarget_isItsOwnCanonicalForm(f *testing.F) {
	for _, seed := range []string{"/", "/a/../b?c", "/%2e%2e/%2F//%7E", "/a\\..\\b", "/?%00", "/a/.../..;/x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, c := range raw {
			if c <= ' ' || c >= 0x7f || c == '#' {
				return // the parser lets no such byte through
			}
		}
		var x Exchange
		if x.SetTarget(raw) != seawall.ReasonNone {
			return
		}
		target, matched := string(x.Target), string(x.Path)
		if isPlainTarget(raw) {
			long, reason := appendTarget(nil, raw)
			if reason != seawall.ReasonNone || string(long) != target {
				t.Fatalf("%q: short cut %q, long way %q", raw, target, long)
			}
			before, _, _ := strings.Cut(string(long), "?")
			if slow, _ := appendPath(nil, []byte(before)); string(slow) != matched {
				t.Fatalf("%q: short cut path %q, long way %q", raw, matched, slow)
			}
		}
		var again Exchange
		if reason := again.SetTarget([]byte(target)); reason != seawall.ReasonNone || string(again.Target) != target || string(again.Path) != matched {
			t.Fatalf("%q: second pass makes %q, %q (%s) of %q, %q", raw, again.Target, again.Path, reason, target, matched)
		}
		if matched == "" || matched[0] != '/' || strings.Contains(matched, "//") {
			t.Fatalf("%q: path %q", raw, matched)
		}
		for _, segment := range strings.Split(matched, "/") {
			if segment == ".." || segment == "." {
				t.Fatalf("%q: path %q has a dot segment", raw, matched)
			}
		}
		before, _, _ := strings.Cut(string(raw), "?")
		decoded, err := url.PathUnescape(before)
		if err != nil {
			t.Fatalf("%q: accepted, but net/url says %v", raw, err)
		}
		if want := path.Clean(strings.ReplaceAll(decoded, "\\", "/")); want != strings.TrimSuffix(matched, "/") && want != matched {
			t.Fatalf("%q: path %q; cleaned by the standard library %q", raw, matched, want)
		}
	})
}

// What an origin may read otherwise than the edge is known to be so.
func TestTarget_isAmbiguousWhereReadersDisagree(t *testing.T) {
	for target, want := range map[string]string{ // the path with nothing resolved; empty: the same as Path
		"/a/b?c": "", "/a%20b": "", "/%61/b": "", "/a.b/..c": "", "/a?b/../c%2Fd": "",
		"/a/../b": "/a/../b", "/a/./b": "/a/./b", "//a": "//a", "/a%2fb": "/a%2Fb", "/a%2F..%2Fb": "/a%2F..%2Fb", "/a%5Cb": `/a\b`, `/a\b`: `/a\b`, "/a/%2e%2e/b": "/a/../b",
	} {
		var x Exchange
		if reason := x.SetTarget([]byte(target)); reason != seawall.ReasonNone {
			t.Fatalf("%s: %v", target, reason)
		}
		if want == "" {
			want = string(x.Path)
		}
		if string(x.Decoded) != want || x.Ambiguous() != (want != string(x.Path)) {
			t.Errorf("%s: %q beside %q, ambiguous %v", target, x.Decoded, x.Path, x.Ambiguous())
		}
	}
}
