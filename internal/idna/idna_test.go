package idna

import "testing"

func TestToASCII_makesTheNameThatBrowsersAskFor(t *testing.T) {
	for name, want := range map[string]string{
		"Bücher.example":        "xn--bcher-kva.example",
		"bu\u0308cher.example":  "xn--bcher-kva.example", // a combining mark is composed first
		"example.com":           "example.com",
		"xn--bcher-kva.example": "xn--bcher-kva.example",
		"a b.example":           "",
	} {
		got, err := ToASCII(name)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
	}
}
