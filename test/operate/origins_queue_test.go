package operate_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// queued is visitors with one request each, all of whom have asked already.
type queued struct {
	done sync.WaitGroup
	mu   sync.Mutex
	got  map[string]string // status and reason, or what went wrong, by target
}

// ask sends n requests, each on a connection of its own.
func (q *queued) ask(p *program, n int, host, method, mark string, from func(i int) string) {
	for i := range n {
		q.done.Go(func() {
			target := fmt.Sprintf("/%s/%d", mark, i)
			a, err := p.once(from(i), method, host, target)
			said := strings.TrimSpace(fmt.Sprintf("%d %s", a.status, a.reason()))
			if err != nil {
				said = err.Error()
			}
			q.mu.Lock()
			defer q.mu.Unlock()
			if q.got == nil {
				q.got = map[string]string{}
			}
			q.got[target] = said
		})
	}
}

// busy counts those that were told that the server has too much to do.
func (q *queued) busy() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, said := range q.got {
		if said == "503 origin-busy" {
			n++
		}
	}
	return n
}

// answers waits for all and counts them by what they say.
func (q *queued) answers() map[string]int {
	q.done.Wait()
	n := map[string]int{}
	for _, said := range q.got {
		n[said]++
	}
	return n
}

// oneOf500 is an address of this machine for each visitor; oneForAll is the
// address of somebody who asks for a lot.
func oneOf500(i int) string { return fmt.Sprintf("127.1.%d.%d", i/200, i%200+1) }
func oneForAll(int) string  { return "127.0.0.50" }

// TestOrigins_returnUnderAQueueOfAThousand: eight requests at a time, the
// server hangs until a thousand wait, dies, and returns. It is never asked
// for more than it takes, everybody gets an answer, and who asked for five
// hundred things holds up nobody who asked for one.
func TestOrigins_returnUnderAQueueOfAThousand(t *testing.T) {
	t.Parallel()
	const most, length = 8, 1000
	o := newOrigin(t, "only")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", fmt.Sprintf("url: '%s', max_requests: %d, "+
		"queue: {length: %d, timeout: 60s}, breaker: {failures: %d, rest: 500ms, longest_rest: 1s, return: 2s}", o.url(), most, length, 2*most))})
	o.hang()
	var first, greedy, modest queued
	first.ask(p, most, "site.test", "GET", "first", oneForAll)
	p.await(t, "the server to have all it takes", o.has(most))
	greedy.ask(p, length/2, "site.test", "POST", "greedy", oneForAll)
	p.await(t, "half the queue", p.queueIs("site.test", length/2))
	modest.ask(p, length/2, "site.test", "GET", "modest", oneOf500)
	p.await(t, "the whole queue", p.queueIs("site.test", length))

	const late = 5
	for i := range late {
		a, err := p.once(oneForAll(i), "GET", "site.test", fmt.Sprintf("/late/%d", i))
		if err != nil || a.status != http.StatusServiceUnavailable || a.reason() != "origin-busy" || a.header.Get("Retry-After") == "" {
			t.Fatalf("behind a full queue: %v, Retry-After %q, %v", a, a.header.Get("Retry-After"), err)
		}
		if o.count(fmt.Sprintf("GET /late/%d", i)) != 0 {
			t.Fatal("a request that the queue had no room for was sent all the same")
		}
	}
	// Who has not had his share gets room at the cost of who has the most.
	var latest queued
	latest.ask(p, late, "site.test", "GET", "latest", func(int) string { return "127.0.0.51" })
	p.await(t, "room to be made", func() error {
		if n := greedy.busy(); n != late {
			return fmt.Errorf("%d have made room, not %d", n, late)
		}
		return p.queueIs("site.test", length)()
	})

	o.takes = time.Millisecond // nobody reads it before the server is back
	o.die()
	p.await(t, "the rest", p.serverIs("site.test", "s1", "resting"))
	dead := o.total()
	o.rise(t)
	all := map[string]int{}
	for _, q := range []*queued{&first, &greedy, &modest, &latest} {
		for said, n := range q.answers() {
			all[said] += n
		}
	}
	// Those at the server when it died, and those that tell that it is dead.
	if lost := all["502 origin-closed"] + all["502 origin-unreachable"]; lost > 4*most || all["503 origin-busy"] != late || all["200"] != most+length-lost {
		t.Errorf("the answers were %v", all)
	}
	o.mu.Lock()
	order, highest := o.order[dead:], o.most
	for key, n := range o.seen {
		if n > 1 {
			t.Errorf("%s was sent %d times", key, n)
		}
	}
	o.mu.Unlock()
	if highest > most {
		t.Errorf("the server had %d requests at a time, with a limit of %d", highest, most)
	}
	last, before := 0, 0
	for i, key := range order {
		if strings.HasPrefix(key, "GET /modest/") || strings.HasPrefix(key, "GET /latest/") {
			last = i
		}
	}
	for _, key := range order[:last] {
		if strings.HasPrefix(key, "POST /greedy/") {
			before++
		}
	}
	if before > 3*most {
		t.Errorf("%d requests of one visitor were sent before the last of those who had one", before)
	}
	p.checkWorld(t)
}

// TestOrigins_theQueueHasATimeout, and a visitor who leaves leaves the queue.
func TestOrigins_theQueueHasATimeout(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "only")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', max_requests: 1, queue: {timeout: 3s}")})
	o.hang()
	busy := p.enter(t)
	if err := busy.send(asking("GET", "site.test", "/busy")); err != nil {
		t.Fatal(err)
	}
	p.await(t, "the request", o.has(1))
	leaving, waiting := p.enter(t), p.enter(t)
	began := time.Now()
	for i, v := range []*visitor{waiting, leaving} { // not for each other
		if err := v.send(asking("GET", "site.test", fmt.Sprint("/waiting/", i))); err != nil {
			t.Fatal(err)
		}
	}
	p.await(t, "both to wait", p.queueIs("site.test", 2))
	reset(leaving.conn)
	p.await(t, "one to leave the queue", p.queueIs("site.test", 1))
	a, err := waiting.receive()
	if err != nil || a.reason() != "origin-busy" || a.header.Get("Retry-After") == "" {
		t.Errorf("after the queue's timeout: %v, %v", a, err)
	}
	if took := time.Since(began); took < 3*time.Second {
		t.Errorf("waited %v, less than the timeout", took)
	}
	o.release()
	if a, err := busy.receive(); err != nil || a.status != http.StatusOK {
		t.Errorf("the request that was at the server: %v, %v", a, err)
	}
	if n := o.count("GET /waiting"); n != 0 {
		t.Errorf("%d requests were sent after all", n)
	}
	waiting.mustGet(t, "site.test", "/after", http.StatusOK)
	p.checkWorld(t)
}

// TestOrigins_aZoneIsRemovedWhileRequestsWait in its queue: they get an
// answer, and so does the one that is at the server. Another zone's weights
// change meanwhile: whose connections those are not, keeps them.
func TestOrigins_aZoneIsRemovedWhileRequestsWait(t *testing.T) {
	t.Parallel()
	o, steady, one, other := newOrigin(t, "only"), newOrigin(t, "steady"), newOrigin(t, "one"), newOrigin(t, "other")
	lasting := siteZone("steady.test", "url: '"+steady.url()+"', keep_idle: 30s", "hosts: [steady.test]")
	weights := func(weight int) string {
		return siteZone("pair.test", servers(fmt.Sprintf("weight: %d, url: '%s'", weight, one.url()), "url: '"+other.url()+"'"))
	}
	going := siteZone("site.test", "url: '"+o.url()+"', max_requests: 1, queue: {timeout: 60s}")
	p := start(t, setup{config: "zones:\n" + lasting + weights(1) + going})
	v := p.enter(t)
	v.mustGet(t, "steady.test", "/before", http.StatusOK)
	v.mustGet(t, "pair.test", "/before", http.StatusOK)
	o.hang()
	var waiting queued
	waiting.ask(p, 20, "site.test", "GET", "waiting", oneForAll)
	p.await(t, "the queue", p.queueIs("site.test", 19))

	p.write(t, "zones:\n"+lasting+weights(3))
	p.signal(t, syscall.SIGHUP)
	p.awaitSaid(t, "configuration reloaded", 1)
	p.await(t, "the zone to be gone", func() error {
		a, err := v.ask("GET", "site.test", "/gone")
		if err == nil && a.reason() != "unknown-host" {
			err = fmt.Errorf("%v", a)
		}
		return err
	})
	p.await(t, "the queue to be told", p.metricIs("seawall_connections_open", 2)) // ours, and the one at the server
	o.release()
	if got := waiting.answers(); got["200"] != 1 || got["503 origin-down"] != 19 {
		t.Errorf("requests that waited while their zone was removed got %v", got)
	}
	for i := range 8 {
		v.mustGet(t, "steady.test", fmt.Sprintf("/after/%d", i), http.StatusOK)
		v.mustGet(t, "pair.test", fmt.Sprintf("/after/%d", i), http.StatusOK)
	}
	if n := steady.connections(); n != 1 {
		t.Errorf("the zone that did not change has made %d connections", n)
	}
	if n := one.total(); n < 5 {
		t.Errorf("with the new weight the server got %d requests", n)
	}
	steady.die() // its idle connection would be kept for long
	p.await(t, "no idle connection", func() error { _, _ = v.ask("GET", "steady.test", "/end"); return p.nothingIdle() })
	p.checkWorld(t)
}
