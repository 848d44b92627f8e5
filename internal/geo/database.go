package geo

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

const (
	// patience bounds the time that one file may take. The largest take a
	// few seconds; one that was made to take for ever is not an honest file.
	patience = 2 * time.Minute
	// mostRepeats is how many networks a file may have for each node of its
	// tree (without parts that are used several times there is one), and
	// mostNetworks how many at all, several times those of the largest.
	mostRepeats  = 16
	mostNetworks = 1 << 26
)

// database is one fact about all addresses. It is never written after parse.
type database struct {
	four    table[uint32]
	six     table[wide]
	kind    string
	built   time.Time
	nodes   uint
	records int
}

func (db *database) ranges() int { return len(db.four.starts) + len(db.six.starts) }

// find returns the fact about an address that is not IPv4-mapped, 0 for none.
func (db *database) find(a netip.Addr) uint32 {
	if a.Is4() {
		return find4(&db.four, narrowKey(a))
	}
	fact := find6(&db.six, wideKey(a))
	if fact == 0 {
		if client := tunnelled(a); client.IsValid() {
			return find4(&db.four, narrowKey(client))
		}
	}
	return fact
}

// tunnelled returns the IPv4 address of who speaks through 6to4 (RFC 3056, 2)
// or Teredo (RFC 4380, 4), where answers go as well. Files point these
// prefixes at their IPv4 tree, which for Teredo is right only for a reader
// that knows it: the first address inside is that of a server which anybody
// may choose, the client's comes last with all bits turned.
func tunnelled(a netip.Addr) netip.Addr {
	b := a.As16()
	switch {
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6]))
	case [4]byte(b[:4]) == [4]byte{0x20, 0x01}:
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})
	}
	return netip.Addr{}
}

var (
	errPatience = errors.New("reading it takes too long")
	errRepeats  = errors.New("its search tree has too many branches")
)

// parse reads a whole file and checks on the way every part that it uses. It
// gives up soon after the deadline.
// The library's Verify is not asked: it refuses good files of providers that
// leave the description empty, and decodes all that is thrown away here.
func parse(data []byte, of func(*record) uint32, deadline time.Time) (db *database, err error) {
	// A file that brings the library to panic is a damaged file. After this
	// function, nothing of the library is in use.
	defer func() {
		if cause := recover(); cause != nil {
			db, err = nil, fmt.Errorf("damaged: %v", cause)
		}
	}()
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("not a MaxMind DB file, or not all of it: %w", err)
	}
	meta := reader.Metadata
	if meta.BinaryFormatMajorVersion != 2 || meta.IPVersion != 4 && meta.IPVersion != 6 {
		return nil, fmt.Errorf("version %d of the format with IPv%d is not supported", meta.BinaryFormatMajorVersion, meta.IPVersion)
	}
	db = &database{kind: meta.DatabaseType, built: meta.BuildTime(), nodes: meta.NodeCount}
	if err := db.collect(reader, of, deadline); err != nil {
		return nil, err
	}
	if db.ranges() == 0 {
		return nil, fmt.Errorf("the fact is in none of its %d records; it is a database of type %q", db.records, db.kind)
	}
	return db, nil
}

// collect walks through all networks of the file. Its IPv4 tree comes once,
// without the prefixes of IPv6 that point into it.
func (db *database) collect(reader *maxminddb.Reader, of func(*record) uint32, deadline time.Time) error {
	four := collector[uint32]{key: narrowKey, next: netip.IPv4Unspecified()}
	six := collector[wide]{key: wideKey, next: netip.IPv6Unspecified()}
	known := map[uintptr]uint32{} // facts by place of the record
	left := min(mostRepeats*(reader.Metadata.NodeCount+1), mostNetworks)
	r := record{deadline: deadline}
	for found := range reader.Networks() {
		if err := found.Err(); err != nil {
			return fmt.Errorf("damaged: %w", err)
		}
		if left--; left == 0 {
			return fmt.Errorf("damaged: %w", errRepeats)
		}
		fact, seen := known[found.Offset()]
		if !seen {
			if err := found.Decode(&r); err != nil {
				return fmt.Errorf("damaged: %w", err)
			}
			fact = of(&r)
			known[found.Offset()] = fact
		}
		if err := addTo(&four, &six, found.Prefix(), fact); err != nil {
			return err
		}
	}
	db.four, db.six, db.records = newTable(four.end(), upper4), newTable(six.end(), upper6), len(known)
	return nil
}

// addTo sorts a prefix by family. IPv4 is the part ::/96 of the tree; a
// shorter prefix that covers it counts for both.
func addTo(four *collector[uint32], six *collector[wide], p netip.Prefix, fact uint32) error {
	if p.Addr().Is4() {
		return four.add(p, fact)
	}
	b := p.Addr().As16()
	if [12]byte(b[:12]) != [12]byte{} {
		return six.add(p, fact)
	}
	if p.Bits() >= 96 {
		return four.add(netip.PrefixFrom(netip.AddrFrom4([4]byte(b[12:])), p.Bits()-96), fact)
	}
	if err := four.add(netip.PrefixFrom(netip.IPv4Unspecified(), 0), fact); err != nil {
		return err
	}
	return six.add(p, fact)
}
