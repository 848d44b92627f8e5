package pages

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seawall-edge/seawall"
)

func ExampleParseTemplate() {
	page, err := ParseTemplate([]byte("<h1>{{ title }}</h1>\n<p>{{message}} Your number: {{request_id}}</p>"))
	if err != nil {
		fmt.Println(err)
		return
	}
	p := Page{Reason: seawall.ReasonOriginTimeout, ID: seawall.MakeRequestID(1770113045, 0x0123456789abcdef)}
	fmt.Printf("%s\n", page.Append(nil, p))

	_, err = ParseTemplate([]byte("<h1>{{titel}}</h1>"))
	fmt.Println(err)
	// Output:
	// <h1>The site does not answer</h1>
	// <p>The site&#39;s server did not answer in time. Your number: d60wg5814d2pf2dbsqqg</p>
	// read page: line 1, column 5: "{{titel}}" is no placeholder (there are {{request_id}} {{host}} {{status}} {{title}} {{message}} {{reason}} {{time}} {{year}}; two braces as text are &#123;&#123;)
}

// mustParse reads a page that is right.
func mustParse(t *testing.T, text string) *Template {
	t.Helper()
	own, err := ParseTemplate([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func TestTemplate_fillsEveryPlaceholder(t *testing.T) {
	p := page(seawall.ReasonOriginShort)
	want := map[string]string{
		"request_id": p.ID.String(), "host": "shop.example", "status": "502", "title": "The site&#39;s answer was broken",
		"message": "The site&#39;s server stopped in the middle of its answer.", "reason": "origin-short",
		"time": "2026-02-03T10:04:05Z", "year": "2026",
	}
	if len(want) != len(placeholders) {
		t.Fatalf("%d placeholders, %d are tested", len(placeholders), len(want))
	}
	for name, value := range want {
		for _, space := range []string{"", " ", " \t", "\r\n\t"} {
			own := mustParse(t, "a{{"+space+name+space+"}}b{{"+name+"}}")
			if got := string(own.Append([]byte("before "), p)); got != "before a"+value+"b"+value {
				t.Errorf("%s with %q: %q", name, space, got)
			}
		}
	}
}

func TestTemplate_fillsInWhatTheCallerLeftOpen(t *testing.T) {
	own := mustParse(t, "{{status}} {{time}} {{title}} {{message}} [{{host}}]")
	id := page(seawall.ReasonNone).ID
	cases := []struct {
		name string
		page Page
		want string
	}{
		{"nothing but an ID", Page{ID: id}, "500 2026-02-03T10:04:05Z Something went wrong here Something went wrong inside the edge. []"},
		{"a status alone", Page{ID: id, Status: 404}, "404 2026-02-03T10:04:05Z This request was refused The request cannot be answered as it was sent. []"},
		{"another status", Page{ID: id, Status: 500, Reason: seawall.ReasonMaintenance}, "500 2026-02-03T10:04:05Z The site is taking a break The site is closed for maintenance. []"},
		{"nobody reads it", Page{ID: id, Reason: seawall.ReasonVisitorGone}, ""},
	}
	for _, c := range cases {
		if got := string(own.Append(nil, c.page)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestParseTemplate_saysWhatIsWrongAndWhere(t *testing.T) {
	const names = " (there are {{request_id}} {{host}} {{status}} {{title}} {{message}} {{reason}} {{time}} {{year}}; two braces as text are &#123;&#123;)"
	many := strings.Repeat("{{year}}\n", maxMarks)
	cases := []struct{ name, text, want string }{
		{"unknown", "ä\n\tö {{id}}", `line 2, column 4: "{{id}}" is no placeholder` + names},
		{"of another case", "{{Host}}", `line 1, column 1: "{{Host}}" is no placeholder` + names},
		{"no name", "{{}}{{ }}", `line 1, column 1: "{{}}" is no placeholder; line 1, column 5: "{{ }}" is no placeholder` + names},
		{"space inside the name", "{{request id}}", `line 1, column 1: "{{request id}}" is no placeholder` + names},
		{"not closed at the end", "<p>{{host", `line 1, column 4: "{{" is not closed by "}}"` + names},
		{"closed by one brace", "{{host}", `line 1, column 1: "{{" is not closed by "}}"` + names},
		{"not closed before an element", "{{host<b>}}", `line 1, column 1: "{{" is not closed by "}}"` + names},
		{"closed far away", "{{host" + strings.Repeat(" ", longestMark) + "}}", `line 1, column 1: "{{" is not closed by "}}"` + names},
		{"three braces", "\n{{{host}}}", `line 2, column 1: "{{" is not closed by "}}"` + names},
		{"only braces", "{{{{{{{{{{", `line 1, column 1: "{{" is not closed by "}}"` + names},
		{"NUL", "a\x00b{{host}}\x00", "line 1, column 2: a NUL"},
		{"not UTF-8", "gr\xfc\xdfe", "line 1, column 3: the byte 0xfc is not UTF-8"},
		{"a replacement character is UTF-8", "\ufffd\n\xff", "line 2, column 1: the byte 0xff is not UTF-8"},
		{"several, in order", "{{a}}\n\xff\n{{b", `line 1, column 1: "{{a}}" is no placeholder; line 2, column 1: the byte 0xff is not UTF-8; line 3, column 1: "{{" is not closed by "}}"` + names},
		{"too many", many + "{{year}}{{year}}", "line 101, column 1: more than 100 placeholders"},
		{"empty", "", "it is empty"},
		{"white space alone", "\ufeff \r\n", "it is empty"},
		{"too long", strings.Repeat("a", MaxTemplate+1), "262145 bytes, more than 262144"},
	}
	for _, c := range cases {
		own, err := ParseTemplate([]byte(c.text))
		if err == nil || err.Error() != "read page: "+c.want || own != nil {
			t.Errorf("%s: %v\nwant %q", c.name, err, c.want)
		}
	}
	_, err := ParseTemplate([]byte(strings.Repeat("{{x}}", maxMistakes+3)))
	if err == nil || !strings.Contains(err.Error(), "; and 3 more (there are") || strings.Count(err.Error(), "line 1") != maxMistakes {
		t.Errorf("many mistakes: %v", err)
	}
	mustParse(t, many)
	mustParse(t, strings.Repeat("a", MaxTemplate))
	mustParse(t, "@media print{b{color:red}} } }} { &#123;&#123;")
}

func TestParseTemplate_readsAWholePage(t *testing.T) {
	text, err := os.ReadFile("testdata/own.html")
	if err != nil {
		t.Fatal(err)
	}
	own := mustParse(t, "\ufeff"+string(text))
	if w := own.Warnings(); len(w) != 0 {
		t.Errorf("warnings: %q", w)
	}
	p := page(seawall.ReasonOriginDown)
	got := string(own.Append(nil, p))
	for _, want := range []string{"<!doctype", "503 – Gärtnerei", `<a href="https://shop.example/">shop.example</a>`, "<code>" + p.ID.String(), "2019–2026", "(origin-down)"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.HasPrefix(got, "\ufeff") || strings.Contains(got, "{{") {
		t.Errorf("a mark was left: %s", got)
	}
	for i := range text {
		text[i] = 'x' // the template must not notice
	}
	if string(own.Append(nil, p)) != got {
		t.Error("the template is not a copy")
	}
}

func TestTemplate_warnsWhereTheRequestIsNotNamed(t *testing.T) {
	if w := mustParse(t, "<p>{{time}}").Warnings(); len(w) != 1 || !strings.Contains(w[0], "{{request_id}}") {
		t.Errorf("%q", w)
	}
}

func TestTemplate_letsNoMarkupThroughTheHost(t *testing.T) {
	own := mustParse(t, `<p title="{{host}}" class={{host}}>{{host}}</p><script>let a = '{{host}}'</script>`)
	for c := range 256 {
		p := page(seawall.ReasonOriginTLS)
		p.Host = []byte{'a', byte(c), 'b'}
		got := string(own.Append(nil, p))
		shown := "a" + string(rune(c)) + "b"
		if !inHost[c] {
			shown = "a?b"
		}
		if want := strings.ReplaceAll(`<p title="H" class=H>H</p><script>let a = 'H'</script>`, "H", shown); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTemplate_showsEveryNameThatCanExist(t *testing.T) {
	own := mustParse(t, "{{host}}")
	for length, dots := range map[int]string{hostRoomOwn: "", hostRoomOwn + 1: "..."} {
		p := page(seawall.ReasonOriginTLS)
		p.Host = bytes.Repeat([]byte("h"), length)
		if got, want := string(own.Append(nil, p)), strings.Repeat("h", hostRoomOwn)+dots; got != want {
			t.Errorf("%d bytes: %q", length, got)
		}
	}
}

func TestTemplate_keepsToItsLength(t *testing.T) {
	for _, placeholder := range placeholders {
		own := mustParse(t, strings.Repeat("{{"+placeholder.name+"}}", maxMarks))
		for r := range seawall.Reason(seawall.Reasons) {
			p := page(r)
			p.Host = bytes.Repeat([]byte("h"), 1000)
			if n := len(own.Append(nil, p)); n > 26<<10 {
				t.Errorf("%s, %v: %d bytes", placeholder.name, r, n)
			}
		}
	}
}

func TestFromAnswer_takesPagesAsTheyAre(t *testing.T) {
	const body = "<p>{{ item.name }} {{{host}}} {{#if x}} {{ unclosed <b> {{host}}{{request_id}}</p>{{"
	for _, kind := range []string{"text/html", "Text/HTML; charset=UTF-8", `text/html;charset="utf-8"`, "text/html; charset=us-ascii"} {
		own, err := FromAnswer(200, kind, []byte(body))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		p := page(seawall.ReasonOriginTLS)
		want := "<p>{{ item.name }} {{{host}}} {{#if x}} {{ unclosed <b> shop.example" + p.ID.String() + "</p>{{"
		if got := string(own.Append(nil, p)); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

func TestFromAnswer_refusesWhatIsNoPage(t *testing.T) {
	cases := []struct {
		name   string
		status int
		kind   string
		body   string
		want   string
	}{
		{"not there", 404, "text/html", "<p>", "status 404, not 200"},
		{"nothing new", 304, "text/html", "<p>", "status 304, not 200"},
		{"a part", 206, "text/html", "<p>", "status 206, not 200"},
		{"another type", 200, "text/plain", "<p>", `content type "text/plain", not text/html`},
		{"no type", 200, "", "<p>", `content type "", not text/html`},
		{"a broken type", 200, "text/html; charset", "<p>", `content type "text/html; charset", not text/html`},
		{"another charset", 200, "text/html; charset=iso-8859-1", "<p>", `charset "iso-8859-1", not utf-8`},
		{"compressed", 200, "text/html", "\x1f\x8b\x08\x00", "read page: line 1, column 2: the byte 0x8b is not UTF-8; line 1, column 4: a NUL"},
		{"empty", 200, "text/html", "", "it is empty"},
		{"too long", 200, "text/html", strings.Repeat("a", MaxTemplate+1), "more than 262144"},
		{"too many placeholders", 200, "text/html", strings.Repeat("{{host}}", maxMarks+1), "more than 100 placeholders"},
	}
	for _, c := range cases {
		if own, err := FromAnswer(c.status, c.kind, []byte(c.body)); err == nil || !strings.Contains(err.Error(), c.want) || own != nil {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTemplate_allocatesNothing(t *testing.T) {
	own, dst := mustParse(t, strings.Repeat("<p>{{request_id}} {{host}} {{status}} {{title}} {{message}} {{reason}} {{time}} {{year}}", 3)), make([]byte, 0, 2<<10)
	p := page(seawall.ReasonOriginUnreachable)
	if n := testing.AllocsPerRun(100, func() { dst = own.Append(dst[:0], p) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzParseTemplate: no text makes the reader panic; what it takes is shown
// byte by byte, and whatever a visitor calls the host, no character that
// means something in HTML comes with it.
func FuzzParseTemplate(f *testing.F) {
	f.Add("<p>{{ host }}{{request_id}}</p>", []byte("shop.example"))
	f.Add(`<a href="{{host}}">{{{host}}} {{ x }} {{`, []byte(`"><script>alert(1)</script>`))
	f.Add("\ufeff{{\r\ntime\t}}\x00\xff}}{{year}}", []byte("'\u202e&<"))
	f.Fuzz(func(t *testing.T, text string, host []byte) {
		strict, strictErr := ParseTemplate([]byte(text))
		own, err := FromAnswer(200, "text/html", []byte(text))
		if strictErr == nil && err != nil {
			t.Fatalf("taken as a setting but not from the origin: %v", err)
		}
		if err != nil {
			return
		}
		p := page(seawall.ReasonOriginTimeout)
		p.Host = nil
		plain := own.Append(nil, p)
		p.Host = host
		got := own.Append(nil, p)
		if strict != nil && !bytes.Equal(strict.Append(nil, p), got) {
			t.Errorf("one page as a setting, another from the origin: %q", text)
		}
		for _, special := range "<>\"'&=`/\\ \t\r\n{}()" {
			if bytes.Count(got, []byte(string(special))) != bytes.Count(plain, []byte(string(special))) {
				t.Errorf("host %q changed the number of %q in %q", host, special, got)
			}
		}
		if !utf8.Valid(got) {
			t.Errorf("host %q: not UTF-8: %q", host, got)
		}
		written := strings.TrimPrefix(text, "\ufeff")
		for i, piece := range own.pieces {
			rest, found := strings.CutPrefix(written, piece.literal)
			if !found {
				t.Fatalf("piece %d is not in the text: %q", i, piece.literal)
			}
			if piece.field != fieldNone {
				_, length, closed := readMark(rest)
				if !closed {
					t.Fatalf("no mark behind piece %d: %q", i, rest)
				}
				rest = rest[length:]
			}
			written = rest
		}
		if written != "" {
			t.Errorf("the end is missing: %q", written)
		}
	})
}
