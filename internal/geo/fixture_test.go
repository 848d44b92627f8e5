package geo

import (
	"net/netip"
	"os"
	"testing"

	"github.com/maxmind/mmdbwriter"
)

// TestFixture_isWhatOtherRoomsUse holds edge/testdata/places.mmdb to what it
// says; with SEAWALL_WRITE_FIXTURE=1 it is written anew. Other rooms must not
// know how such files are made.
func TestFixture_isWhatOtherRoomsUse(t *testing.T) {
	const file = "../../edge/testdata/places.mmdb"
	record := func(country string, asn uint32) fieldMap {
		return fieldMap{"country": fieldMap{"iso_code": text(country)}, "autonomous_system_number": number(asn)}
	}
	if os.Getenv("SEAWALL_WRITE_FIXTURE") != "" {
		made := write(t, mmdbwriter.Options{IncludeReservedNetworks: true}, entry{"198.51.100.0/25", record("DE", 64500)}, entry{"198.51.100.128/25", record("AQ", 64501)}, entry{"2001:db8::/32", record("FR", 64502)})
		if err := os.WriteFile(file, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := New(Config{Country: file, Network: file})
	for address, want := range map[string]Place{
		"198.51.100.1": {[2]byte{'D', 'E'}, 64500}, "198.51.100.200": {[2]byte{'A', 'Q'}, 64501}, "2001:db8::1": {[2]byte{'F', 'R'}, 64502}, "192.0.2.1": {},
	} {
		if got := f.Lookup(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
