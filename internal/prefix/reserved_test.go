package prefix

import (
	"net/netip"
	"strings"
	"testing"
)

// Each block with its first and last address, and what lies before and
// behind it; "" is an address that may be an origin, "-" means that there is
// none.
func TestReserved_knowsTheEdgesOfEveryBlock(t *testing.T) {
	const outside = "outside of global unicast"
	for _, c := range []struct{ why, before, first, last, behind, whyBefore, whyBehind string }{
		{"unspecified", "-", "0.0.0.0", "0.0.0.0", "0.0.0.1", "", "this network"},
		{"this network", "0.0.0.0", "0.0.0.1", "0.255.255.255", "1.0.0.0", "unspecified", ""},
		{"private", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "", ""},
		{"shared by a carrier", "100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0", "", ""},
		{"metadata service", "100.100.100.199", "100.100.100.200", "100.100.100.200", "100.100.100.201", "shared", "shared"},
		{"loopback", "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0", "", ""},
		{"metadata service", "168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17", "", ""},
		{"link-local", "169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0", "", ""},
		{"metadata service", "169.254.169.253", "169.254.169.254", "169.254.169.254", "169.254.169.255", "link-local", "link-local"},
		{"metadata service", "169.254.170.1", "169.254.170.2", "169.254.170.2", "169.254.170.3", "link-local", "link-local"},
		{"metadata service", "169.254.170.22", "169.254.170.23", "169.254.170.23", "169.254.170.24", "link-local", "link-local"},
		{"private", "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0", "", ""},
		{"protocol assignments", "191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0", "", ""},
		{"metadata service", "192.0.0.191", "192.0.0.192", "192.0.0.192", "192.0.0.193", "protocol", "protocol"},
		{"documentation", "192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0", "", ""},
		{"6to4 relay", "192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0", "", ""},
		{"private", "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0", "", ""},
		{"benchmarking", "198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0", "", ""},
		{"documentation", "198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0", "", ""},
		{"documentation", "203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0", "", ""},
		{"multicast", "223.255.255.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "", "reserved"},
		{"reserved", "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255", "multicast", "broadcast"},
		{"broadcast", "255.255.255.254", "255.255.255.255", "255.255.255.255", "-", "reserved", ""},

		{"unspecified", "-", "::", "::", "::1", "", "loopback"},
		{"loopback", "::", "::1", "::1", "::2", "unspecified", "IPv4-compatible"},
		{"IPv4-compatible", "::1", "::2", "::ffff:ffff", "::1:0:0", "loopback", outside},
		{outside, "::ffff:ffff", "::1:0:0", "::fffe:ffff:ffff", "::ffff:0:0", "IPv4-compatible", "unspecified"},
		{outside, "::ffff:255.255.255.255", "::1:0:0:0", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::", "broadcast", "NAT64 to 0.0.0.0"},
		{outside, "64:ff9b::ffff:ffff", "64:ff9b::1:0:0", "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "64:ff9b:1::", "NAT64", "local NAT64"},
		{"local NAT64", "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:2::", outside, outside},
		{"discard", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "100::", "100::ffff:ffff:ffff:ffff", "100:0:0:1::", outside, "dummy"},
		{"dummy", "100::ffff:ffff:ffff:ffff", "100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", "100:0:0:2::", "discard", outside},
		{outside, "100:0:0:1:ffff:ffff:ffff:ffff", "100:0:0:2::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::", "dummy", ""},
		{"protocol assignments", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::", "Teredo to 0.0.0.0", ""},
		{"benchmarking", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "2001:2:1::", "protocol", "protocol"},
		{"documentation", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "", ""},
		{"documentation", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::", "", ""},
		{outside, "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::", "", "segment"},
		{"segment routing", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f01::", outside, outside},
		{"private", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::", outside, outside},
		{"metadata service", "fd00:ec2::22", "fd00:ec2::23", "fd00:ec2::23", "fd00:ec2::24", "private", "private"},
		{"metadata service", "fd00:ec2::253", "fd00:ec2::254", "fd00:ec2::254", "fd00:ec2::255", "private", "private"},
		{"metadata service", "fd20:ce::253", "fd20:ce::254", "fd20:ce::254", "fd20:ce::255", "private", "private"},
		{"link-local", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::", outside, "site-local"},
		{"site-local", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::", "link-local", "multicast"},
		{"multicast", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-", "site-local", ""},
	} {
		judged(t, c.before, c.whyBefore)
		judged(t, c.first, c.why)
		judged(t, c.last, c.why)
		judged(t, c.behind, c.whyBehind)
		if c.before != "-" && netip.MustParseAddr(c.before).Next() != netip.MustParseAddr(c.first) ||
			c.behind != "-" && netip.MustParseAddr(c.last).Next() != netip.MustParseAddr(c.behind) {
			t.Errorf("%s to %s: the neighbours are not neighbours", c.first, c.last)
		}
	}
}

// The table above must not lag behind the list.
func TestReserved_coversEveryBlockOfTheList(t *testing.T) {
	for _, b := range blocks {
		p := netip.MustParsePrefix(b.prefix)
		if p != p.Masked() {
			t.Errorf("%s has bits behind its length", b.prefix)
		}
		if why, ok := reserved.Get(p); !ok || why != b.why {
			t.Errorf("%s is %q in the table, %q in the list", b.prefix, why, b.why)
		}
	}
	if reserved.Size() != len(blocks) {
		t.Errorf("%d blocks in the table, %d in the list: one stands there twice", reserved.Size(), len(blocks))
	}
}

func TestReserved_judgesTunnelsByWhatTheyCarry(t *testing.T) {
	for text, want := range map[string]string{
		"::ffff:8.8.8.8": "", "::ffff:127.0.0.1": "loopback", "::ffff:169.254.169.254": "metadata service",
		"::ffff:10.0.0.1": "private", "::ffff:0:0": "unspecified", "::ffff:ffff:ffff": "broadcast",
		"::127.0.0.1": "IPv4-compatible", "::8.8.8.8": "IPv4-compatible",
		"::ffff:0:127.0.0.1": "outside of global unicast", // IPv4-translated (RFC 2765)

		"64:ff9b::8.8.8.8": "", "64:ff9b::127.0.0.1": "NAT64 to 127.0.0.1: loopback",
		"64:ff9b::169.254.169.254": "NAT64 to 169.254.169.254: metadata service",
		"64:ff9b::9.255.255.255":   "", "64:ff9b::10.0.0.0": "private", "64:ff9b::10.255.255.255": "private", "64:ff9b::11.0.0.0": "",
		"64:ff9b:1::8.8.8.8": "local NAT64",

		"2002:808:808::1": "", "2002:7f00:1::": "6to4 to 127.0.0.1: loopback", "2002:a9fe:a9fe::1": "6to4 to 169.254.169.254: metadata",
		"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "", "2002::": "6to4 to 0.0.0.0: unspecified",
		"2002:9ff:ffff:ffff:ffff:ffff:ffff:ffff": "", "2002:a00::": "private", "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff": "private", "2002:b00::": "",
		"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "6to4 to 255.255.255.255: broadcast", "2003::": "",

		// Server 65.54.227.120, client 192.0.2.45 (documentation); then with client 8.8.8.8; then a server at home.
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo to 192.0.2.45: documentation",
		"2001:0:4136:e378:8000:63bf:f7f7:f7f7": "",
		"2001:0:c0a8:101:8000:63bf:f7f7:f7f7":  "Teredo to 192.168.1.1: private",
		"2001:0:4136:e378:8000:63bf:80ff:fffe": "Teredo to 127.0.0.1: loopback",

		"8.8.8.8": "", "2606:4700::1": "", "2a00::1": "", "fe80::1%eth0": "link-local", "2606:4700::1%eth0": "",
		"::ffff:127.0.0.1%eth0": "loopback", "64:ff9b::127.0.0.1%eth0": "NAT64 to 127.0.0.1",
	} {
		judged(t, text, want)
	}
	if Reserved(netip.Addr{}) == "" {
		t.Error("the zero Addr may be an origin")
	}
}

func judged(t *testing.T, text, want string) {
	t.Helper()
	if text == "-" {
		return
	}
	got := Reserved(netip.MustParseAddr(text))
	if (got == "") != (want == "") || !strings.Contains(got, want) {
		t.Errorf("%s: %q, want %q", text, got, want)
	}
}
