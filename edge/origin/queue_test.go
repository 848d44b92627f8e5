package origin

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/spec"
)

// crowd lets visitors wait for a group's one server, each in his own
// goroutine and in this order; what becomes of them arrives in order, too.
func crowd(g *Group, addresses ...string) <-chan turn {
	turns := make(chan turn, len(addresses))
	for _, a := range addresses {
		go func() { turns <- choose(g, requestFrom(a)) }()
		synctest.Wait()
	}
	return turns
}

func TestQueue_letsVisitorsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1})
		first := mustChoose(t, g, requestFrom("192.0.2.9"))
		greedy := slices.Repeat([]string{"192.0.2.1"}, 500)
		// The addresses of one IPv6 subscriber are one visitor.
		for i := range 50 {
			greedy = append(greedy, fmt.Sprintf("2001:db8::%x", i+1))
		}
		turns := crowd(g, append(greedy, "192.0.2.2")...)
		if n := g.Stats().Waiting; n != 551 {
			t.Fatalf("%d wait", n)
		}
		first.end()
		var order []string
		for range 551 {
			next := <-turns
			if next.end == nil {
				t.Fatalf("%+v", next)
			}
			order = append(order, next.visitor)
			next.end()
		}
		if at := slices.Index(order, "192.0.2.2"); at > 2 {
			t.Errorf("%d were served before the one", at)
		}
		if g.Stats().Waiting != 0 || g.servers[0].active.Load() != 0 {
			t.Errorf("%+v, %d active", g.Stats(), g.servers[0].active.Load())
		}
	})
}

func TestQueue_isLeftInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1, Queue: spec.QueueSpec{Length: 3, Timeout: spec.Duration(2500 * time.Millisecond)}})
		first := mustChoose(t, g, requestFrom("192.0.2.9"))
		began := time.Now()
		turns := crowd(g, "192.0.2.1", "192.0.2.2", "192.0.2.3")
		if c := choose(g, requestFrom("192.0.2.4")); c.why != seawall.ReasonOriginBusy || time.Since(began) != 0 {
			t.Errorf("one too many: %+v after %v", c, time.Since(began))
		}
		for range 3 {
			if c := <-turns; c.why != seawall.ReasonOriginBusy || time.Since(began) != 2500*time.Millisecond {
				t.Errorf("%+v after %v", c, time.Since(began))
			}
		}
		first.end()
		if g.Stats().Waiting != 0 || g.servers[0].active.Load() != 0 {
			t.Errorf("%+v, %d active", g.Stats(), g.servers[0].active.Load())
		}
	})
}

func TestQueue_forgetsWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1})
		first := mustChoose(t, g, requestFrom("192.0.2.9"))
		x, out := request("GET")
		left := make(chan turn)
		go func() { left <- choose(g, x) }()
		stays := crowd(g, "192.0.2.8")
		began := time.Now()
		out.gone.Store(true)
		if c := <-left; c.why != seawall.ReasonVisitorGone || time.Since(began) > time.Second {
			t.Errorf("%+v after %v", c, time.Since(began))
		}
		if n := g.Stats().Waiting; n != 1 {
			t.Errorf("%d wait", n)
		}
		first.end()
		if c := <-stays; c.server != "s1" {
			t.Errorf("who stayed got %+v", c)
		}
	})
}

func TestQueue_tellsThoseWhoWaitWhenTheZoneChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1})
		first := mustChoose(t, g, requestFrom("192.0.2.9"))
		turns := crowd(g, "192.0.2.1", "192.0.2.2")
		began := time.Now()
		g.Close()
		for range 2 {
			if c := <-turns; c.why != seawall.ReasonOriginDown || time.Since(began) != 0 {
				t.Errorf("%+v after %v", c, time.Since(began))
			}
		}
		if c := choose(g, requestFrom("192.0.2.1")); c.why != seawall.ReasonOriginDown {
			t.Errorf("afterwards: %+v", c)
		}
		first.end()
	})
}

func TestQueue_isNotPassedByNewcomers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1})
		mustChoose(t, g, requestFrom("192.0.2.9"))
		turns := crowd(g, "192.0.2.1")
		g.servers[0].active.Add(-1) // release got this far when somebody else comes
		go choose(g, requestFrom("192.0.2.9"))
		synctest.Wait()
		select {
		case c := <-turns:
			if c.server != "s1" {
				t.Errorf("%+v", c)
			}
		default:
			t.Error("a newcomer was served first")
		}
		g.Close()
	})
}

func TestQueue_isNotFilledByOneVisitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1, Queue: spec.QueueSpec{Length: 100}})
		first := mustChoose(t, g, requestFrom("192.0.2.9"))
		crowd(g, slices.Repeat([]string{"192.0.2.1"}, 100)...)
		one := crowd(g, "192.0.2.2")
		select {
		case c := <-one:
			t.Fatalf("one visitor has all the places; another one: %s", c.why)
		default:
		}
		if n := g.Stats().Waiting; n != 100 {
			t.Errorf("%d wait", n)
		}
		first.end()
		synctest.Wait()
		g.Close()
	})
}

func TestQueue_isServedByOthersWhenAServerGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1, Check: spec.CheckSpec{Failures: 1}}, spec.ServerSpec{}, spec.ServerSpec{Backup: true})
		mustChoose(t, g, requestFrom("192.0.2.9")) // and hangs
		turns := crowd(g, "192.0.2.1")
		began := time.Now()
		g.checked(g.servers[0], errTotal)
		if c := <-turns; c.server != "s2" || time.Since(began) != 0 {
			t.Errorf("a backup is there: %+v after %v", c, time.Since(began))
		}
	})
}

func TestQueue_isServedWhenARestIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 2})
		one, two := mustChoose(t, g, requestFrom("192.0.2.9")), mustChoose(t, g, requestFrom("192.0.2.9"))
		turns := crowd(g, "192.0.2.1", "192.0.2.2", "192.0.2.3")
		wrecked(g, g.servers[0])
		one.end()
		two.end()
		began := time.Now()
		trial := <-turns
		if trial.server != "s1" || time.Since(began) != time.Second {
			t.Fatalf("%+v after %v", trial, time.Since(began))
		}
		synctest.Wait()
		if len(turns) != 0 {
			t.Error("more than one on trial")
		}
		g.succeeded(trial.slot)
		if c := <-turns; c.server != "s1" || time.Since(began) != time.Second {
			t.Errorf("after the trial went well: %+v after %v", c, time.Since(began))
		}
		trial.end()
		if c := <-turns; c.server != "s1" || time.Since(began) != time.Second {
			t.Errorf("after the trial's end: %+v after %v", c, time.Since(began))
		}
	})
}

func TestQueue_isServedWhenCareEndsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{Queue: spec.QueueSpec{Timeout: spec.Duration(time.Minute)}})
		wrecked(g, g.servers[0])
		<-time.After(time.Second)
		g.succeeded(mustChoose(t, g, requestFrom("192.0.2.9")).slot) // its body takes long
		mustChoose(t, g, requestFrom("192.0.2.9"))
		began := time.Now()
		turns := crowd(g, "192.0.2.1", "192.0.2.2")
		for range 2 {
			if c := <-turns; c.server != "s1" || time.Since(began) > 11*time.Second {
				t.Errorf("%+v after %v", c, time.Since(began))
			}
		}
	})
}
