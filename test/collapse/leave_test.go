package collapse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The first visitor leaves before there is an answer: the others get it all
// the same, and the origin is not asked again.
func TestLeave_beforeTheHead(t *testing.T) {
	t.Parallel()
	w, n, body := start(t, twoZones), crowdSize(), page("head")
	first := w.enter(t).ask(t, http.MethodGet, "one.test", "/head")
	q := w.next(t, "one.test", "/head")
	c := w.crowd(t, n, http.MethodGet, "one.test", "/head")
	w.awaitMetric(t, waiting, n)
	first.leave(t)
	w.check(t)
	// The edge looks each second who has left. What it must not do in that time
	// cannot be waited for, so that the answer waits until it would have done it.
	w.looksTwice(t, q)
	q.answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, c.receive(t), http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/head", 1)
}

// looksTwice waits until the edge has given up a request of somebody else who
// has left, twice: so long does it take to notice that nobody waits.
func (w *world) looksTwice(t *testing.T, q *question) {
	t.Helper()
	for i := range 2 {
		target := fmt.Sprintf("/alone/%d", i)
		v := w.enter(t).ask(t, http.MethodGet, q.zone, target)
		alone := w.next(t, q.zone, target)
		v.leave(t)
		select {
		case <-alone.gone:
		case <-q.gone:
			t.Fatalf("the edge gave up %s%s, for which others wait", q.zone, q.target)
		}
		close(alone.acts)
	}
}

// The first visitor leaves in the middle of the body.
func TestLeave_inTheMiddleOfTheBody(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()
	half, rest := page("first half"), page("second half")
	first := w.enter(t).ask(t, http.MethodGet, "one.test", "/body")
	q := w.next(t, "one.test", "/body")
	c := w.crowd(t, n, http.MethodGet, "one.test", "/body")
	w.awaitMetric(t, waiting, n)
	q.begin(http.StatusOK, "Cache-Control: max-age=60")
	q.write(half)
	if err := first.head(); err != nil {
		t.Fatal(err)
	}
	first.leave(t)
	w.check(t)
	w.looksTwice(t, q)
	q.write(rest)
	q.end()
	everybody(t, c.receive(t), http.StatusOK, half+rest)
	w.check(t)
	w.askedTimes(t, "one.test", "/body", 1)
}

// Everybody leaves in the middle of the body: it is fetched to its end, and
// the next visitor finds it.
func TestLeave_everybodyInTheMiddle(t *testing.T) {
	t.Parallel()
	w := start(t, twoZones)
	half, rest := page("first half"), page("second half")
	c := w.crowd(t, 10, http.MethodGet, "one.test", "/all")
	q := w.next(t, "one.test", "/all")
	w.awaitMetric(t, waiting, 9)
	q.begin(http.StatusOK, "Cache-Control: max-age=60")
	q.write(half)
	c.each(t, func(_ int, v *visitor) error { return v.head() })
	for _, v := range c {
		v.leave(t)
	}
	w.awaitMetric(t, waiting, 0)
	w.check(t)
	late := w.enter(t).ask(t, http.MethodGet, "one.test", "/all")
	if err := late.head(); err != nil {
		t.Fatal(err)
	}
	q.write(rest)
	q.end()
	everybody(t, crowd{late}.receive(t), http.StatusOK, half+rest)
	everybody(t, []*answer{w.enter(t).get(t, "one.test", "/all")}, http.StatusOK, half+rest)
	w.check(t)
	w.askedTimes(t, "one.test", "/all", 1)
}

// Everybody leaves before there is an answer: the question is given up.
func TestLeave_everybodyBeforeTheHead(t *testing.T) {
	t.Parallel()
	w := start(t, twoZones)
	c := w.crowd(t, 10, http.MethodGet, "one.test", "/none")
	q := w.next(t, "one.test", "/none")
	w.awaitMetric(t, waiting, 9)
	for _, v := range c {
		v.leave(t)
	}
	<-q.gone
	close(q.acts)
	w.awaitMetric(t, waiting, 0)
	w.check(t)
	v := w.enter(t).ask(t, http.MethodGet, "one.test", "/none")
	w.next(t, "one.test", "/none").answer(http.StatusOK, page("none"), "Cache-Control: max-age=60")
	everybody(t, crowd{v}.receive(t), http.StatusOK, page("none"))
	w.check(t)
}

// One who waits leaves; one who reads leaves: nobody else notices.
func TestLeave_ofThoseWhoWait(t *testing.T) {
	t.Parallel()
	w, half, rest := start(t, twoZones), page("first half"), page("second half")
	c := w.crowd(t, 1, http.MethodGet, "one.test", "/some")
	q := w.next(t, "one.test", "/some") // the others wait for the first
	c = append(c, w.crowd(t, 19, http.MethodGet, "one.test", "/some")...)
	w.awaitMetric(t, waiting, 19)
	for _, v := range c[10:15] {
		v.leave(t)
	}
	w.awaitMetric(t, waiting, 14)
	q.begin(http.StatusOK, "Cache-Control: max-age=60", fmt.Sprintf("Content-Length: %d", len(half)+len(rest)))
	q.write(half)
	c[15:].each(t, func(_ int, v *visitor) error { return v.head() })
	for _, v := range c[15:] {
		v.leave(t)
	}
	q.write(rest)
	q.end()
	everybody(t, c[:10].receive(t), http.StatusOK, half+rest)
	w.check(t)
	w.askedTimes(t, "one.test", "/some", 1)
}

// A visitor that reads nothing holds up neither the others nor the origin.
func TestSlow_visitorHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := start(t, twoZones)
	piece := strings.Repeat(page("piece"), 90) // about 1 MiB
	const pieces = 7                           // more than the sockets between us hold, less than an object may have
	for _, framing := range []string{"length", "chunks"} {
		target := "/slow/" + framing
		fields := []string{"Cache-Control: max-age=60"}
		if framing == "length" {
			fields = append(fields, fmt.Sprintf("Content-Length: %d", pieces*len(piece)))
		}
		var slow crowd // the first of all among them
		for range 2 {
			v := w.enter(t)
			if err := v.conn.SetReadBuffer(256 << 10); err != nil {
				t.Fatal(err)
			}
			slow = append(slow, v.ask(t, http.MethodGet, "one.test", target))
		}
		q := w.next(t, "one.test", target)
		c := w.crowd(t, 3, http.MethodGet, "one.test", target)
		w.awaitMetric(t, waiting, 4)
		q.begin(http.StatusOK, fields...)
		for range pieces {
			q.write(piece)
		}
		q.end()
		everybody(t, c.receive(t), http.StatusOK, strings.Repeat(piece, pieces))
		w.check(t)
		everybody(t, slow.receive(t), http.StatusOK, strings.Repeat(piece, pieces)) // it was kept for them
		w.check(t)
		w.askedTimes(t, "one.test", target, 1)
	}
}
