package pages

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxTemplate is the most bytes an owner's page may have, 256 KiB.
const MaxTemplate = 256 << 10

// maxMistakes is how many mistakes one error names.
const maxMistakes = 8

// placeholders are what an owner may write between braces, in the order of
// the documentation. All are escaped for text and for attributes in quotes.
// Only the host comes from outside, and it keeps nothing but letters, digits
// and ".-_:[]", so it is harmless wherever an owner may put it.
var placeholders = [...]struct {
	name  string
	field field
}{
	{"request_id", fieldID},    // what the visitor tells the owner
	{"host", fieldHost},        // as the visitor asked for it
	{"status", fieldStatus},    // three digits
	{"title", fieldHeading},    // a short phrase for the reason
	{"message", fieldSentence}, // the reason's sentence
	{"reason", fieldCode},      // its code
	{"time", fieldStamp},       // RFC 3339, UTC
	{"year", fieldYear},        // of that time
}

var ownMarks = func() map[string]field {
	marks := map[string]field{}
	for _, p := range placeholders {
		marks[p.name] = p.field
	}
	return marks
}()

// Template is an owner's own page, taken apart. It does not change and is
// safe for concurrent use.
type Template struct {
	pieces []literalThenField
}

// ParseTemplate reads an owner's HTML page: text with placeholders in double
// braces ({{request_id}}, {{host}}, {{status}}, {{title}}, {{message}},
// {{reason}}, {{time}}, {{year}}), white space inside the braces allowed. Two
// opening braces that are meant are written as &#123;&#123;. The text is
// copied.
//
// An error names what is wrong by line and column, several mistakes at once:
// placeholders that are unknown, not closed or more than 100, a NUL, bytes
// that are not UTF-8. A text that is empty or longer than MaxTemplate is
// refused as a whole.
func ParseTemplate(text []byte) (*Template, error) { return parseTemplate(text, true) }

// FromAnswer makes a page of an answer that the origin gave when it was asked
// for one, /errors/502.html for example: status 200, text/html in UTF-8
// without a content coding, at most MaxTemplate bytes. Placeholders are those
// of ParseTemplate; other double braces stay as they are, because pages often
// have some for scripts of their own. The body is copied.
func FromAnswer(status int, contentType string, body []byte) (*Template, error) {
	if status != http.StatusOK {
		return nil, fmt.Errorf("read page of the origin: status %d, not 200", status)
	}
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "text/html" {
		return nil, fmt.Errorf("read page of the origin: content type %.60q, not text/html", contentType)
	}
	switch charset := parameters["charset"]; strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii":
		return parseTemplate(body, false)
	default:
		return nil, fmt.Errorf("read page of the origin: charset %.60q, not utf-8", charset)
	}
}

func parseTemplate(body []byte, strict bool) (*Template, error) {
	if len(body) > MaxTemplate {
		return nil, fmt.Errorf("read page: %d bytes, more than %d", len(body), MaxTemplate)
	}
	text := string(bytes.TrimPrefix(body, []byte("\ufeff")))
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("read page: it is empty")
	}
	pieces, mistakes := takeApart(text, ownMarks, strict)
	if mistakes = append(mistakes, unreadable(text)...); len(mistakes) > 0 {
		return nil, explain(text, mistakes)
	}
	return &Template{pieces: pieces}, nil
}

// unreadable finds the first NUL and the first byte that is not UTF-8; more
// of them only say that the file is of another kind.
func unreadable(text string) (mistakes []mistake) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		mistakes = append(mistakes, mistake{at: at, what: "a NUL"})
	}
	for at, r := range text {
		if _, size := utf8.DecodeRuneInString(text[at:]); r == utf8.RuneError && size == 1 {
			return append(mistakes, mistake{at: at, what: fmt.Sprintf("the byte 0x%02x is not UTF-8", text[at])})
		}
	}
	return mistakes
}

// explain makes one error of all mistakes, in the order of the text.
func explain(text string, mistakes []mistake) error {
	slices.SortFunc(mistakes, func(a, b mistake) int { return a.at - b.at })
	var b strings.Builder
	names := false
	for i, m := range mistakes {
		if i == maxMistakes {
			fmt.Fprintf(&b, "; and %d more", len(mistakes)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		line, column := position(text, m.at)
		fmt.Fprintf(&b, "line %d, column %d: %s", line, column, m.what)
		names = names || m.names
	}
	if names {
		b.WriteString(" (there are")
		for _, p := range placeholders {
			b.WriteString(" {{" + p.name + "}}")
		}
		b.WriteString("; two braces as text are &#123;&#123;)")
	}
	return errors.New("read page: " + b.String())
}

// Warnings says what an owner should know about a page that can be used all
// the same.
func (t *Template) Warnings() (warnings []string) {
	for _, p := range t.pieces {
		if p.field == fieldID {
			return nil
		}
	}
	return []string{"the page does not show {{request_id}}: nobody can find the request of a visitor who asks for help"}
}

// Append appends the page to dst and returns it. It allocates only where dst
// is too short; MaxTemplate and 26 KiB are always enough. Where nobody is there to read a page
// (status code 499) it returns dst unchanged.
func (t *Template) Append(dst []byte, p Page) []byte {
	if !p.settle() {
		return dst
	}
	story := &sheets[HTML].stories[storyOf(p.Reason, p.Status)]
	for i := range t.pieces {
		dst = append(dst, t.pieces[i].literal...)
		if f := t.pieces[i].field; f == fieldHost {
			dst = appendHost(dst, p.Host, hostRoomOwn) // nothing where there is none: it may be part of a link
		} else {
			dst = appendField(dst, f, &p, HTML, story)
		}
	}
	return dst
}
