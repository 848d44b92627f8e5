package prefix

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestParse_takesAddressesAndPrefixesOfBothFamilies(t *testing.T) {
	set, problems := Parse([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1", "::ffff:198.51.100.0/120", "::ffff:203.0.113.7", "10.0.0.0/8", "10.1.0.0/16"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if set.Len() != 7 {
		t.Errorf("%d prefixes, want 7: the duplicate counts once", set.Len())
	}
	for text, want := range map[string]bool{
		"9.255.255.255": false, "10.0.0.0": true, "10.255.255.255": true, "11.0.0.0": false,
		"192.0.2.0": false, "192.0.2.1": true, "192.0.2.2": false,
		"::ffff:10.1.2.3": true, "::ffff:192.0.2.2": false,
		"::ffff:192.0.2.1%eth0": true,
		"2001:db7:ffff::":       false, "2001:db8::": true, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff": true, "2001:db9::": false,
		"2001:db8::1%eth0": true, "::1": true, "::2": false, "::": false,
		"198.51.100.0": true, "198.51.100.255": true, "198.51.101.0": false, "203.0.113.7": true,
		"::10.0.0.1": false, // IPv4-compatible is not IPv4-mapped
	} {
		if got := set.Contains(netip.MustParseAddr(text)); got != want {
			t.Errorf("Contains(%s) = %v", text, got)
		}
	}
	if set.Contains(netip.Addr{}) {
		t.Error("the zero Addr is in the set")
	}
}

func TestParse_keepsTheFamiliesApart(t *testing.T) {
	for text, want := range map[string][2]bool{ // IPv4, IPv6
		"::/0": {false, true}, "0.0.0.0/0": {true, false}, "::ffff:0.0.0.0/96": {true, false},
	} {
		set, problems := Parse([]string{text})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got := [2]bool{set.Contains(netip.MustParseAddr("192.0.2.1")), set.Contains(netip.MustParseAddr("2001:db8::1"))}
		if got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestSet_isEmptyWhenNil(t *testing.T) {
	var set *Set
	if set.Contains(netip.MustParseAddr("127.0.0.1")) || set.Len() != 0 {
		t.Error("a nil Set contains something")
	}
	if set, problems := Parse(nil); set == nil || set.Len() != 0 || problems != nil {
		t.Errorf("Parse(nil) = %v, %v", set, problems)
	}
}

func TestParse_reportsEveryMistakeWithItsPlace(t *testing.T) {
	mistakes := []struct{ text, want string }{
		{"", "empty"},
		{"10.0.0.1/8", "write 10.0.0.0/8 for the whole prefix or 10.0.0.1 for the one"},
		{"2001:db8::1/32", "write 2001:db8::/32 for the whole"},
		{"::ffff:10.0.0.1/104", "write 10.0.0.0/8 for the whole prefix or 10.0.0.1 for the one"},
		{"::ffff:10.0.0.0/90", "bits set behind its length; write ::ffc0:0:0/90"},
		{"fe80::1%eth0", "has a zone, which means nothing outside of one machine; write fe80::1"},
		{"fe80::%eth0/64", "has a zone"},
		{"10.0.0.1:80", "has a port; write 10.0.0.1"},
		{"[::1]:443", "has a port; write ::1"},
		{"[::1]", "has brackets; write ::1"},
		{"[2001:db8::]/32", "has brackets; write 2001:db8::"},
		{"10.0.0.0/33", "not a length from 0 to 32"},
		{"10.0.0.0/08", "not a length from 0 to 32"},
		{"10.0.0.0/255.0.0.0", "not a length from 0 to 32"},
		{"10.0.0.0/", "not a length from 0 to 32"},
		{"10.0.0.0/-1", "not a length from 0 to 32"},
		{"2001:db8::/129", "not a length from 0 to 128"},
		{"10.0.0", "neither an address nor a prefix"},
		{"10.0.0/24", "neither an address nor a prefix"},
		{"010.0.0.1", "neither an address nor a prefix"},
		{" 10.0.0.1", "neither an address nor a prefix"},
		{"10.0.0.0/8 ", "not a length"},
		{"10.0.0.0-10.0.0.9", "neither an address nor a prefix"},
		{"localhost", "neither an address nor a prefix"},
		{"/8", "neither an address nor a prefix"},
		{strings.Repeat("a", 1000), "neither an address nor a prefix"},
	}
	texts := []string{"192.0.2.0/24"} // a good one in front shifts the places
	for _, m := range mistakes {
		texts = append(texts, m.text)
	}
	set, problems := Parse(texts)
	if set != nil {
		t.Error("a Set in spite of mistakes")
	}
	if len(problems) != len(mistakes) {
		t.Fatalf("%d problems, want %d: %v", len(problems), len(mistakes), problems)
	}
	for i, p := range problems {
		if p.Index != i+1 || !strings.Contains(p.Text, mistakes[i].want) || len(p.Text) > 200 {
			t.Errorf("%q: place %d, %q; want place %d, %q", mistakes[i].text, p.Index, p.Text, i+1, mistakes[i].want)
		}
	}
}

func TestSet_looksUpWithoutAllocating(t *testing.T) {
	set := large(t)
	addresses := []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("::ffff:10.1.2.3"),
		netip.MustParseAddr("2001:db8::1%eth0"), netip.MustParseAddr("192.0.2.1"), {}}
	if n := testing.AllocsPerRun(100, func() {
		for _, a := range addresses {
			set.Contains(a)
			Reserved(a)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse_agreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "::1", "::ffff:10.0.0.0/104", "fe80::1%a", "[::1]:80", "10.0.0.1/8", "::/0"} {
		f.Add(seed, "10.0.0.1")
	}
	f.Fuzz(func(t *testing.T, text, address string) {
		set, problems := Parse([]string{text})
		if (set == nil) != (len(problems) == 1) {
			t.Fatalf("%q: %v, %v", text, set, problems)
		}
		a, err := netip.ParseAddr(address)
		if set == nil || err != nil {
			return
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			single := netip.MustParseAddr(text)
			p = netip.PrefixFrom(single, single.BitLen())
		}
		plain := a.Unmap().WithZone("")
		if p.Addr().Is4In6() {
			plain = netip.AddrFrom16(plain.As16()) // compared in its mapped form
		}
		want := p.Contains(plain)
		if got := set.Contains(a); got != want {
			t.Errorf("%q contains %q: %v, want %v", text, address, got, want)
		}
	})
}

func BenchmarkContains(b *testing.B) {
	set, a := large(b), netip.MustParseAddr("10.1.2.3")
	b.ReportAllocs()
	for b.Loop() {
		set.Contains(a)
	}
}

func large(t testing.TB) *Set {
	t.Helper()
	var texts []string
	for i := range 10000 {
		texts = append(texts, fmt.Sprintf("10.%d.%d.0/24", i>>8, i&255), fmt.Sprintf("2001:db8:%x::/48", i))
	}
	set, problems := Parse(texts)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	return set
}
