package origin

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/spec"
)

func TestBalance_sharesByWeightOneAfterTheOther(t *testing.T) {
	g := idle(t, spec.OriginSpec{}, spec.ServerSpec{Weight: 5}, spec.ServerSpec{Weight: 1}, spec.ServerSpec{Weight: 1}, spec.ServerSpec{Backup: true})
	for round := range 20 {
		var got []string
		for range 7 {
			c := mustChoose(t, g, requestFrom("192.0.2.1"))
			got = append(got, c.server)
			c.end()
		}
		if order, want := strings.Join(got, " "), "s1 s1 s2 s1 s3 s1 s1"; order != want {
			t.Fatalf("round %d: %s, want %s", round, order, want)
		}
	}
}

func TestBalance_sharesByWeightAtTheSameTime(t *testing.T) {
	g := idle(t, spec.OriginSpec{}, spec.ServerSpec{Weight: 6}, spec.ServerSpec{Weight: 3}, spec.ServerSpec{})
	count := map[string]int{}
	for range 100 {
		count[mustChoose(t, g, requestFrom("192.0.2.1")).server]++
	}
	if count["s1"] != 60 || count["s2"] != 30 || count["s3"] != 10 {
		t.Error(count)
	}
}

func TestBalance_owesNobodyForTheTimeHeWasBusy(t *testing.T) {
	g := idle(t, spec.OriginSpec{}, spec.ServerSpec{}, spec.ServerSpec{})
	var long []turn
	for range 20 {
		long = append(long, mustChoose(t, g, requestFrom("192.0.2.1")))
	}
	for _, c := range long { // the first server becomes idle, the second has ten
		if c.server == "s1" {
			c.end()
		}
	}
	for range 10_000 {
		c := mustChoose(t, g, requestFrom("192.0.2.1"))
		if c.server != "s1" {
			t.Fatal("the busy one got a request")
		}
		c.end()
	}
	for _, c := range long {
		if c.server == "s2" {
			c.end()
		}
	}
	count := map[string]int{}
	for range 100 {
		c := mustChoose(t, g, requestFrom("192.0.2.1"))
		count[c.server]++
		c.end()
	}
	if count["s1"] != 50 {
		t.Errorf("of a hundred requests when both are idle: %v", count)
	}
}

func TestBalance_asksABackupOnlyWhileNoOtherIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1}, spec.ServerSpec{}, spec.ServerSpec{}, spec.ServerSpec{Backup: true})
		first, second := mustChoose(t, g, requestFrom("192.0.2.1")), mustChoose(t, g, requestFrom("192.0.2.1"))
		if first.server == "s3" || second.server == "s3" {
			t.Fatal("the backup was asked at once")
		}
		// Busy is not broken: who comes now waits.
		waits := make(chan turn)
		go func() { waits <- choose(g, requestFrom("192.0.2.1")) }()
		synctest.Wait()
		if g.Stats().Waiting != 1 {
			t.Fatal("nobody waits")
		}
		first.end()
		third := <-waits
		if third.server != first.server {
			t.Errorf("who waited got %+v", third)
		}
		second.end()
		third.end()
		wrecked(g, g.servers[0])
		if c := mustChoose(t, g, requestFrom("192.0.2.1")); c.server != "s2" {
			t.Errorf("with one of two left: %s", c.server)
		} else {
			c.end()
		}
		wrecked(g, g.servers[1])
		if c := mustChoose(t, g, requestFrom("192.0.2.1")); c.server != "s3" {
			t.Errorf("with none left: %s", c.server)
		} else {
			c.end()
		}
		<-time.After(time.Second) // one is back: it gets a trial
		if c := mustChoose(t, g, requestFrom("192.0.2.1")); c.server == "s3" {
			t.Error("the backup is asked though another is back")
		}
	})
}

func TestBalance_asksABackupWhileTheOtherIsOnTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{}, spec.ServerSpec{}, spec.ServerSpec{Backup: true})
		wrecked(g, g.servers[0])
		<-time.After(time.Second)
		if c := mustChoose(t, g, requestFrom("192.0.2.1")); c.server != "s1" {
			t.Fatalf("no trial: %s", c.server)
		}
		began := time.Now() // the trial hangs
		for range 10 {
			if c := choose(g, requestFrom("192.0.2.1")); c.server != "s2" || time.Since(began) != 0 {
				t.Fatalf("behind a trial that hangs: %+v after %v", c, time.Since(began))
			}
		}
	})
}

func TestBalance_doesNotHoldOldRequestsAgainstAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{})
		socket := mustChoose(t, g, requestFrom("192.0.2.1")) // stays open all day
		wrecked(g, g.servers[0])
		<-time.After(time.Second)
		began := time.Now()
		trial := choose(g, requestFrom("192.0.2.1"))
		if trial.server != "s1" || time.Since(began) != 0 {
			t.Fatalf("no trial while an old request goes on: %+v after %v", trial, time.Since(began))
		}
		// Nor its failure: it was sent before the rest.
		g.failed(socket.slot, fail(seawall.ReasonOriginTimeout, errTotal), netip.MustParseAddr("192.0.2.2"))
		if state := g.Servers()[0].State; state != "trial" {
			t.Errorf("an old failure makes it %s", state)
		}
		g.succeeded(trial.slot)
		if c := choose(g, requestFrom("192.0.2.1")); c.server != "s1" || time.Since(began) != 0 {
			t.Errorf("no return while an old request goes on: %+v", c)
		}
		socket.end()
		if n := g.servers[0].active.Load(); n != 2 {
			t.Errorf("%d active", n)
		}
	})
}

func TestBalance_asksOnTheWordOfChecksAloneNobodyLess(t *testing.T) {
	g := idle(t, spec.OriginSpec{Check: spec.CheckSpec{Failures: 1, Passes: 1}}, spec.ServerSpec{}, spec.ServerSpec{Backup: true})
	wrong := errors.New("status 404")
	g.checked(g.servers[0], wrong)
	if c := mustChoose(t, g, requestFrom("192.0.2.1")); c.server != "s2" {
		t.Errorf("%s gets a request that is down", c.server)
	} else {
		c.end()
	}
	g.checked(g.servers[1], wrong)
	mustChoose(t, g, requestFrom("192.0.2.1")).end()
	for _, s := range g.Servers() {
		if s.State != "down" || s.Why != "status 404" {
			t.Errorf("%+v", s)
		}
	}
	// What requests have shown is another matter.
	wrecked(g, g.servers[0])
	wrecked(g, g.servers[1])
	if c := choose(g, requestFrom("192.0.2.1")); c.why != seawall.ReasonOriginDown {
		t.Errorf("%+v", c)
	}
}

func TestBalance_neverGivesAServerMoreThanItsLimit(t *testing.T) {
	noLeak(t)
	slow := make(chan struct{})
	handle := func(w http.ResponseWriter, _ *http.Request) { <-slow; says("ok")(w, nil) }
	one, two := newBackend(t, handle), newBackend(t, handle)
	goOn := sync.OnceFunc(func() { close(slow) })
	t.Cleanup(goOn)
	g := newGroup(t, spec.OriginSpec{MaxRequests: 7, Queue: spec.QueueSpec{Timeout: spec.Duration(time.Minute)}, Servers: []spec.ServerSpec{{URL: one.url}, {URL: two.url, MaxRequests: 3}}})
	var visitors sync.WaitGroup
	for i := range 1000 {
		visitors.Go(func() {
			if body, why := ask(g, requestFrom(fmt.Sprintf("192.0.2.%d", i%250))); body != "ok" {
				t.Errorf("%q, %s", body, why)
			}
		})
	}
	eventually(t, "both servers are full, the others wait", func() bool { return one.now.Load() == 7 && two.now.Load() == 3 && g.Stats().Waiting == 990 })
	goOn()
	visitors.Wait()
	if one.most.Load() != 7 || two.most.Load() != 3 {
		t.Errorf("%d and %d at the same time", one.most.Load(), two.most.Load())
	}
	if n := one.asked.Load() + two.asked.Load(); n != 1000 || g.Stats().Waiting != 0 {
		t.Errorf("%d requests, %d wait", n, g.Stats().Waiting)
	}
	for _, s := range g.servers {
		if s.active.Load() != 0 {
			t.Errorf("%s has %d requests in the end", s.name, s.active.Load())
		}
	}
	g.Close()
}
