package rule

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/spec"
)

// ordinary are twenty rules as owners write them, none of which is about the
// request: all are asked.
func ordinary() []spec.ConditionSpec {
	return []spec.ConditionSpec{
		{Path: []string{"/assets/*"}},
		{Path: []string{"/static/*", "/media/*"}},
		{Extension: []string{"css", "js", "png", "jpg", "jpeg", "gif", "svg", "woff2", "ico"}, Method: []string{"GET"}},
		{Path: []string{"/wp-admin/*", "/wp-login.php"}},
		{Path: []string{"/api/*"}, Method: []string{"POST", "PUT", "DELETE"}},
		{Host: []string{"example.com"}},
		{Path: []string{"/old-shop/*"}},
		{Path: []string{"/blog/*"}, Query: []string{"preview=*"}},
		{Cookie: []string{"wordpress_logged_in"}, Path: []string{"/*"}},
		{Header: []string{"User-Agent: *badbot*"}},
		{Address: []string{"203.0.113.0/24", "2001:db8:1::/48"}},
		{Country: []string{"AQ"}},
		{Network: []string{"AS64499"}},
		{Path: []string{"*.php"}},
		{Path: []string{"/feed", "/feed/", "/rss", "/atom.xml"}},
		{Scheme: []string{"https"}, Path: []string{"/checkout/*"}},
		{Path: []string{"/download/*"}, Not: []spec.ConditionSpec{{Country: []string{"DE"}}}},
		{Path: []string{"~^/post/[0-9]+$"}},
		{Method: []string{"PURGE"}},
		{Path: []string{"/search"}, Query: []string{"q"}},
	}
}

// ordinarySet is the twenty as the ladder asks them.
func ordinarySet(t testing.TB) *Set {
	t.Helper()
	set := &Set{}
	for _, when := range ordinary() {
		set.Add(nil, compile(t, when))
	}
	return set
}

func BenchmarkTwentyRules(b *testing.B) {
	set, f := ordinarySet(b), request()
	f.Path, f.Target = []byte("/products/chair"), []byte("/products/chair?colour=red")
	b.ReportAllocs()
	for b.Loop() {
		if i := set.Next(f, 0); i >= 0 {
			b.Fatal(set.Why(i, f))
		}
	}
}

func TestTwentyRules_allocateNothing(t *testing.T) {
	set, f := ordinarySet(t), request()
	for _, path := range []string{"/products/chair", "/assets/a.css", "/post/x1", "/blog/a"} {
		f.Path, f.Target, f.known = []byte(path), []byte(path+"?colour=red&previe%77=%31"), false
		n := testing.AllocsPerRun(100, func() {
			for i := set.Next(f, 0); i >= 0; i = set.Next(f, i+1) {
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

// million is a list of a million prefixes as those that are traded: mostly
// single addresses and /24 of IPv4, and some of IPv6.
func million() spec.ListSpec {
	var text strings.Builder
	seed := uint64(1)
	for i := range 1_000_000 {
		seed = seed*6364136223846793005 + 1442695040888963407
		r := uint32(seed >> 32)
		switch {
		case i%10 == 0:
			fmt.Fprintf(&text, "2001:%x:%x::/48\n", r>>16, r&0xffff)
		case i%3 == 0:
			fmt.Fprintf(&text, "%d.%d.%d.0/24\n", r>>24, r>>16&255, r>>8&255)
		default:
			fmt.Fprintf(&text, "%d.%d.%d.%d\n", r>>24, r>>16&255, r>>8&255, r&255)
		}
	}
	return spec.ListSpec{Name: "bad", Text: text.String()}
}

func BenchmarkMillionPrefixes(b *testing.B) {
	var before, after runtime.MemStats
	lists := NewLists([]spec.ListSpec{million()})
	runtime.GC()
	runtime.ReadMemStats(&before)
	condition, err := Compile(when{Address: []string{"@bad"}}, lists)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	f := request()
	var addresses [1024]netip.Addr
	seed := uint64(7)
	for i := range addresses {
		seed = seed*6364136223846793005 + 1442695040888963407
		addresses[i] = netip.AddrFrom4([4]byte{byte(seed >> 56), byte(seed >> 48), byte(seed >> 40), byte(seed >> 32)})
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		f.Address = addresses[i&1023]
		condition.Holds(f)
		i++
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
	runtime.KeepAlive(lists)
}
