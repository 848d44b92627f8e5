package collapse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// An answer that turns out to be larger than what is kept reaches everybody
// who reads it, whole, although none of it is stored.
func TestBounds_largerThanIsKept(t *testing.T) {
	t.Parallel()
	w := start(t, "zones:\n"+zone("one.test", "max_object: 256KiB")+zone("two.test", ""))
	piece := strings.Repeat(page("piece"), 20) // some 250 KiB
	const pieces = 12
	c := w.crowd(t, 6, http.MethodGet, "one.test", "/large")
	q := w.next(t, "one.test", "/large")
	w.awaitMetric(t, waiting, 5)
	q.begin(http.StatusOK, "Cache-Control: max-age=60")
	// The next piece comes when all have read the one before: nobody is slow.
	for range pieces {
		q.write(piece)
		c.each(t, func(_ int, v *visitor) error {
			if v.got == nil {
				if err := v.head(); err != nil {
					return err
				}
			}
			return v.some(len(piece))
		})
	}
	q.end()
	everybody(t, c.receive(t), http.StatusOK, strings.Repeat(piece, pieces))
	w.check(t)
	w.askedTimes(t, "one.test", "/large", 1)
	v := w.enter(t).ask(t, http.MethodGet, "one.test", "/large")
	w.next(t, "one.test", "/large").answer(http.StatusOK, page("small"), "Cache-Control: no-store")
	everybody(t, crowd{v}.receive(t), http.StatusOK, page("small"))
	w.check(t)
}

// The same, with visitors that are megabytes apart, and where the cache has no
// room for what is on its way: who reads all the time is not cut off because
// another reads faster.
func TestBounds_largerThanIsKept_byVisitorsThatAreApart(t *testing.T) {
	t.Parallel()
	piece := strings.Repeat(page("piece"), 320) // some 4 MiB
	const pieces = 3
	for name, config := range map[string]string{
		"an object":          "zones:\n" + zone("one.test", "max_object: 256KiB") + zone("two.test", ""),
		"all on their way":   "cache: {memory: 8MiB}\n" + twoZones,
		"on its way, framed": "cache: {memory: 8MiB}\n" + twoZones,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, config)
			c := w.crowd(t, 4, http.MethodGet, "one.test", "/apart")
			q := w.next(t, "one.test", "/apart")
			w.awaitMetric(t, waiting, 3)
			fields := []string{"Cache-Control: max-age=60"}
			if name == "on its way, framed" {
				fields = append(fields, fmt.Sprintf("Content-Length: %d", pieces*len(piece)))
			}
			q.begin(http.StatusOK, fields...)
			read := func(_ int, v *visitor) error {
				if v.got == nil {
					if err := v.head(); err != nil {
						return err
					}
				}
				return v.some(len(piece))
			}
			for range pieces {
				q.write(piece)
				c[:2].each(t, read) // all of it, before the others begin
				c[2:].each(t, read)
			}
			q.end()
			everybody(t, c.receive(t), http.StatusOK, strings.Repeat(piece, pieces))
			w.check(t)
			w.askedTimes(t, "one.test", "/apart", 1)
		})
	}
}

// cache.bounds.waiters: so many wait, the others ask for themselves.
func TestBounds_ofThoseWhoWait(t *testing.T) {
	t.Parallel()
	w := start(t, "zones:\n"+zone("one.test", "bounds: {waiters: 10}")+zone("two.test", ""))
	c := w.crowd(t, 30, http.MethodGet, "one.test", "/wait")
	var all []*question
	for range 20 {
		all = append(all, w.next(t, "one.test", "/wait"))
	}
	w.awaitMetric(t, waiting, 10)
	// Another zone has places of its own.
	other := w.crowd(t, 20, http.MethodGet, "two.test", "/wait")
	qOther := w.next(t, "two.test", "/wait")
	w.awaitMetric(t, waiting, 29)
	w.check(t)
	for i, q := range all {
		q.answer(http.StatusOK, page(fmt.Sprint("answer ", i)), "Cache-Control: max-age=60")
	}
	for i, a := range c.receive(t) {
		if a.status != http.StatusOK || a.err != nil {
			t.Fatalf("visitor %d got %d (%v)", i, a.status, a.err)
		}
	}
	w.check(t)
	qOther.answer(http.StatusOK, page("two"), "Cache-Control: max-age=60")
	everybody(t, other.receive(t), http.StatusOK, page("two"))
	w.check(t)
}

// cache.bounds.floor: a flood of objects in one zone leaves another what it
// was promised.
func TestBounds_ofAFlood(t *testing.T) {
	t.Parallel()
	const size, own, flood = 16 << 10, 96, 750 // 1.5 MiB of a floor of 2; 12 MiB into a cache of 8
	w := start(t, "cache: {memory: 8MiB}\nzones:\n"+
		zone("one.test", "bounds: {floor: 2MiB}")+zone("two.test", "bounds: {floor: 1MiB}"))
	body := func(target string) string {
		return strings.Repeat(target+"\n", size/len(target+"\n"))
	}
	ask := func(v *visitor, zone, target string) error {
		v.got, v.asks = nil, request{http.MethodGet, zone, target, http.Header{}}
		if _, err := fmt.Fprintf(v.conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, zone); err != nil {
			return err
		}
		a, err := v.receive()
		if err == nil && string(a.body) != body(target) {
			err = fmt.Errorf("%s: %d %s", target, a.status, short(string(a.body)))
		}
		return err
	}
	answers := func(q *question) { q.answer(http.StatusOK, body(q.target), "Cache-Control: max-age=600") }
	w.answers("/own/", answers)
	w.answers("/flood/", answers)
	v := w.enter(t)
	for i := range own {
		if err := ask(v, "one.test", fmt.Sprintf("/own/%d", i)); err != nil {
			t.Fatal(err)
		}
		w.know("one.test", fmt.Sprintf("/own/%d", i))
	}
	w.check(t)
	crowd{w.enter(t), w.enter(t), w.enter(t), w.enter(t)}.each(t, func(n int, v *visitor) error {
		for i := n; i < flood; i += 4 {
			if err := ask(v, "two.test", fmt.Sprintf("/flood/%d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	w.forget(50)
	w.check(t)
	if n := w.mustMetric(t, "seawall_cache_bytes"); n > 8<<20 {
		t.Errorf("the cache holds %d bytes", n)
	}
	if n := w.mustMetric(t, "seawall_cache_evictions_total"); n == 0 {
		t.Error("the flood was no flood: nothing had to make room")
	}
	for i := range own {
		if err := ask(v, "one.test", fmt.Sprintf("/own/%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	w.check(t)
	if n := w.count("one.test", ""); n != own {
		t.Errorf("the origin was asked %d times for the %d objects that a floor keeps", n, own)
	}
}
