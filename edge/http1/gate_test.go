package http1

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func passFrom(g *gate, address string) *pass {
	return &pass{gate: g, from: neighbourhood(netip.MustParseAddr(address)), until: time.Now().Add(10 * time.Second)}
}

func waits(g *gate) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting.Len()
}

// One neighbourhood with hundreds of handshakes holds nobody else up.
func TestGate_letsNeighbourhoodsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{room: 1, queue: 1000}
		first := passFrom(g, "192.0.2.1")
		if err := first.enter(); err != nil {
			t.Fatal(err)
		}
		order := make(chan string, 1000)
		come := func(name, address string) {
			go func() {
				p := passFrom(g, address)
				if err := p.enter(); err != nil {
					name = err.Error()
				}
				order <- name
				p.leave()
			}()
			synctest.Wait()
		}
		for i := range 200 {
			come("many", netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String())
		}
		come("one", "198.51.100.7")
		come("one", "2001:db8::1")
		first.leave()
		synctest.Wait()
		for i := range 202 {
			if who := <-order; i >= 4 && who != "many" || who != "one" && who != "many" {
				t.Fatalf("place %d: %s", i, who)
			}
		}
		if g.worked != 0 || waits(g) != 0 {
			t.Errorf("%d are worked on, %d wait", g.worked, waits(g))
		}
	})
}

// When there is no room to wait, the longest line is cut; who waits too long
// gives up, and takes nothing along.
func TestGate_cutsTheLongestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{room: 1, queue: 10}
		first := passFrom(g, "192.0.2.1")
		if err := first.enter(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan string, 100)
		come := func(address string) {
			go func() {
				p := passFrom(g, address)
				err := p.enter()
				if err != nil {
					ended <- p.from.String()
				}
				p.leave()
			}()
			synctest.Wait()
		}
		for range 12 { // the last two find no room
			come("192.0.2.9")
		}
		come("2001:db8::1") // takes the place of one of them
		if len(ended) != 3 || waits(g) != 10 {
			t.Fatalf("%d were shed, %d wait", len(ended), waits(g))
		}
		for range 3 {
			if who := <-ended; who != "192.0.2.0/24" {
				t.Errorf("%s was shed", who)
			}
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if len(ended) != 10 || waits(g) != 0 {
			t.Errorf("%d gave up, %d wait", len(ended), waits(g))
		}
		first.leave()
		if next := passFrom(g, "192.0.2.1"); g.worked != 0 || next.enter() != nil {
			t.Errorf("%d are worked on", g.worked)
		}
	})
}
