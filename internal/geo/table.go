package geo

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// wide is an IPv6 address as two numbers, for fast comparison.
type wide struct{ high, low uint64 }

func narrowKey(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func wideKey(a netip.Addr) wide {
	b := a.As16()
	return wide{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// ranges lists ranges of addresses in ascending order. Each ends where the
// next one starts.
type ranges[K comparable] struct {
	starts []K
	facts  []uint32 // 0: nothing is known
}

// collector makes ranges of prefixes that come in ascending order.
type collector[K comparable] struct {
	ranges[K]
	key  func(netip.Addr) K
	next netip.Addr // the first address behind the last prefix; invalid: there is none
}

var errOrder = errors.New("damaged: networks overlap or are out of order")

// add appends a prefix, and the gap before it.
func (c *collector[K]) add(p netip.Prefix, fact uint32) error {
	if !c.next.IsValid() || p.Addr().Less(c.next) {
		return errOrder
	}
	if p.Addr() != c.next {
		c.put(c.next, 0)
	}
	c.put(p.Addr(), fact)
	c.next = last(p).Next()
	return nil
}

// end closes the last range.
func (c *collector[K]) end() ranges[K] {
	if c.next.IsValid() {
		c.put(c.next, 0)
	}
	return c.ranges
}

// put starts a range unless the one before says the same: cities of one
// country are one range here.
func (c *collector[K]) put(start netip.Addr, fact uint32) {
	if n := len(c.facts); n > 0 && c.facts[n-1] == fact || n == 0 && fact == 0 {
		return
	}
	c.starts = append(c.starts, c.key(start))
	c.facts = append(c.facts, fact)
}

// last returns the last address of a masked prefix.
func last(p netip.Prefix) netip.Addr {
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	b := p.Addr().As16()
	for i := bits / 8; i < len(b); i++ {
		b[i] |= 0xff >> max(0, bits-8*i)
	}
	a := netip.AddrFrom16(b)
	if p.Addr().Is4() {
		return a.Unmap()
	}
	return a
}

// table4 is the ranges of IPv4 with a directory that leaves a handful of them
// to search in.
type table4 struct {
	ranges[uint32]
	directory []uint32 // by the upper 16 bits of an address: how many ranges start below those
}

func newTable4(r ranges[uint32]) table4 {
	t := table4{ranges: r, directory: make([]uint32, 1<<16+1)}
	for _, start := range r.starts {
		t.directory[start>>16+1]++
	}
	for i := range t.directory[1:] {
		t.directory[i+1] += t.directory[i]
	}
	return t
}

// find returns the fact of the last range that starts at or before the address.
func (t *table4) find(key uint32) uint32 {
	low, high := t.directory[key>>16], t.directory[key>>16+1]
	for low < high {
		middle := low + (high-low)/2
		if t.starts[middle] <= key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return 0
	}
	return t.facts[low-1]
}

// find6 does the same for IPv6, where upper bits say too little for a
// directory: most addresses in use share a few of them.
func find6(r *ranges[wide], key wide) uint32 {
	low, high := 0, len(r.starts)
	for low < high {
		middle := int(uint(low+high) >> 1)
		start := &r.starts[middle]
		if start.high < key.high || start.high == key.high && start.low <= key.low {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return 0
	}
	return r.facts[low-1]
}
