package pages

import (
	"bytes"
	"testing"
)

func TestChoose_takesWhatIsNamed(t *testing.T) {
	cases := []struct {
		accept string
		want   Form
	}{
		{"", Text},
		{"*/*", Text},
		{"text/*", Text},
		{"text/plain", Text},
		{"image/avif,image/webp,*/*;q=0.8", Text},
		{"text/html", HTML},
		{" Text/HTML ; charset=utf-8 ", HTML},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML},
		{"text/htmlx", Text},
		{"application/json", Problem},
		{"application/problem+json", Problem},
		{"application/json, text/plain, */*", Problem},
		{"application/json, text/html", HTML},
		{"application/json, text/html;q=0.9", Problem},
		{"application/json;q=0.5, text/html;q=0.501", HTML},
		{"text/html;q=0", Text},
		{"text/html; level=1; Q=0.000, application/json;q=0.001", Problem},
		{"text/html;q=high", HTML},
		{"text/html;q=0.0001, application/json;q=0.9", HTML},
		{`text/plain;note="a, text/html"`, Text},
		{`text/plain;note="\", text/html", application/json`, Problem},
		{`text/plain;note="never closed, text/html`, Text},
		{",,;;,", Text},
	}
	for _, c := range cases {
		if got := Choose([]byte(c.accept)); got != c.want {
			t.Errorf("%q: %d, want %d", c.accept, got, c.want)
		}
	}
}

func TestChoose_allocatesNothing(t *testing.T) {
	accept := []byte("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	if n := testing.AllocsPerRun(100, func() { Choose(accept) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestForm_hasAContentType(t *testing.T) {
	for form, want := range map[Form]string{
		HTML: "text/html; charset=utf-8", Problem: "application/problem+json", Text: "text/plain; charset=utf-8",
	} {
		if got := form.ContentType(); got != want {
			t.Errorf("%d: %q, want %q", form, got, want)
		}
	}
}

// FuzzChoose: names of media types have no case, and nothing that a visitor
// sends makes the choice panic.
func FuzzChoose(f *testing.F) {
	f.Add([]byte("text/html;q=0.9, application/json"))
	f.Add([]byte(`text/plain;a="\`))
	f.Fuzz(func(t *testing.T, accept []byte) {
		for i, c := range accept {
			if c >= 0x80 {
				accept[i] = '~' // ToUpper would replace it by bytes of another length
			}
		}
		if a, b := Choose(accept), Choose(bytes.ToUpper(accept)); a != b {
			t.Errorf("%q: %d in one case, %d in the other", accept, a, b)
		}
	})
}
