package origin

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/spec"
)

// longRest is a breaker that opens after three failures, for longer than any
// test runs.
var longRest = spec.BreakerSpec{Failures: 3, Rest: spec.Duration(time.Hour), LongestRest: spec.Duration(time.Hour)}

func TestRest_sparesAServerThatFails(t *testing.T) {
	dead, good := newBackend(t, hangsUp), newBackend(t, says("ok"))
	alone := newGroup(t, spec.OriginSpec{URL: dead.url, Breaker: longRest})
	for i := range 20 {
		want := seawall.ReasonOriginClosed
		if i >= 3 {
			want = seawall.ReasonOriginDown
		}
		if _, why := ask(alone, requestFrom(fmt.Sprintf("192.0.2.%d", i))); why != want {
			t.Errorf("request %d: %s, want %s", i, why, want)
		}
	}
	if n := dead.accepted.Load(); n != 3 {
		t.Errorf("%d connections to a server that rests after three", n)
	}
	dead.asked.Store(0)
	both := newGroup(t, spec.OriginSpec{Servers: []spec.ServerSpec{{URL: dead.url}, {URL: good.url}}, Breaker: longRest})
	for i := range 40 {
		if body, why := ask(both, requestFrom(fmt.Sprintf("192.0.2.%d", i))); body != "ok" {
			t.Errorf("request %d: %q, %s", i, body, why)
		}
	}
	if n := dead.asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
	if s := both.Servers(); s[0].State != "resting" || s[0].Why == "" || s[0].Failures != 3 || s[1].State != "well" {
		t.Errorf("%+v", s)
	}
}

func TestRest_isNotBroughtAboutByOneVisitor(t *testing.T) {
	dead := newBackend(t, hangsUp)
	g := newGroup(t, spec.OriginSpec{URL: dead.url, Breaker: longRest})
	for range 20 {
		if _, why := ask(g, requestFrom("192.0.2.1")); why != seawall.ReasonOriginClosed {
			t.Fatal(why)
		}
	}
	// Nor by the addresses of one subscriber.
	g = newGroup(t, spec.OriginSpec{URL: dead.url, Breaker: longRest})
	for i := range 20 {
		ask(g, requestFrom(fmt.Sprintf("2001:db8::%x", i+1)))
	}
	if state := g.Servers()[0].State; state != "well" {
		t.Fatal(state)
	}
	// Others who find the same say so.
	ask(g, requestFrom("192.0.2.2"))
	if state := g.Servers()[0].State; state != "resting" {
		t.Errorf("after failures of two visitors: %s", state)
	}
	// Where the first failure is to be enough it is.
	strict := longRest
	strict.Failures = 1
	g = newGroup(t, spec.OriginSpec{URL: dead.url, Breaker: strict})
	ask(g, requestFrom("192.0.2.1"))
	if state := g.Servers()[0].State; state != "resting" {
		t.Errorf("after a failure where one is enough: %s", state)
	}
	// Where nobody listens it is nobody's fault.
	g = newGroup(t, spec.OriginSpec{URL: nobody(t), Breaker: longRest})
	for range 3 {
		ask(g, requestFrom("192.0.2.1"))
	}
	if state := g.Servers()[0].State; state != "resting" {
		t.Errorf("without a connection: %s", state)
	}
}

func TestRest_countsOnlyFailuresInARow(t *testing.T) {
	var bad atomic.Bool
	server := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if bad.Load() {
			hangsUp(w, r)
		}
		w.WriteHeader(http.StatusBadGateway) // an answer, as breakers go
	})
	g := newGroup(t, spec.OriginSpec{URL: server.url, Breaker: longRest})
	for i := range 30 {
		bad.Store(i%3 != 2)
		ask(g, requestFrom(fmt.Sprintf("192.0.2.%d", i)))
	}
	if s := g.Servers()[0]; s.State != "well" || s.Failures != 20 {
		t.Errorf("%+v", s)
	}
}

func TestRest_endsGradually(t *testing.T) {
	noLeak(t)
	const can = 8 // more at the same time fail, in the first moments
	var broken atomic.Bool
	broken.Store(true)
	trial, waiting := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var server *backend
	server = newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() || server.now.Load() > can {
			hangsUp(w, r)
		}
		once.Do(func() { close(trial); <-waiting })
		<-time.After(4 * time.Millisecond) // its work
		says("ok")(w, r)
	})
	goOn := sync.OnceFunc(func() { close(waiting) })
	t.Cleanup(goOn)
	const rest = 400 * time.Millisecond
	g := newGroup(t, spec.OriginSpec{URL: server.url, Queue: spec.QueueSpec{Timeout: spec.Duration(time.Minute)},
		Breaker: spec.BreakerSpec{Failures: 3, Rest: spec.Duration(rest), Return: spec.Duration(time.Minute)}})
	for i := range 3 {
		ask(g, requestFrom(fmt.Sprintf("192.0.2.%d", i)))
	}
	if _, why := ask(g, requestFrom("192.0.2.4")); why != seawall.ReasonOriginDown {
		t.Fatalf("it should rest: %s", why)
	}
	broken.Store(false)
	eventually(t, "the rest is over", func() bool { return g.Servers()[0].State == "trial" })
	server.most.Store(0)
	var mu sync.Mutex
	count := map[seawall.Reason]int{}
	var visitors sync.WaitGroup
	visit := func(i int) {
		visitors.Go(func() {
			_, why := ask(g, requestFrom(fmt.Sprintf("10.0.%d.%d", i/250, i%250)))
			mu.Lock()
			defer mu.Unlock()
			count[why]++
		})
	}
	visit(0)
	<-trial
	for i := range 999 {
		visit(i + 1)
	}
	eventually(t, "all others wait", func() bool { return g.Stats().Waiting == 999 })
	if n := server.now.Load(); n != 1 {
		t.Errorf("%d on trial", n)
	}
	goOn()
	visitors.Wait()
	if length, _ := g.servers[0].breaker.Rest(); length != rest {
		t.Errorf("it was knocked down again: its last rest took %v", length)
	}
	if n := count[seawall.ReasonNone]; n < 700 || n+count[seawall.ReasonOriginClosed]+count[seawall.ReasonOriginBusy] != 1000 {
		t.Errorf("%v", count)
	}
	if n := server.most.Load(); n > 3*can {
		t.Errorf("%d at the same time", n)
	}
	if n := server.most.Load(); n <= can/2 {
		t.Errorf("never more than %d at the same time: nothing was tried", n)
	}
	g.Close()
}
