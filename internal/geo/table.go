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

// table is ranges with a directory, which leaves few of them to search in.
type table[K comparable] struct {
	ranges[K]
	directory []uint32 // by what upper says of an address: how many ranges start below that
}

// newTable adds the directory. What upper says must not fall while addresses
// rise.
func newTable[K comparable](r ranges[K], upper func(K) uint16) table[K] {
	t := table[K]{ranges: r, directory: make([]uint32, 1<<16+1)}
	for _, start := range r.starts {
		t.directory[int(upper(start))+1]++
	}
	for i := range t.directory[1:] {
		t.directory[i+1] += t.directory[i]
	}
	return t
}

func upper4(key uint32) uint16 { return uint16(key >> 16) }

// upper6 spends its bits on 2000::/4: there is nothing else in use.
func upper6(key wide) uint16 {
	switch top := key.high >> 60; {
	case top < 2:
		return 0
	case top > 2:
		return 1<<16 - 1
	}
	return uint16(key.high >> 44)
}

// find4 returns the fact of the last range that starts at or before the
// address.
func find4(t *table[uint32], key uint32) uint32 {
	up := int(upper4(key))
	low, high := t.directory[up], t.directory[up+1]
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

// find6 does the same for IPv6. The two are not one: a comparison by way of a
// function would cost more than all the rest.
func find6(t *table[wide], key wide) uint32 {
	up := int(upper6(key))
	low, high := t.directory[up], t.directory[up+1]
	for low < high {
		middle := low + (high-low)/2
		start := &t.starts[middle]
		if start.high < key.high || start.high == key.high && start.low <= key.low {
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
