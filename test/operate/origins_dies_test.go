package operate_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestOrigins_theOnlyServerDies: every visitor is told why, the server gets a
// rest, then a single request, then care; and it is back within what the
// settings promise.
func TestOrigins_theOnlyServerDies(t *testing.T) {
	t.Parallel()
	const longestRest, carefully = time.Second, 3 * time.Second // as in restless
	o := newOrigin(t, "only")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', "+restless)})
	v := p.enter(t)
	v.mustGet(t, "site.test", "/first", http.StatusOK)
	if err := p.serverIs("site.test", "s1", "well")(); err != nil {
		t.Error(err)
	}

	o.die()
	said := map[string]int{}
	rests := 0
	p.await(t, "six rests", func() error {
		target := fmt.Sprintf("/dead/%d", rests)
		a, err := v.ask("GET", "site.test", target)
		if err != nil {
			t.Fatalf("while the server is dead: %v", err)
		}
		key := fmt.Sprint(a.status, " ", a.reason())
		said[key]++
		if key == "503 origin-down" && a.header.Get("Retry-After") == "" {
			t.Error("a page that says the server is down does not say when to come back")
		}
		if strings.Contains(a.body, "127.0.0.40") {
			t.Errorf("the server's address is on a page: %s", a.body)
		}
		if rests = strings.Count(p.said.String(), "a server fails and gets a rest"); rests < 6 {
			return fmt.Errorf("%d rests", rests)
		}
		return nil
	})
	for key := range said {
		if key != "502 origin-unreachable" && key != "503 origin-down" {
			t.Errorf("while the server was dead, %d visitors got %s", said[key], key)
		}
	}
	if said["502 origin-unreachable"] < 3 || said["503 origin-down"] == 0 {
		t.Errorf("while the server was dead, visitors got %v", said)
	}
	// Nobody asks for a while: the rest ends, and one request will be a trial.
	p.await(t, "a trial", p.serverIs("site.test", "s1", "trial"))
	p.checkStatus(t, "s1", "trial", "connection refused")
	before := strings.Count(p.said.String(), "a server fails and gets a rest")
	if a, err := v.ask("GET", "site.test", "/trial"); err != nil || a.reason() != "origin-unreachable" {
		t.Errorf("the trial while the server is dead: %v, %v", a, err)
	}
	p.awaitSaid(t, "a server fails and gets a rest", before+1) // one failure is enough now

	o.rise(t)
	began := time.Now()
	p.await(t, "the first answer", func() error {
		a, err := v.ask("GET", "site.test", "/back")
		if err == nil && a.status != http.StatusOK {
			err = errors.New(a.String())
		}
		return err
	})
	p.checkStatus(t, "s1", "careful", "connection refused")
	p.await(t, "the server to be well", p.serverIs("site.test", "s1", "well"))
	if took := time.Since(began); took > longestRest+carefully+patience/2 {
		t.Errorf("the server was well %v after its return, with a promise of %v", took, longestRest+carefully)
	}
	p.checkWorld(t)
}

// TestOrigins_aRequestThatMayCountIsNeverSentTwice: the server takes it and
// dies. A POST ends there with a page; a GET is repeated where that is the
// rule: once, when an idle connection was used that the server may have
// closed meanwhile, and on another server.
func TestOrigins_aRequestThatMayCountIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	deadly := func(r *http.Request) string { // what makes talk end the connection
		if strings.Contains(r.RequestURI, "deadly") {
			return ""
		}
		return page("fine")
	}
	first, second := newOrigin(t, "first"), newOrigin(t, "second")
	first.answer, second.answer = deadly, deadly
	calm := ", breaker: {off: true}"
	p := start(t, setup{config: "zones:\n" +
		siteZone("one.test", "url: '"+first.url()+"'"+calm) +
		siteZone("two.test", servers("url: '"+first.url()+"'", "url: '"+second.url()+"'")+calm) +
		siteZone("strict.test", "no_retry: true, "+servers("url: '"+first.url()+"'", "url: '"+second.url()+"'")+calm)})
	for i, c := range []struct {
		host, method string
		idle         bool // an idle connection is there
		want         int  // times that the request is seen
	}{
		{"one.test", "POST", false, 1},
		{"one.test", "POST", true, 1},
		{"one.test", "GET", false, 1},
		{"one.test", "GET", true, 2},
		{"two.test", "POST", false, 1},
		{"two.test", "POST", true, 1},
		{"two.test", "GET", false, 2},
		{"strict.test", "GET", false, 1},
		{"strict.test", "POST", true, 1},
	} {
		// No connection is left over from the case before.
		p.await(t, "no idle connection", p.nothingIdle)
		if c.idle {
			// With two servers each has one: requests take turns.
			for range 2 {
				if a, err := p.once("", "GET", c.host, "/warm"); err != nil || a.status != http.StatusOK {
					t.Fatalf("warm up: %v, %v", a, err)
				}
			}
		}
		target := fmt.Sprintf("/deadly/%d", i)
		a, err := p.once("", c.method, c.host, target)
		if err != nil || a.status != http.StatusBadGateway || a.reason() != "origin-closed" {
			t.Errorf("%s of %s, idle %v: %v, %v", c.method, c.host, c.idle, a, err)
		}
		if n := first.count(c.method+" "+target) + second.count(c.method+" "+target); n != c.want {
			t.Errorf("%s of %s, idle %v: seen %d times, not %d", c.method, c.host, c.idle, n, c.want)
		}
	}
	p.checkWorld(t)
}

// TestOrigins_oneOfTwoDiesThenBoth under load: the other one takes over, then
// the backup, and when all are back nobody needs that any more.
func TestOrigins_oneOfTwoDiesThenBoth(t *testing.T) {
	t.Parallel()
	big, small, spare := newOrigin(t, "big"), newOrigin(t, "small"), newOrigin(t, "spare")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers(
		"name: big, weight: 2, url: '"+big.url()+"'", "name: small, url: '"+small.url()+"'", "name: spare, backup: true, url: '"+spare.url()+"'")+
		", breaker: {failures: 3, rest: 200ms, longest_rest: 500ms, return: 1s}")})
	g := p.throng("site.test", 32)
	p.await(t, "the first answers", g.asked(200))
	if n := spare.total(); n != 0 {
		t.Errorf("the backup got %d requests while others were well", n)
	}

	big.die()
	p.await(t, "answers without the big server", g.asked(300))
	p.await(t, "its rest", p.serverIs("site.test", "big", "resting"))
	p.checkStatus(t, "small", "well", "")
	small.die()
	before := spare.total()
	p.await(t, "answers of the backup", g.asked(300))
	if spare.total() == before {
		t.Error("nobody got an answer of the backup")
	}
	p.checkStatus(t, "spare", "well", "")

	small.rise(t)
	big.rise(t)
	for _, s := range []string{"big", "small"} {
		p.await(t, s+" to be well", p.serverIs("site.test", s, "well"))
	}
	before = spare.total()
	p.await(t, "answers of those who are back", g.asked(100))
	by := g.leave()
	if n := spare.total() - before; n > 0 {
		t.Errorf("the backup got %d requests after the others had come back", n)
	}
	checkSeen(t, by, big, small, spare)
	// A GET is asked again wherever it has to be. Of the POSTs those fail that
	// were on their way when a server died: at most one for each visitor.
	checkOnly(t, by, "GET")
	if lost := checkOnly(t, by, "POST", "502 origin-closed"); lost > 2*32 {
		t.Errorf("%d POSTs got an error, with 32 visitors and two deaths", lost)
	}

	p.checkWorld(t)
}

// TestOrigins_sharesGoByWeight, and again when a server was dead in between.
func TestOrigins_sharesGoByWeight(t *testing.T) {
	t.Parallel()
	big, small := newOrigin(t, "big"), newOrigin(t, "small")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers(
		"name: big, weight: 2, url: '"+big.url()+"'", "name: small, url: '"+small.url()+"'")+
		", breaker: {failures: 3, rest: 200ms, return: 1s}")})
	v := p.enter(t)
	shares := func(when string, least, most int) {
		t.Helper()
		before := big.total()
		for i := range 60 {
			v.mustGet(t, "site.test", fmt.Sprintf("/%s/%d", when, i), http.StatusOK)
		}
		if n := big.total() - before; n < least || n > most {
			t.Errorf("%s: of 60 requests the server of weight 2 got %d, the one of weight 1 the rest", when, n)
		}
	}
	shares("first", 39, 41)
	big.die()
	shares("dead", 0, 0)
	p.await(t, "its rest to end", p.serverIs("site.test", "big", "trial"))
	big.rise(t)
	shares("back", 38, 42)
	p.await(t, "it to be well", p.serverIs("site.test", "big", "well"))
	shares("well", 38, 42)
	p.checkWorld(t)
}

// TestOrigins_twoServersFlap, one dead at a time: whatever may be asked again
// is answered, however often they change.
func TestOrigins_twoServersFlap(t *testing.T) {
	t.Parallel()
	one, other := newOrigin(t, "one"), newOrigin(t, "other")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test",
		servers("url: '"+one.url()+"'", "url: '"+other.url()+"'")+", breaker: {off: true}")})
	const visitors, deaths = 8, 20
	g := p.throng("site.test", visitors)
	for i := range deaths {
		o := []*origin{one, other}[i%2]
		// Nobody is on his way through both deaths.
		p.await(t, "answers for everybody", g.everybody(2))
		o.die()
		p.await(t, "answers of the other", g.everybody(2))
		o.rise(t)
	}
	by := g.leave()
	checkSeen(t, by, one, other)
	checkOnly(t, by, "GET")
	if lost := checkOnly(t, by, "POST", "502 origin-closed"); lost > deaths*visitors {
		t.Errorf("%d POSTs got an error, with %d visitors and %d deaths", lost, visitors, deaths)
	}
	p.checkWorld(t)
}
