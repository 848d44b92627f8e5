package collapse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// RFC 9112, 8: the origin fails in the middle of a body. Nobody takes the part
// for the whole, and nothing of it is kept as one.
func TestFailure_inTheMiddleOfABody(t *testing.T) {
	t.Parallel()
	w, n, half, whole := start(t, twoZones), crowdSize()/4, page("half"), page("whole")
	for name, fails := range map[string]struct {
		fields []string
		fail   func(*question)
	}{
		"length": {[]string{fmt.Sprintf("Content-Length: %d", 2*len(half))}, (*question).cut},
		"chunks": {nil, (*question).cut},
		"close":  {[]string{"Connection: close", "Transfer-Encoding: identity"}, (*question).reset},
	} {
		t.Run(name, func(t *testing.T) {
			target := "/middle/" + name
			c := w.crowd(t, n, http.MethodGet, "one.test", target)
			q := w.next(t, "one.test", target)
			w.awaitMetric(t, waiting, n-1)
			q.begin(http.StatusOK, append(fails.fields, "Cache-Control: max-age=60")...)
			q.write(half)
			c.each(t, func(_ int, v *visitor) error {
				if err := v.head(); err != nil {
					return err
				}
				return v.some(len(half))
			})
			fails.fail(q)
			for i, a := range c.receive(t) {
				if a.err == nil || string(a.body) != half {
					t.Fatalf("visitor %d took %d bytes for the whole: %v", i, len(a.body), a.err)
				}
			}
			w.check(t)
			v := w.enter(t).ask(t, http.MethodGet, "one.test", target)
			again := w.next(t, "one.test", target)
			if again.fields.Get("Range") != "" || again.fields.Get("If-None-Match") != "" {
				t.Errorf("the next question is %v", again.fields)
			}
			again.answer(http.StatusOK, whole, "Cache-Control: max-age=60")
			everybody(t, crowd{v}.receive(t), http.StatusOK, whole)
			everybody(t, []*answer{w.enter(t).get(t, "one.test", target)}, http.StatusOK, whole)
			w.check(t)
			w.askedTimes(t, "one.test", target, 2)
		})
	}
}

// The origin fails while a stale copy is replaced: the copy stays for what it is worth.
func TestFailure_whileACopyIsReplaced(t *testing.T) {
	t.Parallel()
	w, n, old, half := start(t, twoZones), crowdSize()/4, page("old"), page("half of the new")
	w.prime(t, "one.test", "/replaced", old, "Cache-Control: max-age=60", `ETag: W/"a"`)
	c := w.crowd(t, n, http.MethodGet, "one.test", "/replaced")
	q := w.next(t, "one.test", "/replaced")
	w.awaitMetric(t, waiting, n-1)
	q.begin(http.StatusOK, "Cache-Control: max-age=60", `ETag: W/"b"`, fmt.Sprintf("Content-Length: %d", 2*len(half)))
	q.write(half)
	c.each(t, func(_ int, v *visitor) error { return v.head() })
	q.cut()
	for i, a := range c.receive(t) {
		if a.err == nil || !strings.HasPrefix(half, string(a.body)) {
			t.Fatalf("visitor %d got %d bytes: %v", i, len(a.body), a.err)
		}
	}
	w.check(t)
	v := w.enter(t).ask(t, http.MethodGet, "one.test", "/replaced")
	w.next(t, "one.test", "/replaced").answer(http.StatusNotModified, "", `ETag: W/"a"`)
	everybody(t, crowd{v}.receive(t), http.StatusOK, old)
	w.check(t)
}

// The origin closes the connection, or says nothing: everybody is told, and
// the origin is asked for a few, not for all.
func TestFailure_ofTheWholeOrigin(t *testing.T) {
	t.Parallel()
	w := start(t, "zones:\n"+zone("one.test", "")+zone("two.test", "")+
		"  - {name: slow.test, origin: {url: '{origin}', first_byte_timeout: 1s, breaker: {off: true}}}\n")
	n := crowdSize() / 2
	for _, c := range []struct {
		name, zone string
		status     int
		fail       func(*question)
	}{
		{"closes", "one.test", http.StatusBadGateway, (*question).cut},
		{"resets", "one.test", http.StatusBadGateway, (*question).reset},
		{"says nothing", "slow.test", http.StatusGatewayTimeout, func(q *question) { <-q.gone; close(q.acts) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := "/" + strings.ReplaceAll(c.name, " ", "-")
			old := page("old of " + path)
			t.Run("nothing stored", func(t *testing.T) {
				all := w.crowd(t, n, http.MethodGet, c.zone, path+"/new")
				first := w.next(t, c.zone, path+"/new")
				w.gather(t, c.zone, n)
				w.answers(path+"/new", c.fail)
				c.fail(first)
				w.rest()
				for i, a := range all.receive(t) {
					if a.status != c.status || a.err != nil || a.header.Get("Cache-Status") != "" {
						t.Fatalf("visitor %d got %d %v %s (%v)", i, a.status, a.header, short(string(a.body)), a.err)
					}
				}
				w.check(t)
				w.askedAtMost(t, c.zone, path+"/new", 5)
			})
			t.Run("a stale copy", func(t *testing.T) {
				w.prime(t, c.zone, path+"/old", old, "Cache-Control: max-age=60", `ETag: "a"`)
				all := w.crowd(t, n, http.MethodGet, c.zone, path+"/old")
				first := w.next(t, c.zone, path+"/old")
				w.gather(t, c.zone, n)
				w.answers(path+"/old", c.fail)
				c.fail(first)
				w.rest()
				everybody(t, all.receive(t), http.StatusOK, old) // cache.when_down
				w.check(t)
				w.askedAtMost(t, c.zone, path+"/old", 6)
			})
			t.Run("a copy that must not serve", func(t *testing.T) {
				w.prime(t, c.zone, path+"/must", old, "Cache-Control: max-age=60, must-revalidate", `ETag: "a"`)
				all := w.crowd(t, n, http.MethodGet, c.zone, path+"/must")
				first := w.next(t, c.zone, path+"/must")
				w.gather(t, c.zone, n)
				w.answers(path+"/must", c.fail)
				c.fail(first)
				w.rest()
				for i, a := range all.receive(t) {
					if a.status != c.status || a.err != nil {
						t.Fatalf("visitor %d got %d %v (%v)", i, a.status, a.header, a.err)
					}
				}
				w.check(t)
			})
			w.everybodyLeaves()
		})
	}
}

// gather waits until all but one of a crowd wait. Where the origin says
// nothing, time passes meanwhile, and those who come late ask once more.
func (w *world) gather(t *testing.T, zone string, n int) {
	t.Helper()
	if zone != "slow.test" {
		w.awaitMetric(t, waiting, n-1)
	}
}

func (w *world) askedAtMost(t *testing.T, zone, target string, most int) {
	t.Helper()
	if n := w.count(zone, target); n > most {
		t.Fatalf("the origin was asked %d times for %s%s, more than %d", n, zone, target, most)
	}
}

// RFC 5861, 4: the origin answers with an error. Who may be served the stale
// copy is, and the error is nobody's who was not meant.
func TestFailure_byStatus(t *testing.T) {
	t.Parallel()
	w, n, old := start(t, twoZones), crowdSize()/4, page("old")
	w.prime(t, "one.test", "/allowed", old, "Cache-Control: max-age=60, stale-if-error=1000", `ETag: "a"`)
	c := w.crowd(t, n, http.MethodGet, "one.test", "/allowed")
	q := w.next(t, "one.test", "/allowed")
	w.awaitMetric(t, waiting, n-1)
	q.answer(http.StatusServiceUnavailable, page("broken"))
	everybody(t, c.receive(t), http.StatusOK, old)
	w.check(t)
	w.askedTimes(t, "one.test", "/allowed", 2)

	w.prime(t, "one.test", "/not", old, "Cache-Control: max-age=60", `ETag: "a"`)
	c = w.crowd(t, n, http.MethodGet, "one.test", "/not")
	q = w.next(t, "one.test", "/not")
	w.awaitMetric(t, waiting, n-1)
	w.answers("/not", func(q *question) { q.answer(http.StatusServiceUnavailable, page("broken")) })
	q.answer(http.StatusServiceUnavailable, page("broken"))
	everybody(t, c.receive(t), http.StatusServiceUnavailable, page("broken"))
	w.check(t)
}

// RFC 9110, 15.4.5: a 304 that nobody asked for is an error for everybody, and
// no reason to ask for each.
func TestFailure_unasked304(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()/4
	c := w.crowd(t, n, http.MethodGet, "one.test", "/unasked")
	q := w.next(t, "one.test", "/unasked")
	w.awaitMetric(t, waiting, n-1)
	w.answers("/unasked", func(q *question) { q.answer(http.StatusNotModified, "", `ETag: "a"`) })
	q.answer(http.StatusNotModified, "", `ETag: "a"`)
	for i, a := range c.receive(t) {
		if a.status != http.StatusBadGateway || a.err != nil {
			t.Fatalf("visitor %d got %d %v (%v)", i, a.status, a.header, a.err)
		}
	}
	w.check(t)
}
