// Package prefix answers whether an address belongs to a set of prefixes, and
// whether an address may be anybody's origin at all.
//
// Operators write trusted proxies, bans and maintenance guests as addresses
// and prefixes; each is asked about once per connection or request, so that
// the answer must cost nanoseconds and no memory however long the list is.
// This is the one room of github.com/gaissmai/bart.
package prefix

import (
	"fmt"
	"iter"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"github.com/gaissmai/bart"
)

// A Set is an immutable set of address prefixes. It is safe for any number of
// readers. A nil Set is empty.
type Set struct {
	table bart.Lite      // never written after Parse
	few   []netip.Prefix // all of them where there are few: comparing each is quicker then
}

// A Problem is one mistake in a list of prefixes.
type Problem struct {
	Index int    // of the text in the list, from 0
	Text  string // what is wrong and what to write instead, one sentence without an end
}

// Parse compiles a list of addresses ("192.0.2.1" is a /32, "2001:db8::1" a
// /128) and prefixes in CIDR form (RFC 4632, 3.1; RFC 4291, 2.3). Duplicates
// and overlaps are fine. A prefix of IPv4-mapped addresses becomes the IPv4
// prefix it stands for; "::/0" is all of IPv6 and nothing of IPv4.
//
// Every mistake is reported, in order, of many the first hundred. With a mistake there is no Set: half a
// list of trusted peers, or of banned ones, is not what anybody wrote.
func Parse(texts []string) (*Set, []Problem) { return ParseAll(slices.All(texts)) }

// mostProblems is how many are reported of one list.
const mostProblems = 100

// turn is after how many texts others have their turn: a list of a million
// takes half a second, and visitors must not wait for it on a busy machine.
const turn = 256

// few prefixes are compared one by one.
const few = 4

// ParseAll is Parse for lists that are too long to hold twice. Index is the
// number that comes with the text.
func ParseAll(texts iter.Seq2[int, string]) (*Set, []Problem) {
	var problems []Problem
	set := &Set{}
	count := 0
	for i, text := range texts {
		if count++; count%turn == 0 {
			runtime.Gosched()
		}
		p, complaint := parse(text)
		if complaint == "" {
			set.table.Insert(p)
			continue
		}
		if problems = append(problems, Problem{Index: i, Text: complaint}); len(problems) == mostProblems {
			break
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if count <= few {
		for p := range set.table.All() {
			set.few = append(set.few, p)
		}
	}
	return set, nil
}

// Contains reports whether a prefix of the set covers the address. An
// IPv4-mapped address counts as the IPv4 address, a zone is disregarded. The
// zero Addr is in no set.
func (s *Set) Contains(a netip.Addr) bool {
	if s == nil {
		return false
	}
	a = a.Unmap().WithZone("")
	for i := range s.few {
		if s.few[i].Contains(a) {
			return true
		}
	}
	return s.few == nil && s.table.Contains(a)
}

// Len returns the number of different prefixes.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return s.table.Size()
}

// parse reads one address or prefix, or says what is wrong with it.
func parse(text string) (_ netip.Prefix, complaint string) {
	if text == "" {
		return netip.Prefix{}, "empty; write an address or a prefix such as 192.0.2.0/24"
	}
	if complaint := misplaced(text); complaint != "" {
		return netip.Prefix{}, complaint
	}
	address, length, hasLength := strings.Cut(text, "/")
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, fmt.Sprintf("%.64q is neither an address nor a prefix such as 192.0.2.0/24", text)
	}
	if !hasLength {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), ""
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Sprintf("%.64q after the slash is not a length from 0 to %d", length, a.BitLen())
	}
	if canonical := unmap(p.Masked()); p != p.Masked() {
		return netip.Prefix{}, fmt.Sprintf("%s has bits set behind its length; write %s for the whole prefix or %s for the one address",
			text, canonical, a.Unmap())
	}
	return unmap(p), ""
}

// misplaced complains about what people copy along with an address: a zone, a
// port, brackets.
func misplaced(text string) string {
	address, _, _ := strings.Cut(text, "/")
	if a, err := netip.ParseAddr(address); err == nil && a.Zone() != "" {
		return fmt.Sprintf("%.64q has a zone, which means nothing outside of one machine; write %s", text, a.WithZone(""))
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return fmt.Sprintf("%.64q has a port; write %s", text, a.Addr().WithZone(""))
	}
	if inside, ok := strings.CutPrefix(address, "["); ok {
		if a, err := netip.ParseAddr(strings.TrimSuffix(inside, "]")); err == nil {
			return fmt.Sprintf("%.64q has brackets; write %s", text, a.WithZone(""))
		}
	}
	return ""
}

// unmap turns a prefix of IPv4-mapped addresses into the IPv4 prefix. One
// shorter than 96 bits covers more than those and stays as it is; masked, its
// address is no mapped one.
func unmap(p netip.Prefix) netip.Prefix {
	if !p.Addr().Is4In6() || p.Bits() < 96 {
		return p
	}
	return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
}
