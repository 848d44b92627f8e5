package geo

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
)

// small is a file with both facts, both families and more than one record.
func small(tb testing.TB) []byte {
	return write(tb, mmdbwriter.Options{RecordSize: 24},
		entry{"81.2.69.0/24", fieldMap{"country": fieldMap{"iso_code": text("GB"), "names": fieldMap{"en": text("United Kingdom")}}, "asn": text("AS20712")}},
		entry{"2a02:cf40::/29", fieldMap{"registered_country": fieldMap{"iso_code": text("NO")}, "autonomous_system_number": number(2119)}},
		entry{"89.160.0.0/17", fieldMap{"country_code": text("SE"), "asn": text("29518")}},
	)
}

func TestParse_refusesAFileCutAnywhere(t *testing.T) {
	data := small(t)
	if _, err := parse(data, (*record).countryFact); err != nil {
		t.Fatal(err)
	}
	path := laid(t, data)
	f := New(Config{Country: path, Network: path})
	for n := range data {
		if _, err := parse(data[:n], (*record).countryFact); err == nil {
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
	for _, of := range []func(*record) uint32{(*record).countryFact, (*record).networkFact} {
		db, err := parse(data, of)
		if err != nil {
			if db != nil || err.Error() == "" {
				t.Fatalf("database %v with error %q", db, err)
			}
			continue
		}
		for _, r := range [][]uint32{db.four.facts, db.six.facts} {
			for i := 1; i < len(r); i++ {
				if r[i] == r[i-1] {
					t.Fatalf("two ranges in a row say %d", r[i])
				}
			}
		}
		for i := 1; i < len(db.four.starts); i++ {
			if db.four.starts[i] <= db.four.starts[i-1] {
				t.Fatal("ranges are out of order")
			}
		}
		for _, address := range []string{"0.0.0.0", "81.2.69.160", "255.255.255.255", "::", "2a02:cf40::1", "2002:5102:45a0::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
			db.find(netip.MustParseAddr(address))
		}
	}
}

func TestParse_survivesFlippedBytes(t *testing.T) {
	data := small(t)
	for i := range data { // each byte
		for _, mask := range []byte{1, 16, 128, 255} {
			data[i] ^= mask
			survive(t, data)
			data[i] ^= mask
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 { // several at once
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
	_, err := parse(tangle(t), (*record).countryFact)
	if err == nil || !strings.Contains(err.Error(), "too many branches") {
		t.Errorf("got %v", err)
	}
}

func TestParse_endsACircle(t *testing.T) {
	data := write(t, mmdbwriter.Options{RecordSize: 32, DisableIPv4Aliasing: true, IncludeReservedNetworks: true},
		entry{"8000::/1", fieldMap{"country_code": text("AU")}})
	// Each branch of the root leads to the root.
	binary.BigEndian.PutUint32(data[0:], 0)
	binary.BigEndian.PutUint32(data[4:], 0)
	if _, err := parse(data, (*record).countryFact); err == nil {
		t.Error("a circle is a database")
	}
}
