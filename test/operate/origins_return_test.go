package operate_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestOrigins_timeoutsHoldForWhoEndedHisSide, too.
func TestOrigins_timeoutsHoldForWhoEndedHisSide(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "only")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', first_byte_timeout: 2s")})
	o.hang()
	v := p.enter(t)
	began := time.Now()
	if err := v.send(asking("GET", "site.test", "/wait")); err != nil {
		t.Fatal(err)
	}
	if err := v.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	a, err := v.receive()
	if err != nil || a.reason() != "origin-timeout" {
		t.Errorf("after first_byte_timeout: %v, %v", a, err)
	}
	if took := time.Since(began); took > 7*time.Second {
		t.Errorf("a timeout of 2s ended the wait after %v", took)
	}
	p.checkWorld(t)
}

// TestOrigins_aTrialKeepsNobodyFromTheBackup: a server that is on trial is not
// well, and may take its time to show it.
func TestOrigins_aTrialKeepsNobodyFromTheBackup(t *testing.T) {
	t.Parallel()
	main, spare := newOrigin(t, "main"), newOrigin(t, "spare")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers("name: main, url: '"+main.url()+"'", "name: spare, backup: true, url: '"+spare.url()+"'")+
		", queue: {timeout: 2s}, first_byte_timeout: 30s, breaker: {failures: 1, rest: 200ms}")})
	main.die()
	v := p.enter(t)
	v.mustGet(t, "site.test", "/dead", http.StatusOK)
	p.await(t, "the rest to end", p.serverIs("site.test", "main", "trial"))
	main.rise(t)
	main.hang()
	if err := p.enter(t).send(asking("GET", "site.test", "/trial")); err != nil {
		t.Fatal(err)
	}
	p.await(t, "the trial", main.has(1))
	for i := range 3 {
		if a, err := v.ask("GET", "site.test", fmt.Sprintf("/meanwhile/%d", i)); err != nil || a.status != http.StatusOK {
			t.Errorf("while the main server is on trial and the backup is well: %v, %v", a, err)
		}
	}
	main.release()
	p.checkWorld(t)
}

// TestOrigins_longConnectionsDoNotKeepAServerFromReturning: what was open
// before the rest is not the trial.
func TestOrigins_longConnectionsDoNotKeepAServerFromReturning(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "only")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', "+restless+", queue: {timeout: 1s}")})
	o.hang()
	const long = 30
	for i := range long {
		if err := p.enter(t).send(asking("GET", "site.test", fmt.Sprint("/poll/", i))); err != nil {
			t.Fatal(err)
		}
	}
	p.await(t, "the long polls", o.has(long))
	o.stopListening() // restarted gracefully: the long polls go on in the old process
	v := p.enter(t)
	p.await(t, "a rest", func() error {
		_, err := v.ask("GET", "site.test", "/dead")
		return errors.Join(err, p.serverIs("site.test", "s1", "resting")())
	})
	o.mu.Lock()
	hold := o.hold
	o.hold = nil // new requests are answered
	o.mu.Unlock()
	o.rise(t)
	began := time.Now()
	p.await(t, "the server to be back", func() error {
		a, err := v.ask("GET", "site.test", "/back")
		if err == nil && a.status != http.StatusOK {
			err = errors.New(a.String())
		}
		return err
	})
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("back after %v", took)
	}
	close(hold)
	p.checkWorld(t)
}

// TestOrigins_theReturnIsSaid once, also when the care ended by time.
func TestOrigins_theReturnIsSaid(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "only")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', breaker: {failures: 1, rest: 200ms, return: 300ms}")})
	o.die()
	v := p.enter(t)
	if a, err := v.ask("GET", "site.test", "/dead"); err != nil || a.status != http.StatusBadGateway {
		t.Errorf("dead: %v, %v", a, err)
	}
	o.rise(t)
	p.await(t, "the server to be back", func() error {
		a, err := v.ask("GET", "site.test", "/back")
		if err == nil && a.status != http.StatusOK {
			err = errors.New(a.String())
		}
		return err
	})
	p.await(t, "it to be well", p.serverIs("site.test", "s1", "well"))
	v.mustGet(t, "site.test", "/well", http.StatusOK)
	p.awaitSaid(t, "a server is back", 1)
	p.checkWorld(t)
}

// TestOrigins_sharesAfterLoad: what was chosen by load is no debt.
func TestOrigins_sharesAfterLoad(t *testing.T) {
	t.Parallel()
	slow, fast := newOrigin(t, "slow"), newOrigin(t, "fast")
	slow.takes = 5 * time.Millisecond
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers("url: '"+slow.url()+"'", "url: '"+fast.url()+"'"))})
	g := p.throng("site.test", 16)
	p.await(t, "load", g.asked(3000))
	g.leave()
	before := slow.total()
	v := p.enter(t)
	for i := range 100 {
		v.mustGet(t, "site.test", fmt.Sprintf("/calm/%d", i), http.StatusOK)
	}
	if n := slow.total() - before; n > 60 {
		t.Errorf("after the load the slow one of two equal servers got %d of 100 requests", n)
	}
	p.checkWorld(t)
}
