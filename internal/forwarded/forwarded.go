// Package forwarded finds out who the visitor is from what proxies in front
// of us say in X-Forwarded-For or Forwarded (RFC 7239).
//
// Anybody may write such a field, so that only what trusted hops added is
// worth something. Each hop adds the address of its own peer at the right
// end; reading from there, a list is true up to and including the first
// address that is not a trusted hop's, and what stands left of that is the
// visitor's own tale.
package forwarded

import "net/netip"

// MaxElements is how many elements a list may have, all field values
// together; a longer one is malformed. As no value is without an element,
// nobody needs to collect more than MaxElements+1 values.
const MaxElements = 32

// A Kind is one of the two notations for the same list.
type Kind uint8

const (
	// XForwardedFor is the older one, of which there is no specification:
	// addresses separated by commas. An IPv4 address may have a port, an IPv6
	// address brackets and then a port; "unknown" stands for no address, as
	// Squid writes it.
	XForwardedFor Kind = iota
	// ForwardedField is RFC 7239, of which the for parameters are read.
	ForwardedField
)

// node is one element of a list: who the hop that wrote it was talking to.
// The zero Addr stands for an element that tells no address: "unknown", an
// obfuscated identifier (RFC 7239, 6.2 and 6.3) or no for parameter.
type node = netip.Addr

// list is what a field says, in the order of writing.
type list struct {
	nodes [MaxElements]node
	n     int
}

// Client returns the visitor's address: that of peer, who is at the other end
// of the connection, or when peer is a trusted hop, what the field values say
// about whom it acts for. values are in the order received and count as one
// list. Addresses are returned, and given to trusted, without zone and never
// IPv4-mapped. A nil trusted trusts nobody.
//
//   - When peer is not trusted the values are not looked at.
//   - From right to left, the first address that is not trusted is the
//     visitor. When all are trusted, the leftmost is: it is as far as we see.
//   - An element that tells no address ends the walk, and the hop that wrote
//     it stays the client: everything left of it was handed over by somebody
//     unknown and may be forged. To skip the element would be to believe that.
//   - A malformed list is ignored as a whole: the client is peer and ok is
//     false. Where a quotation begins and ends is decided from the left, so
//     that of a list with one wrong mark no part is certain.
//
// In the last two cases, and when all are trusted, client is the address of a
// trusted hop, which many visitors share. Who limits or bans by address asks
// trusted again, and remembers that a visitor can bring about ok == false by
// sending rubbish through a hop that passes it on.
//
// ok is true in all other cases, also when there are no values.
// Client allocates nothing and keeps nothing of values.
func Client(peer netip.Addr, values [][]byte, kind Kind, trusted func(netip.Addr) bool) (client netip.Addr, ok bool) {
	peer = peer.Unmap().WithZone("")
	if trusted == nil || !trusted(peer) {
		return peer, true
	}
	var l list
	for _, value := range values {
		if kind == ForwardedField {
			ok = l.readForwarded(value)
		} else {
			ok = l.readFor(value)
		}
		if !ok {
			return peer, false
		}
	}
	client = peer
	for i := l.n - 1; i >= 0 && l.nodes[i].IsValid(); i-- {
		client = l.nodes[i]
		if !trusted(client) {
			break
		}
	}
	return client, true
}

// add appends an element; it fails when there is no room.
func (l *list) add(n node) bool {
	if l.n == len(l.nodes) {
		return false
	}
	l.nodes[l.n] = n
	l.n++
	return true
}

// readFor reads one value of X-Forwarded-For.
func (l *list) readFor(value []byte) bool {
	for {
		element, rest, more := cut(value, ',')
		n, ok := parseNode(trim(element), XForwardedFor)
		if !ok || !l.add(n) {
			return false
		}
		if !more {
			return true
		}
		value = rest
	}
}

// AppendFor appends an address as the value of a for parameter (RFC 7239, 6):
// IPv6 in brackets and quoted, IPv4-mapped as IPv4, without zone. For an
// invalid address it writes unknown.
func AppendFor(dst []byte, a netip.Addr) []byte {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return append(dst, "unknown"...)
	case a.Is4():
		return a.AppendTo(dst)
	}
	return append(a.AppendTo(append(dst, `"[`...)), `]"`...)
}
