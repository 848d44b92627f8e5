package story

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// witness is the checker of the scripts about caching. After every answer it
// holds what the visitor got against what the origin gave for that very host
// and target, and asks every other zone for the same target.
type witness struct {
	given map[place][]*given
	heard map[string]*bytes.Buffer // by visitor: bytes that are no whole request yet
	asked map[string][]*question   // by visitor: what it waits for
	last  map[place]*question
}

// place is what a stored answer is found by.
type place struct{ host, target string }

type question struct {
	place
	method string
	fields http.Header
}

// given is one answer of the origin, as far as it has sent it.
type given struct {
	method string
	raw    bytes.Buffer
	reset  bool
}

// piece is some bytes of a representation.
type piece struct {
	status      int
	first, size int64 // position of the first byte; bytes of the whole, -1 when not known
	version     string
	data        []byte
}

func newWitness() *witness {
	return &witness{
		given: map[place][]*given{}, heard: map[string]*bytes.Buffer{}, asked: map[string][]*question{}, last: map[place]*question{},
	}
}

var unreserved = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// canonical is how the edge writes a target.
func canonical(target string) string {
	return unreserved.ReplaceAllStringFunc(target, func(escape string) string {
		v, _ := strconv.ParseUint(escape[1:], 16, 8)
		if c := byte(v); c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-._~", c) >= 0 {
			return string(c)
		}
		return strings.ToUpper(escape)
	})
}

// canonical host names have no final dot and not the scheme's own port.
func canonicalHost(host string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), ":80"), ".")
}

// hear notes what a visitor asks.
func (w *witness) hear(visitor, text string) {
	if w == nil {
		return
	}
	b := w.heard[visitor]
	if b == nil {
		b = &bytes.Buffer{}
		w.heard[visitor] = b
	}
	b.WriteString(text)
	for {
		source := bytes.NewReader(b.Bytes())
		buffered := bufio.NewReader(source)
		r, err := http.ReadRequest(buffered)
		if err != nil {
			return // not whole yet
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		b.Next(b.Len() - source.Len() - buffered.Buffered())
		q := &question{place{canonicalHost(r.Host), canonical(r.URL.RequestURI())}, r.Method, r.Header}
		w.asked[visitor] = append(w.asked[visitor], q)
		w.last[q.place] = q
	}
}

// give notes what the origin sends in answer to a request; begins is true for
// the first bytes.
func (w *witness) give(f *forwarded, text string, begins bool) {
	if w == nil || f == nil {
		return
	}
	at := place{strings.ToLower(f.host), f.target}
	if begins {
		w.given[at] = append(w.given[at], &given{method: f.method})
	}
	all := w.given[at]
	all[len(all)-1].raw.WriteString(text)
}

func (w *witness) reset(f *forwarded) {
	if w == nil || f == nil {
		return
	}
	if all := w.given[place{strings.ToLower(f.host), f.target}]; len(all) > 0 {
		all[len(all)-1].reset = true
	}
}

// pop returns what the visitor's next answer answers.
func (w *witness) pop(visitor string) *question {
	if w == nil || len(w.asked[visitor]) == 0 {
		return nil
	}
	q := w.asked[visitor][0]
	w.asked[visitor] = w.asked[visitor][1:]
	return q
}

// piece reads what the origin has sent. ok is false while that is nothing
// a visitor could have a byte of.
func (g *given) piece(number int) (p piece, ok bool) {
	source := bufio.NewReader(bytes.NewReader(g.raw.Bytes()))
	for {
		r, err := http.ReadResponse(source, &http.Request{Method: g.method})
		if err != nil {
			return piece{}, false
		}
		if r.StatusCode < 200 {
			continue
		}
		data, err := io.ReadAll(r.Body)
		p = piece{status: r.StatusCode, size: -1, data: data, version: r.Header.Get("ETag")}
		if p.version == "" {
			p.version = r.Header.Get("Last-Modified")
		}
		if p.version == "" || strings.HasPrefix(p.version, "W/") {
			p.version = fmt.Sprint("answer ", number)
		}
		first, size, partly := contentRange(r.Header)
		switch {
		case partly:
			p.status, p.first, p.size = 200, first, size
		case err == nil && (!g.reset || r.ContentLength >= 0 || len(r.TransferEncoding) > 0):
			p.size = int64(len(data))
		case r.ContentLength >= 0:
			p.size = r.ContentLength
		}
		return p, true
	}
}

var contentRangeForm = regexp.MustCompile(`^bytes (\d+)-(\d+)/(\d+)$`)

func contentRange(h http.Header) (first, size int64, ok bool) {
	m := contentRangeForm.FindStringSubmatch(h.Get("Content-Range"))
	if m == nil {
		return 0, 0, false
	}
	first, err := strconv.ParseInt(m[1], 10, 64)
	size, err2 := strconv.ParseInt(m[3], 10, 64)
	return first, size, err == nil && err2 == nil
}

// check fails when the answer holds a byte that the origin did not give for
// what was asked, or passes part of something off as the whole.
func (w *witness) check(q *question, a *answer, whole bool) error {
	if q == nil || q.method == http.MethodHead || a.status == http.StatusSwitchingProtocols || a.status == http.StatusNotModified || a.status == 416 && len(a.body) == 0 ||
		a.fields.Get("Cache-Status") == "" {
		return nil // no bytes, or a page of the edge's own
	}
	var pieces []piece
	for i, g := range w.given[q.place] {
		if p, ok := g.piece(i); ok {
			pieces = append(pieces, p)
		}
	}
	kind, parameters, _ := mime.ParseMediaType(a.fields.Get("Content-Type"))
	if a.status == http.StatusPartialContent && kind == "multipart/byteranges" {
		return checkParts(q, a, parameters["boundary"], pieces)
	}
	served := piece{status: a.status, size: -1, data: a.body}
	if first, size, partly := contentRange(a.fields); partly && a.status == http.StatusPartialContent {
		served.status, served.first, served.size = 200, first, size
	} else if whole {
		served.size = int64(len(a.body))
	}
	return among(q, served, pieces)
}

func checkParts(q *question, a *answer, boundary string, pieces []piece) error {
	for _, p := range pieces {
		if bytes.Equal(p.data, a.body) {
			return nil // the origin's own
		}
	}
	parts := multipart.NewReader(bytes.NewReader(a.body), boundary)
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		if err == io.EOF && n > 1 {
			return nil
		} else if err != nil {
			return fmt.Errorf("part %d of several: %w", n, err)
		}
		data, err := io.ReadAll(part)
		first, size, ok := contentRange(http.Header(part.Header))
		if err != nil || !ok {
			return fmt.Errorf("part %d of several has the fields %v: %v", n, part.Header, err)
		}
		if err := among(q, piece{status: 200, first: first, size: size, data: data}, pieces); err != nil {
			return err
		}
	}
}

// among fails unless there is one version of which the origin gave every byte
// that was served, at its place, and the size that was claimed.
func among(q *question, served piece, pieces []piece) error {
	var versions []string
	for _, p := range pieces {
		if p.status == served.status && !slices.Contains(versions, p.version) {
			versions = append(versions, p.version)
		}
	}
	for _, version := range versions {
		known := make([]bool, len(served.data))
		sized := served.size < 0
		for _, p := range pieces {
			if p.version != version || p.status != served.status {
				continue
			}
			sized = sized || p.size == served.size
			for i := range served.data {
				if at := served.first + int64(i) - p.first; at >= 0 && at < int64(len(p.data)) && p.data[at] == served.data[i] {
					known[i] = true
				}
			}
		}
		if sized && !slices.Contains(known, false) {
			return nil
		}
	}
	return fmt.Errorf("checker: the origin never gave %s from %d of %d for %s%s: it gave %+v",
		short(served.data), served.first, served.size, q.host, q.target, pieces)
}

// checkZones asks every other zone for what was asked of one: it must have
// nothing, or what it was given itself.
func (g *stage) checkZones() error {
	if g.witness == nil {
		return nil
	}
	var v *visitor
	for at, q := range g.witness.last {
		for _, host := range g.edge.zones {
			if host == at.host {
				continue
			}
			if v == nil {
				var err error
				if v, err = connect(g.edge.http); err != nil {
					return err
				}
				defer v.conn.Close()
			}
			if err := g.checkZone(v, place{host, at.target}, q.fields); err != nil {
				return fmt.Errorf("checker: %s%s asked of %s: %w", at.host, at.target, host, err)
			}
		}
	}
	return nil
}

func (g *stage) checkZone(v *visitor, at place, fields http.Header) error {
	lines := ""
	for name, values := range fields {
		switch name {
		case "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie":
			for _, value := range values {
				lines += name + ": " + value + "\r\n"
			}
		}
	}
	v.send("GET " + at.target + " HTTP/1.1\r\nHost: " + at.host + "\r\nCache-Control: only-if-cached, max-stale\r\n" + lines + "\r\n")
	a, err := v.head()
	if err == nil {
		err = v.body()
	}
	if err != nil {
		return err
	}
	g.statuses = append(g.statuses, a.status)
	if a.status == http.StatusGatewayTimeout && a.fields.Get("Cache-Status") == "" {
		return nil
	}
	if len(g.witness.given[at]) == 0 {
		return fmt.Errorf("it was never given anything, and answers %d %v %s", a.status, a.fields, short(a.body))
	}
	return g.witness.check(&question{place: at, method: http.MethodGet}, a, true)
}

// watch has the checker look at an answer that was read to its end.
func (g *stage) watch(a *answer) error {
	if g.witness == nil || a == nil || !a.read || a.watched {
		return nil
	}
	a.watched = true
	return errors.Join(g.witness.check(a.question, a, a.err == nil), g.checkZones())
}

func TestWitness_complainsAboutWhatTheOriginNeverGave(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\n"
	rangeOf := func(place, body string) string {
		return fmt.Sprintf("HTTP/1.1 206 OK\r\nETag: \"a\"\r\nContent-Range: bytes %s\r\nContent-Length: %d\r\n\r\n%s", place, len(body), body)
	}
	for _, c := range []struct {
		name   string
		given  []string
		status int
		fields http.Header
		body   string
		whole  bool
		ok     bool
	}{
		{"the whole", []string{head + "Content-Length: 5\r\n\r\nhello"}, 200, nil, "hello", true, true},
		{"another body", []string{head + "Content-Length: 5\r\n\r\nhello"}, 200, nil, "world", true, false},
		{"another status", []string{head + "Content-Length: 5\r\n\r\nhello"}, 404, nil, "hello", true, false},
		{"part of it as the whole", []string{head + "Content-Length: 5\r\n\r\nhello"}, 200, nil, "hell", true, false},
		{"part of it, cut", []string{head + "Content-Length: 5\r\n\r\nhello"}, 200, nil, "hell", false, true},
		{"what was cut as the whole", []string{head + "Content-Length: 10\r\n\r\nhello"}, 200, nil, "hello", true, false},
		{"what was cut in chunks as the whole", []string{head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}, 200, nil, "hello", true, false},
		{"what was cut in chunks, cut", []string{head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}, 200, nil, "hello", false, true},
		{"a range", []string{head + "Content-Length: 5\r\n\r\nhello"}, 206, http.Header{"Content-Range": {"bytes 1-2/5"}}, "el", true, true},
		{"a range of another place", []string{head + "Content-Length: 5\r\n\r\nhello"}, 206, http.Header{"Content-Range": {"bytes 2-3/5"}}, "el", true, false},
		{"a range of another size", []string{head + "Content-Length: 5\r\n\r\nhello"}, 206, http.Header{"Content-Range": {"bytes 1-2/6"}}, "el", true, false},
		{"two halves", []string{rangeOf("0-2/5", "hel"), rangeOf("3-4/5", "lo")}, 200, nil, "hello", true, true},
		{"one half as the whole", []string{rangeOf("0-2/5", "hel")}, 200, nil, "hello", true, false},
		{"two halves of two versions", []string{rangeOf("0-2/5", "hel"), strings.Replace(rangeOf("3-4/5", "lo"), `"a"`, `"b"`, 1)}, 200, nil, "hello", true, false},
		{"two halves of a weak version", []string{strings.Replace(rangeOf("0-2/5", "hel"), `"a"`, `W/"a"`, 1), strings.Replace(rangeOf("3-4/5", "lo"), `"a"`, `W/"a"`, 1)}, 200, nil, "hello", true, false},
		{"nothing was given", nil, 200, nil, "hello", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWitness()
			for _, text := range c.given {
				w.give(&forwarded{host: "one.test", target: "/a", method: "GET"}, text, true)
			}
			w.hear("one", "GET /%61 HTTP/1.1\r\nHost: ONE.test:80\r\n")
			w.hear("one", "\r\n")
			q := w.pop("one")
			if q == nil {
				t.Fatal("the request was not heard")
			}
			a := &answer{status: c.status, fields: http.Header{"Cache-Status": {"seawall; hit"}}, body: []byte(c.body)}
			for name, values := range c.fields {
				a.fields[name] = values
			}
			if err := w.check(q, a, c.whole); (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
		})
	}
}
