package collapse_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// know notes a target that the other zones are asked for from now on.
func (w *world) know(zone, target string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known[target] {
		w.known[target] = true
		w.lines = append(w.lines, target)
	}
}

// note keeps an answer for the checker.
func (w *world) note(a *answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, a)
}

// check is the checker. It belongs after every step.
func (w *world) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	for _, a := range w.got {
		if a.read && !a.checked {
			a.checked = true
			if err := w.checkAnswer(a); err != nil {
				t.Errorf("checker: %v", err)
			}
		}
	}
	targets := slices.Clone(w.lines)
	w.mu.Unlock()
	w.checkZones(t, targets)
	if t.Failed() {
		t.FailNow()
	}
}

// checkZones asks every zone for every known target, from the cache alone:
// each must have nothing, or what it was given itself.
func (w *world) checkZones(t *testing.T, targets []string) {
	t.Helper()
	const most = 200 // before the answers are read
	for ; len(targets) > 0; targets = targets[min(most, len(targets)):] {
		v := w.enter(t)
		var asks []request
		text := ""
		for _, target := range targets[:min(most, len(targets))] {
			for _, name := range w.zones {
				asks = append(asks, request{http.MethodGet, name, target, http.Header{}})
				text += "GET " + target + " HTTP/1.1\r\nHost: " + name + "\r\nCache-Control: only-if-cached, max-stale\r\n\r\n"
			}
		}
		sent := make(chan error, 1)
		go func() {
			_, err := v.conn.Write([]byte(text))
			sent <- err
		}()
		for _, r := range asks {
			v.asks, v.got = r, nil
			a, err := v.receive()
			if err != nil {
				t.Fatalf("checker: ask the cache: %v", err)
			}
			a.checked = true
			if err := w.checkAnswer(a); err != nil || a.err != nil {
				t.Errorf("checker: asked of the cache: %v %v", err, a.err)
			}
		}
		if err := <-sent; err != nil {
			t.Errorf("checker: %v", err)
		}
		if err := v.conn.Close(); err != nil {
			t.Errorf("checker: %v", err)
		}
		w.visitors = w.visitors[:len(w.visitors)-1]
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

// checkAnswer fails when an answer has a byte that the origin did not give
// for this zone, target and variant, or passes part of it off as the whole.
func (w *world) checkAnswer(a *answer) error {
	if a.header.Get("Cache-Status") == "" {
		if a.status < 400 {
			return fmt.Errorf("%s%s: a %d that is neither the origin's nor a page of the edge", a.request.zone, a.request.target, a.status)
		}
		return nil
	}
	if a.status == http.StatusNotModified || a.status == http.StatusRequestedRangeNotSatisfiable && len(a.body) == 0 {
		return nil
	}
	first, size := int64(0), int64(-1) // what it claims
	switch a.status {
	case http.StatusPartialContent:
		var ok bool
		if first, size, ok = contentRange(a.header); !ok {
			return fmt.Errorf("%s%s: a part without its place: %v", a.request.zone, a.request.target, a.header)
		}
	default:
		if a.err == nil && a.request.method != http.MethodHead {
			size = int64(len(a.body))
		}
	}
	w.origin.mu.Lock()
	defer w.origin.mu.Unlock()
	for _, g := range w.given {
		if g.fits(a) && g.has(a.body, first, size) {
			return nil
		}
	}
	return fmt.Errorf("the origin never gave %q from %d of %d to %s %s%s %v: status %d, %v, read with %v", short(string(a.body)), first, size,
		a.request.method, a.request.zone, a.request.target, a.request.fields, a.status, a.header, a.err)
}

// fits reports whether an answer of the origin may be what a visitor got.
func (g *given) fits(a *answer) bool {
	q := g.question
	if q.zone != a.request.zone || q.target != a.request.target || q.method == http.MethodPost != (a.request.method == http.MethodPost) ||
		g.status != a.status && !(a.status == http.StatusPartialContent && g.status == http.StatusOK) {
		return false
	}
	for _, vary := range g.header["Vary"] {
		for name := range strings.SplitSeq(vary, ",") {
			name = strings.TrimSpace(name)
			if strings.Join(q.fields.Values(name), ",") != strings.Join(a.request.fields.Values(name), ",") {
				return false
			}
		}
	}
	return true
}

// has reports whether these bytes were given, at their place, in an answer
// of this size. A size of -1 claims nothing.
func (g *given) has(body []byte, first, size int64) bool {
	from := first - g.first
	if from < 0 || from+int64(len(body)) > int64(len(g.body)) || !bytes.Equal(g.body[from:from+int64(len(body))], body) {
		return false
	}
	return size < 0 || size == g.size
}

func TestChecker_complainsAboutWhatTheOriginNeverGave(t *testing.T) {
	q := &question{zone: "one.test", target: "/a", method: "GET", fields: http.Header{"Accept-Encoding": {"gzip"}}}
	whole := &given{question: q, status: 200, header: http.Header{"Vary": {"Accept-Encoding"}}, size: 5, body: []byte("hello"), whole: true}
	cut := &given{question: q, status: 200, header: http.Header{"Vary": {"Accept-Encoding"}}, size: -1, body: []byte("hello")}
	right := request{"GET", "one.test", "/a", q.fields}
	for _, c := range []struct {
		name   string
		given  *given
		asked  request
		status int
		place  string
		body   string
		err    error
		ok     bool
	}{
		{"the whole", whole, right, 200, "", "hello", nil, true},
		{"another body", whole, right, 200, "", "world", nil, false},
		{"another status", whole, right, 404, "", "hello", nil, false},
		{"part of it as the whole", whole, right, 200, "", "hell", nil, false},
		{"more than it", whole, right, 200, "", "hello!", nil, false},
		{"part of it, cut", whole, right, 200, "", "hell", io.ErrUnexpectedEOF, true},
		{"what was cut as the whole", cut, right, 200, "", "hello", nil, false},
		{"what was cut, cut", cut, right, 200, "", "hello", io.ErrUnexpectedEOF, true},
		{"a range", whole, right, 206, "bytes 1-2/5", "el", nil, true},
		{"a range of another place", whole, right, 206, "bytes 2-3/5", "el", nil, false},
		{"a range of another size", whole, right, 206, "bytes 1-2/6", "el", nil, false},
		{"another zone", whole, request{"GET", "two.test", "/a", q.fields}, 200, "", "hello", nil, false},
		{"another target", whole, request{"GET", "one.test", "/b", q.fields}, 200, "", "hello", nil, false},
		{"another variant", whole, request{"GET", "one.test", "/a", http.Header{}}, 200, "", "hello", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{origin: &origin{given: []*given{c.given}}}
			a := &answer{request: c.asked, status: c.status, header: http.Header{"Cache-Status": {"seawall; hit"}}, body: []byte(c.body), err: c.err}
			if c.place != "" {
				a.header.Set("Content-Range", c.place)
			}
			if err := w.checkAnswer(a); (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
		})
	}
}
