package hostile_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// everyByte is an answer that ends at every byte.
type everyByte struct {
	name   string
	answer string
	body   string
	length bool // its end is told by more than the connection's
	how    ending
	minor  int // of the visitor
	site   *site
}

// addEveryByte prepares the zones: each answer with each end for each visitor.
func (s *stage) addEveryByte(t *testing.T) (all []*everyByte) {
	t.Helper()
	for _, a := range []everyByte{
		{name: "a length", answer: ok + "Content-Length: 25\r\n\r\nhello, world and the rest", length: true},
		{name: "chunks and trailers", answer: ok + "Transfer-Encoding: chunked\r\n\r\nd\r\nhello, world \r\nC;a=\"b\"\r\nand the rest\r\n0\r\nX-A: b\r\n\r\n", length: true},
		{name: "up to the end", answer: ok + "Connection: close\r\n\r\nhello, world and the rest"},
		{name: "HTTP/1.0", answer: "HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello, world and the rest"},
	} {
		a.body = "hello, world and the rest"
		for how, name := range map[ending]string{shut: "shut", leave: "closed", reset: "reset"} {
			for minor := range 2 {
				b := a
				b.name = fmt.Sprintf("%s, %s, HTTP/1.%d", a.name, name, minor)
				b.how, b.minor, b.site = how, minor, s.site(t, "")
				all = append(all, &b)
			}
		}
	}
	return all
}

// cutEverywhere plays the answer's first n bytes for every n.
func (s *stage) cutEverywhere(t *testing.T, e *everyByte) {
	t.Helper()
	head := strings.Index(e.answer, "\r\n\r\n") + len("\r\n\r\n")
	if head < 20 || len(e.answer) < head+len(e.body) {
		t.Fatalf("the answer is shorter than it should be: %q", e.answer)
	}
	for n := range len(e.answer) + 1 {
		if err := e.cutAt(n, head); err != nil {
			t.Fatalf("after %d bytes, behind %q (RFC 9112, 8): %v", n, e.answer[max(0, n-10):n], err)
		}
	}
	if err := e.site.empty(); err != nil {
		t.Error(err)
	}
}

func (e *everyByte) cutAt(n, head int) error {
	text := e.answer[:n]
	if n >= head {
		text += pause // so that it is not the page that the visitor sees
	}
	e.site.origin.note(func() {
		e.site.origin.script = func(l *link, _ io.Reader) {
			l.say(text)
			l.end(e.how)
		}
	})
	r := row{want: e.expect(n, head), spoiled: true}
	return e.site.visit(&r, way{used: true, ask: request{method: "GET", minor: e.minor}})
}

// expect says what is right when n bytes have come (RFC 9112, 8).
func (e *everyByte) expect(n, head int) []outcome {
	switch {
	case n < head:
		return []outcome{{pages: []int{502}}}
	case e.length && n == len(e.answer):
		return []outcome{{status: 200, body: e.body}}
	case !e.length && e.how != reset:
		return []outcome{{status: 200, body: e.answer[head:n]}}
	}
	return []outcome{{status: 200, body: e.body, cut: true}}
}
