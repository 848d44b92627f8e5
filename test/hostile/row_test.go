package hostile_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// row is one wrong thing, or one odd but right one, that an origin does.
type row struct {
	name   string
	source string // what says so: "9112 6.3" is RFC 9112, section 6.3
	says   string // what the origin sends for the request; see pause
	want   []outcome

	ask      request // what the visitor asks; the zero value is a GET
	then     ending  // what the origin does when it has spoken
	late     string  // what it sends when the visitor has its answer whole,
	lateThen ending  // and does then
	greeting string  // what it sends to a new connection before it is asked
	play     func(l *link, body io.Reader)
	interims []int    // 1xx that the visitor may see
	has      []field  // fields that a right answer has
	lacks    []string // and those that it has not
	spoiled  bool     // nothing may follow on the origin's connection even when the answer was right
	hurry    bool     // the zone has short timeouts
}

// outcome is one thing that a visitor may see.
type outcome struct {
	pages  []int // an error page of the edge with one of these statuses; or else
	status int
	body   string
	cut    bool // no client can take it for complete; a part of the body may be there
}

func (o outcome) fits(g got, ask request) bool {
	switch {
	case len(o.pages) > 0:
		return g.isPage(ask.method, o.pages...)
	case o.cut && g.status == 0:
		return ask.minor == 0 // a reset may overtake the rest
	case o.cut:
		return g.status == o.status && !g.whole && strings.HasPrefix(o.body, g.body)
	}
	return g.status == o.status && g.whole && g.body == o.body
}

func (o outcome) String() string {
	switch {
	case len(o.pages) > 0:
		return fmt.Sprintf("a page with status %v", o.pages)
	case o.cut:
		return fmt.Sprintf("%d (cut) from %.200q", o.status, o.body)
	}
	return fmt.Sprintf("%d (whole) %.200q", o.status, o.body)
}

// refused: the answer cannot be understood or must not be; 502 (RFC 9110, 15.6.3).
func refused(name, source, says string) row {
	return row{name: name, source: source, says: says, want: []outcome{{pages: []int{502}}}}
}

// right: odd, but the visitor gets the right answer.
func right(name, source, says string, status int, body string) row {
	return row{name: name, source: source, says: says, want: []outcome{{status: status, body: body}}}
}

// tolerated: wrong, but the RFC leaves a recipient the choice between
// refusing it and repairing it in this one way.
func tolerated(name, source, says string, status int, body string) row {
	return row{name: name, source: source, says: says, want: []outcome{{pages: []int{502}}, {status: status, body: body}}}
}

// broken: what is missing or wrong stands behind the head. The edge may not
// have begun to pass the answer on; when it has, it must cut it.
func broken(name, source, says, body string) row {
	return row{name: name, source: source, says: says, want: []outcome{{pages: []int{502}}, {status: 200, body: body, cut: true}}}
}

// slowly: nothing comes within the zone's short timeouts (RFC 9110, 15.6.5).
func slowly(name, says string) row {
	return row{name: name, source: "9110 15.6.5", says: says, want: []outcome{{pages: []int{504}}}, hurry: true}
}

// stalled: likewise, but behind the head.
func stalled(name, says, body string) row {
	return row{name: name, source: "9112 8", says: says, want: []outcome{{pages: []int{504}}, {status: 200, body: body, cut: true}}, hurry: true}
}

func (r row) greets(text string) row      { r.greeting = text; return r }
func (r row) ending(e ending) row         { r.then = e; return r }
func (r row) asking(a request) row        { r.ask = a; return r }
func (r row) spoils() row                 { r.spoiled = true; return r }
func (r row) mayShow(interims ...int) row { r.interims = interims; return r }
func (r row) without(names ...string) row { r.lacks = names; return r }
func (r row) with(name, value string) row {
	r.has = append(slices.Clone(r.has), field{name, value})
	return r
}
func (r row) later(text string, e ending) row { r.late, r.lateThen = text, e; return r }

// orCut allows for an edge that had begun to pass the answer on.
func (r row) orCut(body string) row { return r.orCutAs(200, body) }

func (r row) orCutAs(status int, body string) row {
	r.want = append(slices.Clone(r.want), outcome{status: status, body: body, cut: true})
	return r
}

func (r row) orRefused() row {
	r.want = append(slices.Clone(r.want), outcome{pages: []int{502}})
	return r
}

// instead has the origin play a part that text alone cannot tell.
func (r row) instead(play func(l *link, body io.Reader)) row { r.play = play; return r }

// script is the origin's part.
func (r *row) script() func(l *link, body io.Reader) {
	if r.play != nil {
		return r.play
	}
	return func(l *link, body io.Reader) {
		if _, err := io.Copy(io.Discard, body); err != nil {
			return // the edge is gone
		}
		if l.say(r.says) {
			l.end(r.then)
		}
	}
}

// request is what a visitor asks.
type request struct {
	method string // GET when empty
	minor  int    // set by ways
	fields string // lines, each with its CRLF
	body   int    // bytes
	coded  bool   // the body is chunked
	waits  bool   // the body is sent when the origin invites it
}

// way is one of the circumstances in which a row is played.
type way struct {
	name string
	used bool // the origin's connection has served a request before
	ask  request
}

// ways: over a new connection and over a used one; what is plainly asked for,
// by a visitor that speaks HTTP/1.0 as well, to whom bodies end differently.
func (r *row) ways() []way {
	ask := r.ask
	if ask.method == "" {
		ask.method = "GET"
	}
	ask.minor = 1
	all := []way{{"over a new connection", false, ask}, {"over a used connection", true, ask}}
	if r.greeting != "" {
		return all[:1] // it is about what comes first
	}
	if r.ask == (request{}) {
		ask.minor = 0
		all = append(all, way{"over HTTP/1.0", true, ask})
	}
	return all
}

// head returns the request's head.
func (a request) head(host, target string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.%d\r\nHost: %s\r\n%s", a.method, target, a.minor, host, a.fields)
	switch {
	case a.coded:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case a.body > 0:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", a.body)
	}
	if a.minor == 0 {
		b.WriteString("Connection: keep-alive\r\n")
	}
	return b.String() + "\r\n"
}

// content returns the request's body as it is sent.
func (a request) content() string {
	if a.body == 0 {
		return ""
	}
	content := strings.Repeat("upload 89abcdef\n", a.body/16+1)[:a.body]
	if a.coded {
		return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", a.body, content)
	}
	return content
}

// endlessly begins and then says the same again and again.
func endlessly(begin, again string) func(l *link, body io.Reader) {
	return func(l *link, _ io.Reader) {
		if l.say(begin) {
			l.endless(again)
		}
	}
}
