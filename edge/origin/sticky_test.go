package origin

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// visit makes a request with a cookie and returns who answered and the cookie
// that was set.
func visit(t *testing.T, g *Group, sent string, secure bool) (server, set string) {
	t.Helper()
	x := requestFrom("192.0.2.1")
	x.Event.Secure = secure
	if sent != "" {
		x.Fields.AddKnown(wire.Cookie, []byte(sent))
	}
	r, err := g.RoundTrip(x)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	set = string(r.AppendStickyCookie(nil))
	return drain(t, r), set
}

func TestSticky_keepsAVisitorByCookie(t *testing.T) {
	one, two, spare := newBackend(t, says("one")), newBackend(t, says("two")), newBackend(t, says("spare"))
	g := newGroup(t, spec.OriginSpec{Sticky: spec.StickyCookie, Servers: []spec.ServerSpec{{URL: one.url, Name: "one"}, {URL: two.url, Name: "two"}, {URL: spare.url, Name: "spare", Backup: true}}})
	const attributes = "; Path=/; HttpOnly; SameSite=Lax"
	if server, set := visit(t, g, "", false); set != "seawall-server="+server+attributes {
		t.Errorf("at first: %q by %s", set, server)
	}
	if server, set := visit(t, g, "", true); set != "seawall-server="+server+attributes+"; Secure" {
		t.Errorf("at first, by TLS: %q by %s", set, server)
	}
	for _, sent := range []string{"seawall-server=two", "a=b; seawall-server=two; c=d", "x=1;seawall-server=two", "xseawall-server=one; seawall-server=two", "seawall-server; seawall-server=two"} {
		for range 5 {
			if server, set := visit(t, g, sent, false); server != "two" || set != "" {
				t.Errorf("%s: by %s, which set %q", sent, server, set)
			}
		}
	}
	for _, sent := range []string{"seawall-server=three", "seawall-server=", "seawall-server", "seawall-server=TWO", "Seawall-Server=two", "seawall-server=spare", "seawall-server=\"two\""} {
		count := map[string]int{}
		for range 6 {
			server, set := visit(t, g, sent, false)
			count[server]++
			if set != "seawall-server="+server+attributes {
				t.Errorf("%s: %s set %q", sent, server, set)
			}
		}
		if count["one"] != 3 || count["two"] != 3 {
			t.Errorf("%s: %v", sent, count)
		}
	}
	wrecked(g, g.servers[1])
	if server, set := visit(t, g, "seawall-server=two", false); server != "one" || set != "seawall-server=one"+attributes {
		t.Errorf("when it is down: by %s, which set %q", server, set)
	}
	wrecked(g, g.servers[0])
	if server, set := visit(t, g, "seawall-server=spare", false); server != "spare" || set != "" {
		t.Errorf("when the backup is needed: by %s, which set %q", server, set)
	}
	named := newGroup(t, spec.OriginSpec{URL: one.url, Sticky: spec.StickyCookie, StickyCookie: "route"})
	if _, set := visit(t, named, "seawall-server=s1", false); set != "route=s1"+attributes {
		t.Errorf("by another name: %q", set)
	}
	if _, set := visit(t, newGroup(t, spec.OriginSpec{URL: one.url}), "", false); set != "" {
		t.Errorf("without being asked to: %q", set)
	}
}

func TestSticky_waitsForNoServerThatIsOnlyComingBack(t *testing.T) {
	g := idle(t, spec.OriginSpec{Sticky: spec.StickyCookie}, spec.ServerSpec{}, spec.ServerSpec{})
	g.servers[1].breaker.Resume(time.Now()) // room for one
	stays := func() *exchange.Exchange {
		x := requestFrom("192.0.2.1")
		x.Fields.AddKnown(wire.Cookie, []byte("seawall-server=s2"))
		return x
	}
	hangs := mustChoose(t, g, stays())
	if hangs.server != "s2" {
		t.Fatal(hangs.server)
	}
	for range 5 {
		if c := mustChoose(t, g, stays()); c.server != "s1" {
			t.Errorf("got %s", c.server)
		}
	}
}

// spread says which server each of many visitors gets.
func spread(t *testing.T, g *Group, visitors int) (where map[int]string, count map[string]int) {
	t.Helper()
	where, count = map[int]string{}, map[string]int{}
	for i := range visitors {
		x := requestFrom("192.0.2.1")
		address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if i%2 == 1 {
			address = netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x::1", i>>8, i&255))
		}
		x.Client = netip.AddrPortFrom(address, uint16(i))
		c := mustChoose(t, g, x)
		where[i] = c.server
		count[c.server]++
		c.end()
	}
	return where, count
}

func TestSticky_keepsAVisitorByAddress(t *testing.T) {
	const visitors = 8000
	servers := func() []spec.ServerSpec { return []spec.ServerSpec{{}, {Weight: 2}, {}, {Backup: true}} }
	g := idle(t, spec.OriginSpec{Sticky: spec.StickyAddress}, servers()...)
	before, count := spread(t, g, visitors)
	for name, weight := range map[string]float64{"s1": 1, "s2": 2, "s3": 1} {
		if want := visitors * weight / 4; math.Abs(float64(count[name])-want) > 4*math.Sqrt(want) {
			t.Errorf("%s has %d visitors, should have %.0f", name, count[name], want)
		}
	}
	again, _ := spread(t, idle(t, spec.OriginSpec{Sticky: spec.StickyAddress}, servers()...), visitors)
	for i, name := range before {
		if again[i] != name {
			t.Fatalf("visitor %d is sent to %s by one edge and to %s by another", i, name, again[i])
		}
	}
	wrecked(g, g.servers[0])
	after, count := spread(t, g, visitors)
	for i, name := range before {
		if name != "s1" && after[i] != name {
			t.Fatalf("visitor %d moved from %s to %s, though neither is lost", i, name, after[i])
		}
	}
	for range 20 {
		mustChoose(t, g, requestFrom("192.0.2.1")) // who has less to do does not matter
	}
	again, _ = spread(t, g, visitors)
	for i, name := range after {
		if again[i] != name {
			t.Fatalf("visitor %d of the lost server goes to %s and then to %s", i, name, again[i])
		}
	}
	if count["s1"] != 0 || count["s4"] != 0 || math.Abs(float64(count["s2"])-visitors*2/3) > 4*math.Sqrt(visitors*2/3) {
		t.Errorf("with one lost: %v", count)
	}
	// One subscriber is one visitor, whatever addresses he takes.
	x, y := requestFrom("2001:db8::1"), requestFrom("2001:db8::ffff:1:2:3")
	if a, b := mustChoose(t, g, x), mustChoose(t, g, y); a.server != b.server {
		t.Errorf("%s and %s", a.server, b.server)
	}
}
