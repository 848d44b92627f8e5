package geo

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2/mmdbdata"
)

// small is a file with both facts, both families and more than one record.
func small(tb testing.TB) []byte {
	return write(tb, mmdbwriter.Options{RecordSize: 24},
		entry{"81.2.69.0/24", fieldMap{"country": fieldMap{"iso_code": text("GB"), "names": fieldMap{"en": text("United Kingdom")}}, "asn": text("AS20712")}},
		entry{"2a02:cf40::/29", fieldMap{"registered_country": fieldMap{"iso_code": text("NO")}, "autonomous_system_number": number(2119)}},
		entry{"89.160.0.0/17", fieldMap{"country_code": text("SE"), "asn": text("29518")}},
	)
}

// inTime is a deadline that a file of these tests never meets.
func inTime() time.Time { return time.Now().Add(10 * time.Second) }

func TestParse_refusesAFileCutAnywhere(t *testing.T) {
	data := small(t)
	if _, err := parse(data, (*record).countryFact, inTime()); err != nil {
		t.Fatal(err)
	}
	path := laid(t, data)
	f := New(Config{Country: path, Network: path})
	for n := range data {
		if _, err := parse(data[:n], (*record).countryFact, inTime()); err == nil {
			t.Errorf("%d of %d bytes are a database", n, len(data))
		}
		if err := os.WriteFile(path, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		look(f)
		look(f)
		wantPlace(t, f, "81.2.69.160", "GB 20712")
		if st := f.Status(); st[0].Problem == "" || st[1].Problem == "" {
			t.Fatalf("%d of %d bytes: status %+v", n, len(data), st)
		}
	}
}

// survive reads a file that may say anything, and asks for addresses that lie
// in different corners.
func survive(t *testing.T, data []byte) {
	t.Helper()
	both := func(r *record) uint32 { return r.countryFact() ^ r.networkFact() }
	db, err := parse(data, both, inTime())
	if err != nil {
		if db != nil || err.Error() == "" || errors.Is(err, errPatience) {
			t.Fatalf("database %v with error %q", db, err)
		}
		return
	}
	for _, r := range [][]uint32{db.four.facts, db.six.facts} {
		for i := 1; i < len(r); i++ {
			if r[i] == r[i-1] {
				t.Fatalf("two ranges in a row say %d", r[i])
			}
		}
	}
	if !slices.IsSorted(db.four.starts) || !slices.IsSortedFunc(db.six.starts, func(a, b wide) int {
		return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low))
	}) {
		t.Fatal("ranges are out of order")
	}
	for _, address := range []string{"0.0.0.0", "81.2.69.160", "255.255.255.255", "::", "2a02:cf40::1", "2002:5102:45a0::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
		db.find(netip.MustParseAddr(address))
	}
}

func TestParse_survivesFlippedBytes(t *testing.T) {
	data := small(t)
	for i := range data { // each byte
		for _, mask := range []byte{1, 255} {
			data[i] ^= mask
			survive(t, data)
			data[i] ^= mask
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 1000 { // several at once
		broken := append([]byte(nil), data...)
		for range 1 + rng.IntN(8) {
			broken[rng.IntN(len(broken))] = byte(rng.Uint32())
		}
		survive(t, broken)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small(f))
	f.Add(write(f, mmdbwriter.Options{IPVersion: 4, RecordSize: 28}, entry{"1.0.0.0/8", fieldMap{"country_code": text("AU")}}))
	f.Add(write(f, mmdbwriter.Options{RecordSize: 32, DisableIPv4Aliasing: true, IncludeReservedNetworks: true}, entry{"::/1", fieldMap{"country_code": text("AU")}}))
	f.Fuzz(survive)
}

// tangle makes both branches of the nodes at a few depths the same, so that
// every path through them is there twice: a tree of some hundred nodes with
// networks beyond number.
func tangle(tb testing.TB) []byte {
	data := write(tb, mmdbwriter.Options{RecordSize: 32, DisableIPv4Aliasing: true, IncludeReservedNetworks: true},
		entry{"8000::1/128", fieldMap{"country_code": text("AU")}})
	node := uint32(0)
	for depth := range 127 {
		left, right := data[node*8:node*8+4], data[node*8+4:node*8+8]
		if depth == 0 {
			left, right = right, left // the path begins with a one
		}
		node = binary.BigEndian.Uint32(left)
		copy(right, left)
	}
	return data
}

func TestParse_refusesATreeWithoutEnd(t *testing.T) {
	_, err := parse(tangle(t), (*record).countryFact, inTime())
	if err == nil || !strings.Contains(err.Error(), "too many branches") {
		t.Errorf("got %v", err)
	}
}

func TestParse_givesUpAtTheDeadline(t *testing.T) {
	_, err := parse(small(t), (*record).countryFact, time.Now().Add(-time.Second))
	if !errors.Is(err, errPatience) {
		t.Errorf("got %v", err)
	}
}

// A file may say that one map is in it a million times over, each time within
// another. There is no such file here, as nobody wants to wait for it: a small
// one shows that every map within a map looks at the clock.
func TestRecord_looksAtTheClockInEveryMap(t *testing.T) {
	data := write(t, mmdbwriter.Options{}, entry{"1.0.0.0/8", fieldMap{"country": fieldMap{"iso_code": text("AU")}}})
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	found := reader.Lookup(netip.MustParseAddr("1.1.1.1"))
	inner := record{deadline: time.Now().Add(-time.Second)}
	outer := outerMap{func(c mmdbdata.Cursor) (mmdbdata.Cursor, error) { return inner.readField("", []byte("country"), c) }}
	if err := found.DecodePath(&outer, "country"); !errors.Is(err, errPatience) {
		t.Errorf("got %v", err)
	}
}

type outerMap struct {
	read func(mmdbdata.Cursor) (mmdbdata.Cursor, error)
}

func (o *outerMap) UnmarshalMaxMindDBCursor(c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	return o.read(c)
}

// No file is known that brings the library to panic; so somebody else does.
func TestParse_makesAnErrorOfAPanic(t *testing.T) {
	db, err := parse(small(t), func(*record) uint32 { panic("index out of range") }, inTime())
	if db != nil || err == nil || !strings.Contains(err.Error(), "damaged: index out of range") {
		t.Errorf("got %v, %v", db, err)
	}
}

func TestParse_endsACircle(t *testing.T) {
	data := write(t, mmdbwriter.Options{RecordSize: 32, DisableIPv4Aliasing: true, IncludeReservedNetworks: true},
		entry{"8000::/1", fieldMap{"country_code": text("AU")}})
	// Each branch of the root leads to the root.
	binary.BigEndian.PutUint32(data[0:], 0)
	binary.BigEndian.PutUint32(data[4:], 0)
	if _, err := parse(data, (*record).countryFact, inTime()); err == nil {
		t.Error("a circle is a database")
	}
}
