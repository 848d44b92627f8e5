package collapse_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

var codings = []string{"gzip", "br"}

// RFC 9111, 4.1: two variants that are known and no longer fresh: each is
// asked about once, and nobody gets the other.
func TestVariant_isAskedAboutOnce(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()/2
	fields := []string{"Cache-Control: max-age=60", "Vary: Accept-Encoding"}
	for _, coding := range codings {
		v := w.enter(t).ask(t, http.MethodGet, "one.test", "/known", "Accept-Encoding: "+coding)
		w.keep(t, v, page("old "+coding), append(fields, `ETag: "`+coding+`"`, "Content-Encoding: "+coding, "Age: 100")...)
	}
	w.check(t)
	var crowds []crowd
	for _, coding := range codings {
		crowds = append(crowds, w.crowd(t, n, http.MethodGet, "one.test", "/known", "Accept-Encoding: "+coding))
	}
	first, second := w.next(t, "one.test", "/known"), w.next(t, "one.test", "/known")
	w.awaitMetric(t, waiting, 2*n-2)
	w.check(t)
	for _, q := range []*question{first, second} {
		coding := q.fields.Get("Accept-Encoding")
		if q.fields.Get("If-None-Match") != `"`+coding+`"` {
			t.Errorf("%s is asked about with %v", coding, q.fields)
		}
		if coding == "gzip" {
			q.answer(http.StatusNotModified, "", append(fields, `ETag: "gzip"`)...)
			continue
		}
		q.answer(http.StatusOK, page("new "+coding), append(fields, `ETag: "newer"`, "Content-Encoding: "+coding)...)
	}
	everybody(t, crowds[0].receive(t), http.StatusOK, page("old gzip"))
	everybody(t, crowds[1].receive(t), http.StatusOK, page("new br"))
	w.check(t)
	w.askedTimes(t, "one.test", "/known", 4)
}

// Two variants of what nobody has asked for before, in one crowd: everybody
// gets its own, while the first is still arriving, and the origin is asked
// about once for each.
func TestVariant_ofTheUnknownIsNotConfused(t *testing.T) {
	t.Parallel()
	w, n := start(t, twoZones), crowdSize()/2
	fields := []string{"Cache-Control: max-age=60", "Vary: Accept-Encoding"}
	first := w.enter(t).ask(t, http.MethodGet, "one.test", "/unknown", "Accept-Encoding: gzip")
	q := w.next(t, "one.test", "/unknown")
	same := w.crowd(t, n, http.MethodGet, "one.test", "/unknown", "Accept-Encoding: gzip")
	other := w.crowd(t, n, http.MethodGet, "one.test", "/unknown", "Accept-Encoding: br")
	w.awaitMetric(t, waiting, 2*n)
	q.begin(http.StatusOK, append(fields, "Content-Encoding: gzip")...)
	q.write(page("gzip"))
	qOther := w.next(t, "one.test", "/unknown")
	w.await(t, "the others to wait or to ask", func() error {
		waits, err := w.metric(waiting)
		if asked := w.count("one.test", "/unknown"); err == nil && int(waits)+asked < 2*n+1 {
			err = fmt.Errorf("%d wait, %d have asked", waits, asked)
		}
		return err
	})
	scattered := w.count("one.test", "/unknown")
	answer := func(q *question) { q.answer(http.StatusOK, page("br"), append(fields, "Content-Encoding: br")...) }
	answer(qOther)
	w.answers("/unknown", answer)
	w.rest()
	everybody(t, other.receive(t), http.StatusOK, page("br"))
	w.check(t)
	q.write(page("gzip, too"))
	q.end()
	everybody(t, append(same, first).receive(t), http.StatusOK, page("gzip")+page("gzip, too"))
	w.check(t)
	if scattered > 2 {
		t.Errorf("the origin was asked %d times for two variants", scattered)
	}
}

// Many variants of one address stay within the bound of the zone, whoever
// asks for them, and what else it has stays.
func TestVariant_ofWhichThereAreVeryMany(t *testing.T) {
	t.Parallel()
	const kept, visitors = 32, 4
	variants := 10 * crowdSize() // 10,000 in the long form
	w := start(t, twoZones)
	other := w.enter(t).ask(t, http.MethodGet, "one.test", "/other")
	w.next(t, "one.test", "/other").answer(http.StatusOK, page("other"), "Cache-Control: max-age=600")
	everybody(t, crowd{other}.receive(t), http.StatusOK, page("other"))
	w.check(t)
	text := func(taste string) string { return strings.Repeat("taste "+taste+"\n", 100) }
	w.answers("/many", func(q *question) {
		q.answer(http.StatusOK, text(q.fields.Get("X-Taste")), "Cache-Control: max-age=600", "Vary: X-Taste")
	})
	var c crowd
	for range visitors {
		c = append(c, w.enter(t))
	}
	c.each(t, func(i int, v *visitor) error {
		for taste := i; taste < variants; taste += visitors {
			a, err := v.taste(taste, "")
			if err != nil || string(a.body) != text(fmt.Sprint(taste)) {
				return fmt.Errorf("taste %d: %w: %s", taste, err, short(fmt.Sprint(a)))
			}
		}
		return nil
	})
	w.forget(200)
	w.check(t)
	if n := w.mustMetric(t, "seawall_cache_objects"); n != 2 {
		t.Errorf("the cache holds %d addresses", n)
	}
	if n, most := w.mustMetric(t, "seawall_cache_bytes"), int64(2*len(page("other"))+kept*(2*len(text("10000"))+1024)); n > most {
		t.Errorf("the cache holds %d bytes, more than %d for %d variants", n, most, kept)
	}
	hits := 0
	v := w.enter(t)
	for taste := variants - 200; taste < variants; taste++ { // the oldest go first
		a, err := v.taste(taste, "Cache-Control: only-if-cached\r\n")
		if err != nil {
			t.Fatal(err)
		}
		if a.status == http.StatusOK {
			hits++
		}
	}
	w.forget(0)
	w.check(t)
	if hits != kept {
		t.Errorf("%d variants are kept, not %d", hits, kept)
	}
	w.askedTimes(t, "one.test", "/other", 1)
}

// taste asks for one of very many variants.
func (v *visitor) taste(taste int, lines string) (*answer, error) {
	v.got, v.asks = nil, request{http.MethodGet, "one.test", "/many", http.Header{"X-Taste": {fmt.Sprint(taste)}}}
	v.world.know("one.test", "/many")
	if _, err := fmt.Fprintf(v.conn, "GET /many HTTP/1.1\r\nHost: one.test\r\nX-Taste: %d\r\n%s\r\n", taste, lines); err != nil {
		return nil, err
	}
	return v.receive()
}

// forget has the checker look only at so many of the last answers: each is
// compared with all that the origin gave.
func (w *world) forget(but int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = w.got[max(0, len(w.got)-but):]
}
