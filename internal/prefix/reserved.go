package prefix

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// blocks are the addresses that are nobody's public server, with what each
// block is. The longest match counts; an empty text makes an exception of a
// block within another.
var blocks = []struct{ prefix, why string }{
	// IANA IPv4 Special-Purpose Address Registry (RFC 6890).
	{"0.0.0.0/8", "this network (RFC 791)"},
	{"0.0.0.0/32", "unspecified (RFC 1122)"},
	{"10.0.0.0/8", "private (RFC 1918)"},
	{"100.64.0.0/10", "shared by a carrier's customers (RFC 6598)"},
	{"127.0.0.0/8", "loopback (RFC 1122)"},
	{"169.254.0.0/16", "link-local (RFC 3927)"},
	{"172.16.0.0/12", "private (RFC 1918)"},
	{"192.0.0.0/24", "protocol assignments (RFC 6890)"},
	{"192.0.2.0/24", "documentation (RFC 5737)"},
	{"192.88.99.0/24", "6to4 relay (RFC 7526)"},
	{"192.168.0.0/16", "private (RFC 1918)"},
	{"198.18.0.0/15", "benchmarking (RFC 2544)"},
	{"198.51.100.0/24", "documentation (RFC 5737)"},
	{"203.0.113.0/24", "documentation (RFC 5737)"},
	{"224.0.0.0/4", "multicast (RFC 5771)"},
	{"240.0.0.0/4", "reserved (RFC 1112)"},
	{"255.255.255.255/32", "broadcast (RFC 919)"},

	// IANA IPv6 Address Space: only 2000::/3 is handed out for unicast, so
	// that everything else is refused, and what of it has a name by name.
	{"::/0", "outside of global unicast (RFC 4291)"},
	{"2000::/3", ""},
	// IANA IPv6 Special-Purpose Address Registry (RFC 6890).
	{"::/96", "IPv4-compatible (RFC 4291)"},
	{"::/128", "unspecified (RFC 4291)"},
	{"::1/128", "loopback (RFC 4291)"},
	{"64:ff9b::/96", ""}, // judged by what it carries
	{"64:ff9b:1::/48", "local NAT64 (RFC 8215)"},
	{"100::/64", "discard (RFC 6666)"},
	{"100:0:0:1::/64", "dummy (RFC 9780)"},
	{"2001::/23", "protocol assignments (RFC 2928)"},
	{"2001::/32", ""}, // judged by what it carries
	{"2001:2::/48", "benchmarking (RFC 5180)"},
	{"2001:db8::/32", "documentation (RFC 3849)"},
	{"3fff::/20", "documentation (RFC 9637)"},
	{"5f00::/16", "segment routing (RFC 9602)"},
	{"fc00::/7", "private (RFC 4193)"},
	{"fe80::/10", "link-local (RFC 4291)"},
	{"fec0::/10", "site-local (RFC 3879)"},
	{"ff00::/8", "multicast (RFC 4291)"},

	// Where clouds hand out credentials to whoever asks from inside. All but
	// Azure's lie in a block from above; that one is in public space, but the
	// cloud's host answers for it.
	{"100.100.100.200/32", "metadata service (Alibaba Cloud)"},
	{"168.63.129.16/32", "metadata service (Azure)"},
	{"169.254.169.254/32", "metadata service"},
	{"169.254.170.2/32", "metadata service (Amazon ECS)"},
	{"169.254.170.23/32", "metadata service (Amazon EKS)"},
	{"192.0.0.192/32", "metadata service (Oracle Cloud)"},
	{"fd00:ec2::23/128", "metadata service (Amazon EKS)"},
	{"fd00:ec2::254/128", "metadata service (Amazon EC2)"},
	{"fd20:ce::254/128", "metadata service (Google Cloud)"},
}

// reserved is blocks as a table; it is never written after the start.
var reserved = func() *bart.Table[string] {
	table := &bart.Table[string]{}
	for _, b := range blocks {
		table.Insert(netip.MustParsePrefix(b.prefix), b.why)
	}
	return table
}()

// The prefixes whose addresses carry an IPv4 address that packets end up at.
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052, 2.2: the last 32 bits
	teredo = netip.MustParsePrefix("2001::/32")    // RFC 4380, 4: server after 32 bits, client inverted at the end
	sixTo4 = netip.MustParsePrefix("2002::/16")    // RFC 3056, 2: after 16 bits
)

// Reserved returns why an address must not be the origin of somebody else's
// site, or "" when it may: loopback, private, link-local and the other blocks
// of the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890),
// multicast, whatever of IPv6 is not handed out (RFC 4291, 2.4), and the
// metadata services of clouds, which the text names as such.
//
// An IPv4-mapped address is judged as the IPv4 address. NAT64 (RFC 6052),
// 6to4 (RFC 3056) and Teredo (RFC 4380) addresses are judged by the IPv4
// addresses they carry: with a gateway on the way they lead there. A zone is
// disregarded.
func Reserved(a netip.Addr) (why string) {
	if !a.IsValid() {
		return "not an address"
	}
	a = a.WithZone("").Unmap()
	if why, _ = reserved.Lookup(a); why != "" || a.Is4() {
		return why
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return carried("NAT64", b[12:16], 0)
	case sixTo4.Contains(a):
		return carried("6to4", b[2:6], 0)
	case teredo.Contains(a):
		if why = carried("Teredo", b[12:16], 0xff); why == "" {
			why = carried("Teredo", b[4:8], 0)
		}
		return why
	}
	return ""
}

// carried judges the IPv4 address within an address of a tunnel; mask is what
// the tunnel inverts it with.
func carried(tunnel string, b []byte, mask byte) string {
	v4 := netip.AddrFrom4([4]byte{b[0] ^ mask, b[1] ^ mask, b[2] ^ mask, b[3] ^ mask})
	if why := Reserved(v4); why != "" {
		return tunnel + " to " + v4.String() + ": " + why
	}
	return ""
}
