package collapse_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// storm is a site whose every answer tells by its entity tag which zone,
// target, variant, version and, where it is private, visitor it is for; and
// whose body follows from that.
type storm struct {
	*world
	mu       sync.Mutex
	versions map[string]int // what the origin has, by zone and target
	changed  map[string]int // what a visitor has been told that it has
	random   *rand.Rand     // of the origin
}

func (s *storm) dice(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n)
}

func tagOf(zone, target, coding string, version int, whose string) string {
	return fmt.Sprintf("\"%s|%s|%s|%d|%s\"", zone, target, coding, version, whose)
}

// bodyOf is what belongs to a tag: of a length of its own, and nowhere the same.
func bodyOf(tag string) string {
	var b strings.Builder
	size := 200
	for _, c := range tag {
		size = (size*31 + int(c)) % 30_000
	}
	for i := 0; b.Len() <= size; i++ {
		fmt.Fprintf(&b, "%d of %s\n", i, tag)
	}
	return b.String()
}

// answer is the origin.
func (s *storm) answer(q *question) {
	key := q.zone + q.target
	if q.method == http.MethodPost {
		s.mu.Lock()
		s.versions[key]++
		version := s.versions[key]
		s.mu.Unlock()
		q.answer(http.StatusNoContent, "", fmt.Sprintf("X-Version: %d", version))
		return
	}
	s.mu.Lock()
	version := s.versions[key]
	s.mu.Unlock()
	switch s.dice(40) {
	case 0:
		q.answer(http.StatusServiceUnavailable, "broken")
		return
	case 1:
		q.cut()
		return
	}
	control := []string{
		"max-age=60", "max-age=60", "max-age=60", "max-age=1", "max-age=0", "no-cache", "max-age=60, stale-if-error=600",
		"max-age=60, stale-while-revalidate=600", "s-maxage=60", "private", "no-store", "max-age=60, must-revalidate",
	}[s.dice(12)]
	whose := ""
	if control == "private" || control == "no-store" {
		whose = q.fields.Get("X-Visitor")
	}
	tag := tagOf(q.zone, q.target, q.fields.Get("Accept-Encoding"), version, whose)
	body := bodyOf(tag)
	fields := []string{"Cache-Control: " + control, "ETag: " + tag, "Vary: Accept-Encoding"}
	if s.dice(3) == 0 {
		fields = append(fields, "Age: 100")
	}
	if strings.Contains(q.fields.Get("If-None-Match"), tag) && s.dice(5) > 0 {
		q.answer(http.StatusNotModified, "", fields...)
		return
	}
	status := http.StatusOK
	var first, last int
	if n, _ := fmt.Sscanf(q.fields.Get("Range"), "bytes=%d-%d", &first, &last); n > 0 && s.dice(4) > 0 &&
		(q.fields.Get("If-Range") == "" || q.fields.Get("If-Range") == tag) && first < len(body) {
		if n == 1 || last >= len(body) {
			last = len(body) - 1
		}
		status, fields = http.StatusPartialContent, append(fields, fmt.Sprintf("Content-Range: bytes %d-%d/%d", first, last, len(body)))
		body = body[first : last+1]
	}
	if s.dice(2) == 0 {
		fields = append(fields, "Content-Length: "+strconv.Itoa(len(body)))
	}
	q.begin(status, fields...)
	if q.method == http.MethodHead {
		q.end()
		return
	}
	half := s.dice(len(body) + 1)
	q.write(body[:half])
	if s.dice(20) == 0 {
		q.cut()
		return
	}
	q.write(body[half:])
	q.end()
}

// guest is one visitor of a storm.
type guest struct {
	storm  *storm
	name   string
	random *rand.Rand
	seen   map[string]string // the last tag, by zone, target and coding
	v      *visitor
}

// wander makes one request and looks at what comes of it.
func (g *guest) wander() error {
	s, dice := g.storm, g.random.IntN
	zone, target := []string{"one.test", "two.test"}[dice(2)], fmt.Sprintf("/storm/%d", dice(4))
	key, coding := zone+target, []string{"gzip", "br"}[dice(2)]
	method, fields := http.MethodGet, []string{"X-Visitor: " + g.name, "Accept-Encoding: " + coding}
	tag := g.seen[key+coding]
	leaves := false
	switch dice(16) {
	case 0:
		method = http.MethodPost
		fields = append(fields, "Content-Length: 0")
	case 1:
		method = http.MethodHead
	case 2, 3:
		if tag != "" {
			fields = append(fields, "If-None-Match: "+tag)
		}
	case 4, 5:
		first := dice(2000)
		fields = append(fields, fmt.Sprintf("Range: bytes=%d-%d", first, first+dice(3000)))
	case 6:
		fields = append(fields, fmt.Sprintf("Range: bytes=%d-", dice(300)))
		if tag != "" {
			fields = append(fields, "If-Range: "+tag)
		}
	case 7:
		fields = append(fields, []string{"Cache-Control: no-cache", "Cache-Control: max-age=0", "Cache-Control: only-if-cached", "Cache-Control: max-stale"}[dice(4)])
	case 8:
		leaves = true
	}
	s.mu.Lock()
	floor := s.changed[key]
	s.mu.Unlock()
	text := method + " " + target + " HTTP/1.1\r\nHost: " + zone + "\r\n" + strings.Join(append(fields, "", ""), "\r\n")
	if _, err := io.WriteString(g.v.conn, text); err != nil {
		return err
	}
	g.v.asks = request{method: method, zone: zone, target: target}
	if err := g.v.head(); err != nil {
		return err
	}
	if leaves {
		return g.again()
	}
	g.v.rest()
	a := g.v.got
	if method == http.MethodPost && a.status == http.StatusNoContent {
		version, err := strconv.Atoi(a.header.Get("X-Version"))
		s.mu.Lock()
		s.changed[key] = max(s.changed[key], version)
		s.mu.Unlock()
		return err
	}
	err := g.judge(a, zone, target, coding, floor, strings.Join(fields, "\n"))
	if err != nil {
		return fmt.Errorf("%s: %w\n    asked %q\n    got %d %v, %d bytes (%v)", g.name, err, text, a.status, a.header, len(a.body), a.err)
	}
	if got := a.header.Get("ETag"); got != "" {
		g.seen[key+coding] = got
	}
	if a.err != nil || a.header.Get("Connection") == "close" {
		return g.again()
	}
	return nil
}

// again comes back on a new connection.
func (g *guest) again() error {
	v, err := g.storm.connect()
	if err == nil {
		err = g.v.conn.Close()
		g.v = v
	}
	return err
}

// judge holds an answer against what its tag says.
func (g *guest) judge(a *answer, zone, target, coding string, floor int, fields string) error {
	tag := a.header.Get("ETag")
	if a.status >= 400 {
		if tag != "" {
			return errors.New("an error with a tag")
		}
		return nil
	}
	part := strings.Split(strings.Trim(tag, `"`), "|")
	if len(part) != 5 {
		return fmt.Errorf("the tag is %q", tag)
	}
	version, err := strconv.Atoi(part[3])
	switch {
	case err != nil:
		return err
	case part[0] != zone || part[1] != target:
		return errors.New("an answer of another zone or address")
	case part[2] != coding:
		return errors.New("another variant")
	case part[4] != "" && part[4] != g.name:
		return errors.New("an answer that was for " + part[4] + " alone")
	case version < floor:
		return fmt.Errorf("version %d, although %d was there before it was asked for", version, floor)
	case a.status == http.StatusNotModified && !strings.Contains(fields, "If-None-Match: "+tag):
		return errors.New("a 304 about a tag that was not asked about")
	case a.status == http.StatusNotModified:
		return nil
	}
	body := bodyOf(tag)
	if a.request.method == http.MethodHead {
		if length := a.header.Get("Content-Length"); length != "" && length != strconv.Itoa(len(body)) {
			return fmt.Errorf("HEAD says %s bytes, not %d", length, len(body))
		}
		return nil
	}
	if a.status == http.StatusPartialContent {
		first, size, ok := contentRange(a.header)
		if !ok || size != int64(len(body)) || first >= size {
			return errors.New("a part without its place")
		}
		body = body[first:]
		if a.err == nil {
			var last int64
			if _, err := fmt.Sscanf(a.header.Get("Content-Range"), "bytes %d-%d/", &first, &last); err != nil || last-first+1 != int64(len(a.body)) {
				return errors.New("a part of another length than its place")
			}
		}
	} else if a.err == nil && len(a.body) != len(body) {
		return fmt.Errorf("%d bytes of %d as the whole", len(a.body), len(body))
	}
	if !strings.HasPrefix(body, string(a.body)) {
		return errors.New("other bytes than the tag's")
	}
	return nil
}

// Many visitors ask for everything in every way, while pages change, the
// origin fails now and then, and people leave. Nobody gets another zone's,
// another variant's, another visitor's or an older answer, nor a part as the
// whole.
func TestStorm_everybodyGetsWhatItAskedFor(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if text := os.Getenv("SEAWALL_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEAWALL_SEED=%d gives everybody the same dice, though not the same order", seed)
	s := &storm{
		world: start(t, "zones:\n"+
			"  - {name: one.test, origin: {url: '{origin}', breaker: {off: true}}}\n"+
			"  - {name: two.test, origin: {url: '{origin}', breaker: {off: true}}}\n"),
		versions: map[string]int{}, changed: map[string]int{}, random: rand.New(rand.NewPCG(seed, 0)),
	}
	s.answers("/storm/", s.answer)
	const guests = 24
	rounds := crowdSize() * 3 / 10 // 60; 300 in the long form
	errs := make([]error, guests)
	var group sync.WaitGroup
	for i := range guests {
		g := &guest{storm: s, name: fmt.Sprintf("guest-%d", i), random: rand.New(rand.NewPCG(seed, uint64(i)+1)), seen: map[string]string{}, v: s.enter(t)}
		group.Go(func() {
			for round := 0; round < rounds && errs[i] == nil; round++ {
				errs[i] = g.wander()
			}
			_ = g.v.conn.Close()
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Errorf("%s", short(err.Error()))
	}
	for _, result := range []string{"hit", "stale", "revalidated", "uri-miss", "vary-miss", "collapsed", "served-stale", "partial"} {
		n := s.mustMetric(t, `seawall_cache_results_total{result="`+result+`"}`)
		if t.Logf("%d times %s", n, result); n == 0 {
			t.Errorf("nobody has seen %s; this proves little", result)
		}
	}
	s.forget(0)
	for n := range 4 {
		s.know("one.test", fmt.Sprintf("/storm/%d", n))
	}
	s.check(t)
}
