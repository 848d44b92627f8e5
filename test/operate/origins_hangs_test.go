package operate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestOrigins_aServerThatHangsSlowsNobodyElse: neither those of another zone
// nor those who get the other server. When its time is up, the visitors are
// told, and it gets a rest.
func TestOrigins_aServerThatHangsSlowsNobodyElse(t *testing.T) {
	t.Parallel()
	stuck, fine, elsewhere := newOrigin(t, "stuck"), newOrigin(t, "fine"), newOrigin(t, "elsewhere")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers("name: stuck, url: '"+stuck.url()+"'", "name: fine, url: '"+fine.url()+"'")+
		", first_byte_timeout: 6s, breaker: {failures: 4, rest: 1h, longest_rest: 1h}") +
		siteZone("other.test", "url: '"+elsewhere.url()+"'")})
	stuck.hang()
	fine.hang()
	// Eight each, by turns; then the other server goes on.
	const hung = 8
	var both queued
	both.ask(p, 2*hung, "site.test", "GET", "hung", oneOf500)
	p.await(t, "half to hang", stuck.has(hung))
	p.await(t, "the others", fine.has(hung))
	fine.release()
	p.await(t, "the others to be answered", fine.has(0))
	v, w := p.enter(t), p.enter(t)
	for i := range 200 {
		v.mustGet(t, "site.test", fmt.Sprintf("/quick/%d", i), http.StatusOK)
		w.mustGet(t, "other.test", fmt.Sprintf("/quick/%d", i), http.StatusOK)
	}
	if err := stuck.has(hung)(); err != nil {
		t.Errorf("two times 200 requests took longer than six seconds: %v", err)
	}
	if got := both.answers(); got["200"] != hung || got["504 origin-timeout"] != hung {
		t.Errorf("those whose requests hung got %v", got)
	}
	p.await(t, "the rest", p.serverIs("site.test", "stuck", "resting"))
	p.checkStatus(t, "stuck", "resting", "timeout")
	v.mustGet(t, "site.test", "/now", http.StatusOK)
	for key, n := range stuck.seen {
		if n+fine.count(key) != 1 {
			t.Errorf("%s was sent %d times, though a server that thinks is no reason to ask another", key, n+fine.count(key))
		}
	}
	p.checkWorld(t)
}

// TestOrigins_totalTimeout ends a request wherever it is: while the server
// thinks, in the middle of its answer, in the queue.
func TestOrigins_totalTimeout(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "only")
	o.answer = func(r *http.Request) string {
		if strings.Contains(r.RequestURI, "half") {
			return "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
		}
		return page("whole")
	}
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', total_timeout: 1s, max_requests: 1")})
	half := p.enter(t)
	began := time.Now()
	if a, err := half.ask("GET", "site.test", "/half"); err == nil || a.body != "half" || a.status != http.StatusOK {
		t.Errorf("an answer that does not end: %v, %v", a, err)
	}
	if took := time.Since(began); took < 900*time.Millisecond || took > time.Second+patience/2 {
		t.Errorf("cut after %v, with a timeout of a second", took)
	}
	o.hang()
	thinking, waiting := p.enter(t), p.enter(t)
	if err := thinking.send(asking("GET", "site.test", "/thinking")); err != nil {
		t.Fatal(err)
	}
	if err := waiting.send(asking("GET", "site.test", "/waiting")); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	for _, v := range []*visitor{thinking, waiting} {
		if a, err := v.receive(); err != nil || a.status != http.StatusGatewayTimeout || a.reason() != "origin-total" {
			t.Errorf("after a second: %v, %v", a, err)
		}
	}
	if took := time.Since(began); took > time.Second+patience/2 {
		t.Errorf("ended after %v, with a timeout of a second", took)
	}
	if err := p.serverIs("site.test", "s1", "well")(); err != nil {
		t.Errorf("a timeout that is the zone's is no fault of the server: %v", err)
	}
	p.checkWorld(t)
}

// TestOrigins_whoEndsHisSideIsWaitedForABit, for he may only have nothing more
// to ask; who resets the connection is not. The server is let go of either.
func TestOrigins_whoEndsHisSideIsWaitedForABit(t *testing.T) {
	t.Parallel()
	o, quick := newOrigin(t, "only"), newOrigin(t, "quick")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"'") + siteZone("quick.test", "url: '"+quick.url()+"'")})
	o.hang()
	quick.hang()
	gone, ended, patient := p.enter(t), p.enter(t), p.enter(t)
	for i, v := range []*visitor{gone, ended} { // not for each other
		if err := v.send(asking("GET", "site.test", fmt.Sprint("/wait/", i))); err != nil {
			t.Fatal(err)
		}
	}
	p.await(t, "both requests", o.has(2))
	if err := patient.send(asking("GET", "quick.test", "/wait")); err != nil {
		t.Fatal(err)
	}
	p.await(t, "the third", quick.has(1))
	began := time.Now()
	for _, v := range []*visitor{ended, patient} {
		if err := v.conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	reset(gone.conn)
	p.await(t, "the server to be let go of one", o.wasLeft(1))
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("a visitor who reset the connection was waited for %v", took)
	}
	quick.release()
	if a, err := patient.receive(); err != nil || a.status != http.StatusOK || a.body != "quick /wait" {
		t.Errorf("who has nothing more to ask gets his answer: %v, %v", a, err)
	}
	p.await(t, "the server to be let go of both", o.wasLeft(2))
	if took := time.Since(began); took < 9*time.Second {
		t.Errorf("a visitor who had ended his side was waited for %v only", took)
	}
	p.checkWorld(t)
}
