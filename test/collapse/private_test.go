package collapse_test

import (
	"fmt"
	"net/http"
	"testing"
)

// RFC 9111, 3 and 5.2.2: an answer that is for one visitor is for nobody else.
// Those who have waited for it ask for themselves, all at once, and nobody
// waits there any more.
func TestPrivate_everybodyGetsAnAnswerOfItsOwn(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()/2
	for name, fields := range map[string][]string{
		"private":            {"Cache-Control: private"},
		"no-store":           {"Cache-Control: no-store"},
		"silent":             {"X-Nothing: said"},
		"varies-on-all":      {"Cache-Control: max-age=60", "Vary: *"},
		"bound-to-a-request": {"Cache-Control: max-age=60"},
	} {
		t.Run(name, func(t *testing.T) {
			target, status := "/"+name+"/page", http.StatusOK
			if name == "bound-to-a-request" {
				status = http.StatusMisdirectedRequest
			}
			c := w.crowd(t, n, http.MethodGet, "one.test", target)
			lead := w.next(t, "one.test", target)
			w.awaitMetric(t, waiting, n-1)
			lead.answer(status, page("answer 0"), fields...)
			// The others do not wait for each other: all have asked before one is answered.
			w.answerAll(t, "one.test", target, 1, n, status, fields)
			unlike(t, c.receive(t), status)
			w.check(t)
			w.askedTimes(t, "one.test", target, n)
			c = w.crowd(t, n, http.MethodGet, "one.test", target)
			w.answerAll(t, "one.test", target, n, 2*n, status, fields)
			unlike(t, c.receive(t), status)
			w.check(t)
			w.askedTimes(t, "one.test", target, 2*n)
			w.everybodyLeaves()
		})
	}
}

// answerAll waits until the origin has been asked for all answers from one
// number to another, and gives them.
func (w *world) answerAll(t *testing.T, zone, target string, from, to, status int, fields []string) {
	t.Helper()
	var all []*question
	for range to - from {
		all = append(all, w.next(t, zone, target))
	}
	for i, q := range all {
		q.answer(status, page(fmt.Sprintf("answer %d", from+i)), fields...)
	}
}

// unlike fails when two visitors got the same.
func unlike(t *testing.T, all []*answer, status int) {
	t.Helper()
	seen := map[string]int{}
	for i, a := range all {
		if a.status != status || a.err != nil {
			t.Fatalf("visitor %d got %d %v (%v)", i, a.status, a.header, a.err)
		}
		if before, twice := seen[string(a.body)]; twice {
			t.Fatalf("visitors %d and %d got the same: %s", before, i, short(string(a.body)))
		}
		seen[string(a.body)] = i
	}
}

// RFC 9111, 5.2.2.4 and 4.2: what has to be asked about for each visitor. Either
// one question is enough for all who came before the answer, or nobody waits
// for another's, once it is known that that is in vain.
func TestPrivate_nobodyWaitsInVain(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()/4
	for name, control := range map[string]string{"no-cache": "no-cache", "max-age": "max-age=0", "silent": "public"} {
		t.Run(name, func(t *testing.T) {
			target, body := "/vain-"+name+"/page", page(name)
			fields := []string{"Cache-Control: " + control, `ETag: "a"`}
			w.keep(t, w.enter(t).ask(t, http.MethodGet, "one.test", target), body, fields...)
			w.check(t)
			for round := range 2 {
				before := w.count("one.test", target)
				c := w.crowd(t, n, http.MethodGet, "one.test", target)
				first := w.next(t, "one.test", target)
				waits := int64(0)
				w.await(t, "all to wait or to ask", func() (err error) {
					waits, err = w.metric(waiting)
					if asked := w.count("one.test", target) - before; err == nil && int(waits)+asked < n {
						err = fmt.Errorf("%d wait, %d have asked", waits, asked)
					}
					return err
				})
				first.answer(http.StatusNotModified, "", fields...)
				w.answers(target, func(q *question) { q.answer(http.StatusNotModified, "", fields...) })
				w.rest()
				everybody(t, c.receive(t), http.StatusOK, body)
				w.check(t)
				if asked := w.count("one.test", target) - before; round > 0 && asked > 1 && waits > 0 {
					t.Errorf("%d of %d visitors waited for an answer and then asked all the same", waits, n)
				}
				w.story(target)
				w.everybodyLeaves()
			}
		})
	}
}

// RFC 9111, 3.5: what is asked for with credentials is nobody else's to wait for.
func TestPrivate_nobodyWaitsForWhoIsAuthorised(t *testing.T) {
	t.Parallel()
	w := start(t, twoZones)
	mine := w.enter(t).ask(t, http.MethodGet, "one.test", "/account", "Authorization: Basic eDp5")
	qMine := w.next(t, "one.test", "/account")
	c := w.crowd(t, 10, http.MethodGet, "one.test", "/account")
	q := w.next(t, "one.test", "/account")
	w.awaitMetric(t, waiting, 9)
	qMine.answer(http.StatusOK, page("mine"), "Cache-Control: max-age=60")
	everybody(t, crowd{mine}.receive(t), http.StatusOK, page("mine"))
	w.check(t)
	q.answer(http.StatusOK, page("all"), "Cache-Control: max-age=60")
	everybody(t, c.receive(t), http.StatusOK, page("all"))
	w.check(t)
	w.askedTimes(t, "one.test", "/account", 2)
}

// RFC 9111, 7.3 and 5.2.2.7: the first visitor gets its cookie and what is
// private to it, those who wait with it do not.
func TestPrivate_fieldsStayWithTheFirst(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()/4
	for name, fields := range map[string][]string{
		"guessed":  {"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "Set-Cookie: session=first"},
		"named":    {`Cache-Control: max-age=60, private="Set-Cookie, X-Whose"`, "Set-Cookie: session=first", "X-Whose: first"},
		"no-cache": {`Cache-Control: max-age=60, no-cache="set-cookie, x-whose"`, "Set-Cookie: session=first", "X-Whose: first"},
	} {
		t.Run(name, func(t *testing.T) {
			target, body := "/fields/"+name, page(name)
			first := w.enter(t).ask(t, http.MethodGet, "one.test", target)
			q := w.next(t, "one.test", target)
			c := w.crowd(t, n, http.MethodGet, "one.test", target)
			w.awaitMetric(t, waiting, n)
			q.answer(http.StatusOK, body, fields...)
			everybody(t, crowd{first}.receive(t), http.StatusOK, body)
			if first.got.header.Get("Set-Cookie") != "session=first" {
				t.Errorf("the first got %v", first.got.header)
			}
			everybody(t, c.receive(t), http.StatusOK, body)
			for _, v := range append(c, w.enter(t).ask(t, http.MethodGet, "one.test", target)) {
				a, err := v.got, error(nil)
				if a == nil {
					a, err = v.receive()
				}
				if err != nil || a.header.Get("Set-Cookie") != "" || a.header.Get("X-Whose") != "" {
					t.Fatalf("another got %v (%v)", a.header, err)
				}
			}
			w.check(t)
			w.askedTimes(t, "one.test", target, 1)
		})
	}
}

// A zone that heeds no wish of its visitors: one who wants nothing stored
// cannot make a crowd ask one by one.
func TestPrivate_oneVisitorDoesNotScatterACrowd(t *testing.T) {
	t.Parallel()
	w := start(t, "zones:\n"+zone("one.test", "")+zone("deaf.test", "visitors: {ignore_directives: true}"))
	w.zones = w.zones[:1] // the checker's wishes count there
	n, old, body := crowdSize()/4, page("old"), page("deaf")
	w.prime(t, "deaf.test", "/deaf", old, "Cache-Control: max-age=60", `ETag: "a"`)
	first := w.enter(t).ask(t, http.MethodGet, "deaf.test", "/deaf", "Cache-Control: no-store")
	q := w.next(t, "deaf.test", "/deaf")
	c := w.crowd(t, n, http.MethodGet, "deaf.test", "/deaf")
	w.await(t, "all to wait or to ask", func() error {
		waits, err := w.metric(waiting)
		if asked := w.count("deaf.test", "/deaf"); err == nil && int(waits)+asked < n+2-1 {
			err = fmt.Errorf("%d wait, %d have asked", waits, asked)
		}
		return err
	})
	q.answer(http.StatusOK, body, "Cache-Control: max-age=60")
	everybody(t, crowd{first}.receive(t), http.StatusOK, body)
	w.answers("/deaf", func(q *question) { q.answer(http.StatusOK, body, "Cache-Control: max-age=60") })
	w.rest()
	everybody(t, c.receive(t), http.StatusOK, body)
	w.check(t)
	if asked := w.count("deaf.test", "/deaf"); asked > 3 {
		t.Errorf("the origin was asked %d times", asked)
	}
}
