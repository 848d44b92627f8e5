package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestPattern_matches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"/about", "/about", true},
		{"/about", "/about/", false},
		{"/about", "/About", false},
		{"", "", true},
		{"", "x", false},
		{"*", "", true},
		{"*", "anything", true},
		{"**", "", true},
		{"/assets/*", "/assets/", true},
		{"/assets/*", "/assets/a/b.css", true},
		{"/assets/*", "/assets", false},
		{"*.css", "/a.css", true},
		{"*.css", ".css", true},
		{"*.css", "/a.css.map", false},
		{"*admin*", "/wp-admin/x", true},
		{"*admin*", "admin", true},
		{"*admin*", "/adm/in", false},
		{"/a/*/c", "/a/b/c", true},
		{"/a/*/c", "/a//c", true},
		{"/a/*/c", "/a/c", false},
		{"/a/*/c", "/a/b/c/c", true},
		{"a*b*c", "abc", true},
		{"a*b*c", "acbc", true},
		{"a*b*c", "acb", false},
		{"aa*aa", "aaa", false}, // the ends may not share a character
		{"aa*aa", "aaaa", true},
		{"*a*b", "xaxb", true},
		{"a**b", "ab", true},
		{`/\*`, "/*", true},
		{`/\*`, "/x", false},
		{`\~x`, "~x", true},
		{`\\`, `\`, true},
		{"~^/v[0-9]+/", "/v12/x", true},
		{"~^/v[0-9]+/", "/x/v12/", false},
		{"~a|b", "xbx", true},
		{"~(?i)admin", "/ADMIN", true},
		{"/é", "/é", true},
	} {
		p, err := Parse(c.pattern, false)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.Match([]byte(c.text)); got != c.want {
			t.Errorf("%s matches %q: %v", c.pattern, c.text, got)
		}
		if _, got := p.Captures(nil, []byte(c.text)); got != c.want {
			t.Errorf("%s captures of %q: %v", c.pattern, c.text, got)
		}
		if p.String() != c.pattern {
			t.Errorf("%s is written %s", c.pattern, p)
		}
	}
}

func TestPattern_foldsLettersOfASCII(t *testing.T) {
	for pattern, texts := range map[string][]string{
		"*BOT*":        {"googlebot", "GoogleBot/2.1", "bOt"},
		"Mozilla*":     {"mozilla/5.0", "MOZILLA"},
		"*Safari":      {"xSAFARI"},
		"curl":         {"CURL"},
		"a*B*c":        {"AxbxC"},
		"~curl|wget":   {"Wget/1", "CURL"},
		"~^x[a-c]y$":   {"XBY"},
		"~(?-i:x)y":    {"xY"},
		"~^(?i:a)(b)$": {"AB"},
	} {
		p, err := Parse(pattern, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if !p.Match([]byte(text)) {
				t.Errorf("%s does not match %q", pattern, text)
			}
		}
		if p.Match([]byte("-")) {
			t.Errorf("%s matches -", pattern)
		}
	}
	if p, _ := Parse("~(?-i:x)y", true); p.Match([]byte("Xy")) {
		t.Error("an expression's own flags do not count")
	}
	if p, _ := Parse("K", true); p.Match([]byte("\u212a")) {
		t.Error("the Kelvin sign is taken for a K")
	}
}

func TestParse_saysWhereTheMistakeIs(t *testing.T) {
	for pattern, want := range map[string]string{
		`a\`:                            `a backslash at the end; write \\ for one that is meant (at character 2)`,
		"a\nb":                          "a control character, which no request can have (at character 2)",
		"a\x00":                         "a control character, which no request can have (at character 2)",
		"~":                             "an empty expression",
		"~a(b":                          "missing closing ): \"a(b\" (at character 2)",
		"~a[z-a]b":                      "invalid character class range: \"z-a\" (at character 4)",
		"~(?<n>a)(?=b)":                 "invalid or unsupported Perl syntax: \"(?=\" (at character 9)",
		`~(a)\1`:                        `invalid escape sequence: "\\1" (at character 5)`,
		"~a{1001}":                      "invalid repeat count",
		"~(a{100}){100}":                "invalid repeat count",
		"~(?:a{30}b){30}(?:c{30}d){30}": "unfolds to",
		"~" + strings.Repeat("(", 500):  "missing closing )",
		strings.Repeat("a", 1025):       "the pattern has 1025 bytes, more than 1024",
		strings.Repeat("*a", 17):        "17 stars, more than 16",
	} {
		_, err := Parse(pattern, false)
		var mistake *Mistake
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", pattern, err, want)
		}
	}
}

func TestCaptures_areWhatStarsAndGroupsStandFor(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"/blog/*", "/blog/a/b", "[a/b]"},
		{"*.html", "/a.html", "[/a]"},
		{"/a/*/b/*", "/a/1/b/2/3", "[1 2/3]"},
		{"/a/*/b/*.gif", "/a/1/b/2.gif", "[1 2]"},
		{"*x*", "axb", "[a b]"},
		{"*", "abc", "[abc]"},
		{"/a", "/a", "[]"},
		{"~^/([0-9]+)/(?:x|y)/(.*)$", "/12/x/z", "[12 z]"},
		{"~^/(a)|(b)$", "/b", "[ b]"},
	} {
		p, err := Parse(c.pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.Captures(nil, []byte(c.text))
		if !ok || fmt.Sprintf("%s", got) != c.want {
			t.Errorf("%s of %s: %s, want %s", c.pattern, c.text, got, c.want)
		}
		if count, _ := p.Groups(); count != len(got) {
			t.Errorf("%s has %d groups and gives %d", c.pattern, count, len(got))
		}
	}
	p, err := Parse("~^/(?P<year>[0-9]+)/(?P<name>.*)", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, names := p.Groups(); names["year"] != 0 || names["name"] != 1 || len(names) != 2 {
		t.Errorf("names: %v", names)
	}
}

func TestParseNamed_readsFieldsAsTheyAreWritten(t *testing.T) {
	for _, c := range []struct{ text, name, value string }{
		{"User-Agent: *bot*", "User-Agent", "*bot*"},
		{"X-A:b", "X-A", "b"},
		{"X-A", "X-A", "*"},
		{"X-A:", "X-A", ""},
		{"X-A: a: b", "X-A", "a: b"},
	} {
		name, value, err := ParseNamed(c.text, ':', true)
		if err != nil || name != c.name || value.String() != c.value {
			t.Errorf("%q: %s, %s, %v", c.text, name, value, err)
		}
	}
	for text, want := range map[string]string{
		"": "there is no name (at character 1)", ": x": "there is no name", "a b: c": "(at character 2)", "X-A: ~a(": "missing closing ): \"a(\" (at character 7)",
	} {
		if _, _, err := ParseNamed(text, ':', true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// What must be in every match is looked for first; it must really be in every one.
func TestRequired_isInEveryMatch(t *testing.T) {
	for expression, want := range map[string]string{
		"^/v[0-9]+/": "/v", "abc": "abc", "a|b": "", "(abc)+d": "abc", "(abc)*d": "d", "(?i)abc": "", "x(abc){2,3}": "abc", "a?bc": "bc", ".*\\.php$": ".php",
	} {
		p, err := Parse("~"+expression, false)
		if err != nil {
			t.Fatal(err)
		}
		if string(p.must) != want {
			t.Errorf("%s: %q, want %q", expression, p.must, want)
		}
	}
}

// Regular expressions keep their memory in a sync.Pool: see underRace.
func TestMatch_allocatesNothing(t *testing.T) {
	text := []byte("/assets/a/b/c.css")
	for _, pattern := range []string{"/assets/a/b/c.css", "/assets/*", "*.css", "*a/b*", "/a*/*/c*", "~^/assets/.*\\.css$", "~(?i)B/C"} {
		p, err := Parse(pattern, true)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { p.Match(text) }); n != 0 && !(underRace && pattern[0] == '~') {
			t.Errorf("%s: %v allocations", pattern, n)
		}
	}
}

// FuzzParse compares with the regular expression that says the same.
func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{{"/a/*/c", "/a/b/c"}, {"*x*y*", "axbyc"}, {`\**\\`, `*a\`}, {"~^a+$", "aaa"}, {"aa*aa", "aaa"}} {
		f.Add(seed[0], seed[1], false)
		f.Add(seed[0], seed[1], true)
	}
	f.Fuzz(func(t *testing.T, text, subject string, fold bool) {
		p, err := Parse(text, fold)
		if err != nil {
			var mistake *Mistake
			if !errors.As(err, &mistake) || mistake.At < 0 || mistake.At > len(text) {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		got := p.Match([]byte(subject))
		if _, captured := p.Captures(nil, []byte(subject)); captured != got {
			t.Fatalf("%q of %q: matches %v, captures %v", text, subject, got, captured)
		}
		if strings.HasPrefix(text, "~") {
			if full := regexp.MustCompile(text[1:]); !fold && got != full.MatchString(subject) {
				t.Fatalf("%q of %q: %v", text, subject, got)
			}
			return
		}
		var re strings.Builder
		for i := 0; i < len(text); i++ {
			switch text[i] {
			case '*':
				re.WriteString(`(?s:.*)`)
				continue
			case '\\':
				i++
			}
			fmt.Fprintf(&re, `\x{%02x}`, text[i])
		}
		flags := ""
		if fold {
			flags = "(?i)"
		}
		// Byte by byte: what is no UTF-8 has to match itself.
		latin := func(s string) string {
			runes := make([]rune, len(s))
			for i := range len(s) {
				runes[i] = rune(s[i])
			}
			return string(runes)
		}
		if fold && strings.ContainsFunc(text+subject, func(r rune) bool { return r > 0x7f || r == 'k' || r == 'K' || r == 's' || r == 'S' }) {
			return // Unicode folds these to others
		}
		if want := regexp.MustCompile(flags + `\A` + re.String() + `\z`).MatchString(latin(subject)); got != want {
			t.Fatalf("%q of %q (fold %v): %v, want %v", text, subject, fold, got, want)
		}
	})
}

// FuzzFind_inEitherCase compares the search eight places at once with the
// obvious one.
func FuzzFind_inEitherCase(f *testing.F) {
	f.Add("badbot", "Mozilla/5.0 (compatible; BadBot/1.0; +http://example.com)")
	f.Add("b", "aaaaaaaaB")
	f.Add("@a", "`a`a`a`a@A")
	f.Add("ab", "ababababaab")
	f.Fuzz(func(t *testing.T, piece, text string) {
		fold := func(s string) string {
			all := []byte(s)
			for i := range all {
				all[i] = lower(all[i])
			}
			return string(all)
		}
		want := strings.Index(fold(text), fold(piece))
		if got := (&Pattern{fold: true}).find([]byte(text), []byte(fold(piece))); got != want {
			t.Fatalf("%q in %q: at %d, want %d", piece, text, got, want)
		}
	})
}
