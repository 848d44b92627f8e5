package collapse_test

import (
	"net/http"
	"testing"
)

// RFC 9111, 4.4: what was asked for before a change is not stored after it,
// and who comes after it does not wait for it.
func TestChange_whileAnAnswerIsOnItsWay(t *testing.T) {
	t.Parallel()
	w := start(t, twoZones)
	for _, c := range []struct {
		name, target string
		change       func(t *testing.T, w *world, target string)
	}{
		{"of the address", "/itself", func(t *testing.T, w *world, target string) { w.change(t, target, http.StatusNoContent) }},
		{"of its Location", "/located", func(t *testing.T, w *world, target string) {
			w.change(t, "/list"+target, http.StatusCreated, "Location: "+target)
		}},
		{"of its Content-Location", "/content-located", func(t *testing.T, w *world, target string) {
			w.change(t, "/list"+target, http.StatusOK, "Content-Location: http://one.test"+target)
		}},
	} {
		for _, before := range []string{"", "-stored"} {
			t.Run(c.name+before, func(t *testing.T) {
				target, old, body := c.target+before, page("old of "+c.name), page("new of "+c.name)
				if before != "" {
					w.prime(t, "one.test", target, old, "Cache-Control: max-age=60", `ETag: "a"`)
				}
				first := w.crowd(t, 10, http.MethodGet, "one.test", target)
				q := w.next(t, "one.test", target)
				w.awaitMetric(t, waiting, 9)
				q.begin(http.StatusOK, "Cache-Control: max-age=60", `ETag: "b"`)
				q.write(old[:10])
				first.each(t, func(_ int, v *visitor) error { return v.head() })
				c.change(t, w, target)
				w.check(t)
				after := w.crowd(t, 10, http.MethodGet, "one.test", target)
				qAfter := w.next(t, "one.test", target) // although the other answer is still arriving
				q.write(old[10:])
				q.end()
				everybody(t, first.receive(t), http.StatusOK, old)
				w.check(t)
				if tag := qAfter.fields.Get("If-None-Match"); tag != "" {
					t.Errorf("asked about %s, which is no more", tag)
				}
				qAfter.answer(http.StatusOK, body, "Cache-Control: max-age=60", `ETag: "c"`)
				everybody(t, after.receive(t), http.StatusOK, body)
				everybody(t, []*answer{w.enter(t).get(t, "one.test", target)}, http.StatusOK, body)
				w.check(t)
			})
		}
	}
}

// change sends a POST and has it answered.
func (w *world) change(t *testing.T, target string, status int, fields ...string) {
	t.Helper()
	v := w.enter(t).ask(t, http.MethodPost, "one.test", target, "Content-Length: 0")
	body := ""
	if status != http.StatusNoContent {
		body = page("changed")
	}
	w.next(t, "one.test", target).answer(status, body, fields...)
	everybody(t, crowd{v}.receive(t), status, body)
}

// The head of an answer comes after the change, to a question from before it:
// it may be from before, too.
func TestChange_beforeTheHeadOfAnAnswer(t *testing.T) {
	t.Parallel()
	w, old, body := start(t, twoZones), page("old"), page("new")
	before := w.crowd(t, 10, http.MethodGet, "one.test", "/head")
	q := w.next(t, "one.test", "/head")
	w.awaitMetric(t, waiting, 9)
	w.change(t, "/head", http.StatusNoContent)
	after := w.crowd(t, 10, http.MethodGet, "one.test", "/head")
	qAfter := w.next(t, "one.test", "/head")
	w.awaitMetric(t, waiting, 18)
	qAfter.answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, after.receive(t), http.StatusOK, body)
	w.check(t)
	q.answer(http.StatusOK, old, "Cache-Control: max-age=60")
	everybody(t, before.receive(t), http.StatusOK, old)
	w.check(t)
	everybody(t, []*answer{w.enter(t).get(t, "one.test", "/head")}, http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/head", 3) // the POST among them
}

// A change that fails changes nothing: what is on its way is stored.
func TestChange_thatFails(t *testing.T) {
	t.Parallel()
	w, body := start(t, twoZones), page("body")
	c := w.crowd(t, 10, http.MethodGet, "one.test", "/fails")
	q := w.next(t, "one.test", "/fails")
	w.awaitMetric(t, waiting, 9)
	v := w.enter(t).ask(t, http.MethodDelete, "one.test", "/fails")
	w.next(t, "one.test", "/fails").answer(http.StatusForbidden, page("no"))
	everybody(t, crowd{v}.receive(t), http.StatusForbidden, page("no"))
	w.check(t)
	late := w.crowd(t, 5, http.MethodGet, "one.test", "/fails")
	w.awaitMetric(t, waiting, 14)
	q.answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, append(c, late...).receive(t), http.StatusOK, body)
	everybody(t, []*answer{w.enter(t).get(t, "one.test", "/fails")}, http.StatusOK, body)
	w.check(t)
	w.askedTimes(t, "one.test", "/fails", 2) // the DELETE among them
}

// A 304 that was asked for before a change does not bring back what it is about.
func TestChange_beforeA304(t *testing.T) {
	t.Parallel()
	w, old, body := start(t, twoZones), page("old"), page("new")
	w.prime(t, "one.test", "/304", old, "Cache-Control: max-age=60", `ETag: "a"`)
	c := w.crowd(t, 10, http.MethodGet, "one.test", "/304")
	q := w.next(t, "one.test", "/304")
	w.awaitMetric(t, waiting, 9)
	w.change(t, "/304", http.StatusNoContent)
	w.check(t)
	q.answer(http.StatusNotModified, "", `ETag: "a"`, "Cache-Control: max-age=60")
	everybody(t, c.receive(t), http.StatusOK, old)
	w.check(t)
	v := w.enter(t).ask(t, http.MethodGet, "one.test", "/304")
	w.next(t, "one.test", "/304").answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, crowd{v}.receive(t), http.StatusOK, body)
	w.check(t)
}

// A refresh in the background that began before a change does not bring back
// what was there before.
func TestChange_whileACopyIsRefreshed(t *testing.T) {
	t.Parallel()
	w, old, body := start(t, twoZones), page("old"), page("new")
	w.prime(t, "one.test", "/while", old, "Cache-Control: max-age=60, stale-while-revalidate=1000", `ETag: "a"`)
	everybody(t, []*answer{w.enter(t).get(t, "one.test", "/while")}, http.StatusOK, old)
	q := w.next(t, "one.test", "/while")
	w.change(t, "/while", http.StatusNoContent)
	w.check(t)
	q.answer(http.StatusOK, old, "Cache-Control: max-age=60", `ETag: "a"`)
	v := w.enter(t).ask(t, http.MethodGet, "one.test", "/while")
	w.next(t, "one.test", "/while").answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, crowd{v}.receive(t), http.StatusOK, body)
	w.check(t)
}
