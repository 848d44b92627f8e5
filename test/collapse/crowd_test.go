package collapse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// page is what the origin has under a target: enough that a part is not taken
// for the whole, and nothing that another page has.
func page(name string) string {
	return name + "\n" + strings.Repeat("0123456789abcdef of "+name+"\n", 500) + "end of " + name + "\n"
}

// everybody fails unless all got this page whole.
func everybody(t *testing.T, all []*answer, status int, body string) {
	t.Helper()
	for i, a := range all {
		if a.status != status || a.err != nil || string(a.body) != body {
			t.Fatalf("visitor %d got %d %v, %d bytes %q (%v), not %d with %d bytes %q",
				i, a.status, a.header, len(a.body), short(string(a.body)), a.err, status, len(body), short(body))
		}
	}
}

// askedTimes fails unless the origin was asked so often.
func (w *world) askedTimes(t *testing.T, zone, target string, want int) {
	t.Helper()
	if n := w.count(zone, target); n != want {
		t.Fatalf("the origin was asked %d times for %s%s, not %d", n, zone, target, want)
	}
}

// prime has an answer stored that is no longer fresh.
func (w *world) prime(t *testing.T, zone, target, body string, fields ...string) {
	t.Helper()
	w.keep(t, w.enter(t).ask(t, http.MethodGet, zone, target), body, append(fields, "Age: 100")...)
	w.check(t)
}

// keep has a visitor's question answered, and waits until the answer is
// stored: the visitor may have it before.
func (w *world) keep(t *testing.T, v *visitor, body string, fields ...string) {
	t.Helper()
	before := w.mustMetric(t, stored)
	w.next(t, v.asks.zone, v.asks.target).answer(http.StatusOK, body, fields...)
	everybody(t, crowd{v}.receive(t), http.StatusOK, body)
	w.awaitMetric(t, stored, int(before)+1)
}

// RFC 9111, 4: what nobody has asked for yet is asked for once.
func TestCrowd_asksOnceForWhatNobodyHasAskedFor(t *testing.T) {
	t.Parallel()
	w, n, body := start(t, twoZones), crowdSize(), page("new")
	c := w.crowd(t, n, http.MethodGet, "one.test", "/new")
	q := w.next(t, "one.test", "/new")
	w.awaitMetric(t, waiting, n-1)
	w.check(t)
	q.answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, c.receive(t), http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/new", 1)
	w.awaitMetric(t, collapsed, n-1)
	said := map[string]int{} // RFC 9211
	for _, v := range c {
		said[strings.NewReplacer("ttl=60", "ttl", "ttl=59", "ttl").Replace(v.got.header.Get("Cache-Status"))]++
	}
	if said["seawall; fwd=uri-miss; ttl; stored"] != 1 || said["seawall; fwd=uri-miss; ttl; collapsed"] != n-1 {
		t.Errorf("Cache-Status is %v", said)
	}
	if a := w.enter(t).get(t, "one.test", "/new"); !strings.HasPrefix(a.header.Get("Cache-Status"), "seawall; hit") {
		t.Errorf("the next visitor got %v", a.header)
	}
	w.check(t)
	w.askedTimes(t, "one.test", "/new", 1)
}

// RFC 9111, 4.3: what is no longer fresh is asked about once, whether it can
// be asked about or not, and whatever the origin says.
func TestCrowd_asksOnceAboutWhatIsExpired(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()
	for _, c := range []struct {
		name, target string
		fields       []string
		status       int
	}{
		{"a tag, and it is still good", "/tag/304", []string{"Cache-Control: max-age=60", `ETag: "a"`}, 304},
		{"a tag, and it has changed", "/tag/200", []string{"Cache-Control: max-age=60", `ETag: "a"`}, 200},
		{"a date, and it is still good", "/date/304", []string{"Cache-Control: max-age=60", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"}, 304},
		{"nothing to ask with", "/nothing/200", []string{"Cache-Control: max-age=60, stale-if-error=1000"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, body := page("old of "+c.target), page("new of "+c.target)
			w.prime(t, "one.test", c.target, old, c.fields...)
			all := w.crowd(t, n, http.MethodGet, "one.test", c.target)
			q := w.next(t, "one.test", c.target)
			w.awaitMetric(t, waiting, n-1)
			if c.status == http.StatusNotModified {
				body = old
				q.answer(c.status, "", "Cache-Control: max-age=60")
			} else {
				q.answer(c.status, body, "Cache-Control: max-age=60", `ETag: "b"`)
			}
			everybody(t, all.receive(t), http.StatusOK, body)
			w.check(t)
			w.askedTimes(t, "one.test", c.target, 2)
			w.everybodyLeaves()
		})
	}
}

// RFC 9111, 5.2.1.1: everybody reloads a page that is still fresh: the origin
// is asked about it once.
func TestCrowd_thatReloads(t *testing.T) {
	t.Parallel()
	w, n, body := start(t, twoZones), crowdSize(), page("reload")
	v := w.enter(t).ask(t, http.MethodGet, "one.test", "/reload")
	w.next(t, "one.test", "/reload").answer(http.StatusOK, body, "Cache-Control: max-age=600", "Age: 10", `ETag: "a"`)
	everybody(t, crowd{v}.receive(t), http.StatusOK, body)
	c := w.crowd(t, n, http.MethodGet, "one.test", "/reload", "Cache-Control: max-age=5")
	q := w.next(t, "one.test", "/reload")
	w.awaitMetric(t, waiting, n-1)
	q.answer(http.StatusNotModified, "", `ETag: "a"`)
	everybody(t, c.receive(t), http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/reload", 2)
}

// One private page does not take the crowds apart on all the pages beside it.
func TestCrowd_besideAPrivatePage(t *testing.T) {
	t.Parallel()
	w, n, body := start(t, twoZones), crowdSize()/4, page("shared")
	w.answers("/shop/", func(q *question) { q.answer(http.StatusOK, body, "Cache-Control: max-age=60") })
	w.answers("/shop/cart", func(q *question) { q.answer(http.StatusOK, page("cart"), "Cache-Control: private") })
	v := w.enter(t)
	everybody(t, []*answer{v.get(t, "one.test", "/shop/cart")}, http.StatusOK, page("cart"))
	for i := range 10 {
		everybody(t, []*answer{v.get(t, "one.test", fmt.Sprintf("/shop/page-%d", i))}, http.StatusOK, body)
	}
	w.check(t)
	w.story("/shop/")
	c := w.crowd(t, n, http.MethodGet, "one.test", "/shop/new")
	q := w.next(t, "one.test", "/shop/new")
	w.await(t, "all to wait or to ask", func() error {
		waits, err := w.metric(waiting)
		if asked := w.count("one.test", "/shop/new"); err == nil && int(waits)+asked < n {
			err = fmt.Errorf("%d wait, %d have asked", waits, asked)
		}
		return err
	})
	w.answers("/shop/", func(q *question) { q.answer(http.StatusOK, body, "Cache-Control: max-age=60") })
	q.answer(http.StatusOK, body, "Cache-Control: max-age=60")
	w.rest()
	everybody(t, c.receive(t), http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/shop/new", 1)
}

// RFC 5861, 3: a crowd on a copy that may serve while it is asked about waits
// for nobody, and the origin is asked once.
func TestCrowd_asksOnceInTheBackground(t *testing.T) {
	t.Parallel()
	w, n, old, body := start(t, twoZones), crowdSize(), page("old"), page("new")
	w.prime(t, "one.test", "/while", old, "Cache-Control: max-age=60, stale-while-revalidate=1000", `ETag: "a"`)
	everybody(t, w.crowd(t, n, http.MethodGet, "one.test", "/while").receive(t), http.StatusOK, old)
	w.check(t)
	q := w.next(t, "one.test", "/while")
	everybody(t, w.crowd(t, 5, http.MethodGet, "one.test", "/while").receive(t), http.StatusOK, old)
	q.answer(http.StatusOK, body, "Cache-Control: max-age=60", `ETag: "b"`)
	a := w.enter(t).get(t, "one.test", "/while", "Cache-Control: max-age=30")
	everybody(t, []*answer{a}, http.StatusOK, body)
	everybody(t, w.crowd(t, n, http.MethodGet, "one.test", "/while").receive(t), http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/while", 2)
}

// RFC 5861, 3: a stored part that may serve while it is asked about is
// refreshed by what the origin sends, a part or the whole.
func TestCrowd_asksAboutAPartInTheBackground(t *testing.T) {
	t.Parallel()
	w, body := start(t, twoZones), page("part")
	for _, status := range []int{http.StatusPartialContent, http.StatusOK} {
		target, place := fmt.Sprintf("/part/%d", status), fmt.Sprintf("Content-Range: bytes 0-99/%d", len(body))
		v := w.enter(t).ask(t, http.MethodGet, "one.test", target, "Range: bytes=0-99")
		w.next(t, "one.test", target).answer(http.StatusPartialContent, body[:100],
			"Cache-Control: max-age=60, stale-while-revalidate=1000", "Age: 100", `ETag: "a"`, place)
		everybody(t, crowd{v}.receive(t), http.StatusPartialContent, body[:100])
		everybody(t, []*answer{v.get(t, "one.test", target, "Range: bytes=0-99")}, http.StatusPartialContent, body[:100])
		w.check(t)
		if q := w.next(t, "one.test", target); status == http.StatusOK {
			q.answer(status, body, "Cache-Control: max-age=60", `ETag: "a"`)
		} else {
			q.answer(status, body[:100], "Cache-Control: max-age=60", `ETag: "a"`, place)
		}
		w.await(t, "the part to be fresh", func() error {
			a := v.get(t, "one.test", target, "Range: bytes=0-99", "Cache-Control: only-if-cached, max-age=30")
			if a.status != http.StatusPartialContent {
				return fmt.Errorf("%d %v", a.status, a.header)
			}
			return nil
		})
		w.check(t)
		w.askedTimes(t, "one.test", target, 2)
	}
}

// Bytes reach those who wait before the origin has finished, however the body
// is framed.
func TestCrowd_readsWhileTheAnswerArrives(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()/4
	for _, framing := range []string{"length", "chunks"} {
		t.Run(framing, func(t *testing.T) {
			target := "/stream/" + framing
			first, second := page("first half of "+framing), page("second half of "+framing)
			fields := []string{"Cache-Control: max-age=60"}
			if framing == "length" {
				fields = append(fields, fmt.Sprintf("Content-Length: %d", len(first)+len(second)))
			}
			c := w.crowd(t, n, http.MethodGet, "one.test", target)
			q := w.next(t, "one.test", target)
			w.awaitMetric(t, waiting, n-1)
			q.begin(http.StatusOK, fields...)
			q.write(first)
			c.each(t, func(_ int, v *visitor) error {
				if err := v.head(); err != nil {
					return err
				}
				return v.some(len(first))
			})
			w.check(t)
			// Who comes in the middle gets all of it, too.
			late := w.crowd(t, 5, http.MethodGet, "one.test", target)
			late.each(t, func(_ int, v *visitor) error {
				if err := v.head(); err != nil {
					return err
				}
				return v.some(len(first))
			})
			q.write(second)
			q.end()
			everybody(t, append(c.receive(t), late.receive(t)...), http.StatusOK, first+second)
			w.check(t)
			w.askedTimes(t, "one.test", target, 1)
		})
	}
}

// RFC 9110, 9.3.2, 13 and 14: HEAD, ranges and conditions ride along.
func TestCrowd_carriesHeadRangesAndConditions(t *testing.T) {
	t.Parallel()
	w, body := start(t, twoZones), page("ride")
	lead := w.crowd(t, 1, http.MethodGet, "one.test", "/ride")
	q := w.next(t, "one.test", "/ride")
	heads := w.crowd(t, 3, http.MethodHead, "one.test", "/ride")
	ranges := w.crowd(t, 3, http.MethodGet, "one.test", "/ride", "Range: bytes=10-19")
	endings := w.crowd(t, 3, http.MethodGet, "one.test", "/ride", "Range: bytes=-7", `If-Range: "a"`)
	others := w.crowd(t, 3, http.MethodGet, "one.test", "/ride", "Range: bytes=0-1", `If-Range: "b"`)
	beyond := w.crowd(t, 3, http.MethodGet, "one.test", "/ride", "Range: bytes=1000000-")
	same := w.crowd(t, 3, http.MethodGet, "one.test", "/ride", `If-None-Match: "a"`)
	changed := w.crowd(t, 3, http.MethodGet, "one.test", "/ride", `If-None-Match: "b"`)
	credentials := w.crowd(t, 3, http.MethodGet, "one.test", "/ride", "Authorization: Basic eDp5")
	old := w.enter(t)
	old.asks = request{method: http.MethodGet, zone: "one.test", target: "/ride"}
	if _, err := old.conn.Write([]byte("GET /ride HTTP/1.0\r\nHost: one.test\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	w.awaitMetric(t, waiting, 25)
	q.begin(http.StatusOK, "Cache-Control: max-age=60", `ETag: "a"`, fmt.Sprintf("Content-Length: %d", len(body)))
	q.write(body[:100])
	everybody(t, heads.receive(t), http.StatusOK, "")
	everybody(t, ranges.receive(t), http.StatusPartialContent, body[10:20]) // although the rest is not there yet
	everybody(t, same.receive(t), http.StatusNotModified, "")
	everybody(t, beyond.receive(t), http.StatusRequestedRangeNotSatisfiable, "")
	w.check(t)
	q.write(body[100:])
	q.end()
	everybody(t, endings.receive(t), http.StatusPartialContent, body[len(body)-7:])
	for _, c := range []crowd{lead, others, changed, credentials, {old}} {
		everybody(t, c.receive(t), http.StatusOK, body)
	}
	for _, v := range heads {
		if length := v.got.header.Get("Content-Length"); length != fmt.Sprint(len(body)) {
			t.Errorf("HEAD got the length %q", length)
		}
	}
	w.check(t)
	w.askedTimes(t, "one.test", "/ride", 1)
}

// RFC 9111, 5.2.1: who wants no stored answer, or none to be stored, waits for nobody.
func TestCrowd_leavesOutWhoWantsAnAnswerOfItsOwn(t *testing.T) {
	t.Parallel()
	w, body := start(t, twoZones), page("own")
	c := w.crowd(t, 5, http.MethodGet, "one.test", "/own")
	q := w.next(t, "one.test", "/own")
	w.awaitMetric(t, waiting, 4)
	for _, field := range []string{"Cache-Control: no-cache", "Cache-Control: no-store", "Pragma: no-cache", `If-Match: "a"`} {
		v := w.enter(t).ask(t, http.MethodGet, "one.test", "/own", field)
		mine := page("mine: " + field)
		w.next(t, "one.test", "/own").answer(http.StatusOK, mine, "Cache-Control: no-store")
		everybody(t, crowd{v}.receive(t), http.StatusOK, mine)
	}
	w.check(t)
	q.answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, c.receive(t), http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/own", 5)
}

// Two zones have the same targets, and both have a crowd.
func TestCrowd_ofOneZoneSeesNothingOfAnother(t *testing.T) {
	t.Parallel()
	w, n := start(t, "zones:\n"+zone("one.test", "")+zone("two.test", "")+zone("three.test", "")), crowdSize()/4
	one := w.crowd(t, n, http.MethodGet, "one.test", "/same")
	two := w.crowd(t, n, http.MethodGet, "two.test", "/same")
	qOne, qTwo := w.next(t, "one.test", "/same"), w.next(t, "two.test", "/same")
	w.awaitMetric(t, waiting, 2*n-2)
	w.check(t)
	qTwo.answer(http.StatusOK, page("two"), "Cache-Control: max-age=60", `ETag: "same"`)
	everybody(t, two.receive(t), http.StatusOK, page("two"))
	w.check(t)
	w.awaitMetric(t, waiting, n-1)
	qOne.answer(http.StatusOK, page("one"), "Cache-Control: max-age=60", `ETag: "same"`)
	everybody(t, one.receive(t), http.StatusOK, page("one"))
	w.check(t)
	for _, name := range []string{"one", "two"} {
		a := w.enter(t).get(t, name+".test", "/same")
		everybody(t, []*answer{a}, http.StatusOK, page(name))
		w.askedTimes(t, name+".test", "/same", 1)
	}
	w.check(t)
	w.askedTimes(t, "three.test", "/same", 0)
}
