package geo

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/oschwald/maxminddb-golang/v2"
)

// place writes a Place as "DE 3320", with "-" for what is unknown.
func place(p Place) string {
	country, network := "-", "-"
	if p.Country != [2]byte{} {
		country = string(p.Country[:])
	}
	if p.Network != 0 {
		network = fmt.Sprint(p.Network)
	}
	return country + " " + network
}

func wantPlace(t *testing.T, f *Files, address, want string) {
	t.Helper()
	if got := place(f.Lookup(netip.MustParseAddr(address))); got != want {
		t.Errorf("%s is %q, want %q", address, got, want)
	}
}

func TestLookup_knowsBothFacts(t *testing.T) {
	f := New(Config{
		Country: laid(t, countries(t, map[string]string{"81.2.69.0/24": "GB", "81.2.70.0/23": "GB", "89.160.20.112/28": "SE", "2a02:cf40::/29": "NO", "2a02:cf48::1/128": "FI"})),
		Network: laid(t, networks(t, map[string]uint32{"81.2.68.0/22": 20712, "2a02:cf40::/32": 4200000000, "1.0.0.0/8": 13335, "223.255.255.255/32": 7})),
	})
	for address, want := range map[string]string{
		"81.2.69.0":                     "GB 20712",
		"81.2.69.255":                   "GB 20712",
		"81.2.71.255":                   "GB 20712",
		"81.2.68.255":                   "- 20712",
		"81.2.72.0":                     "- -",
		"89.160.20.111":                 "- -",
		"89.160.20.112":                 "SE -",
		"89.160.20.127":                 "SE -",
		"89.160.20.128":                 "- -",
		"1.0.0.0":                       "- 13335",
		"0.255.255.255":                 "- -",
		"223.255.255.255":               "- 7",
		"::ffff:81.2.69.160":            "GB 20712",
		"::ffff:89.160.20.113":          "SE -",
		"2a02:cf3f:ffff::":              "- -",
		"2a02:cf40::":                   "NO 4200000000",
		"2a02:cf40:0:ffff::1":           "NO 4200000000",
		"2a02:cf41::1":                  "NO -",
		"2a02:cf47:ffff:ffff:ffff::1":   "NO -",
		"2a02:cf48::":                   "- -",
		"2a02:cf48::1":                  "FI -",
		"2a02:cf48::2":                  "- -",
		"ffff::":                        "- -",
		"2001:0:4136:e378:8000:63bf::1": "- -",
	} {
		wantPlace(t, f, address, want)
	}
	if got := f.Lookup(netip.Addr{}); got != (Place{}) {
		t.Errorf("no address is %q", place(got))
	}
}

// Who speaks through 6to4 or Teredo is where the IPv4 address is that answers
// go to.
func TestLookup_looksIntoTunnels(t *testing.T) {
	for name, opts := range map[string]mmdbwriter.Options{"aliases in the file": {}, "no aliases in the file": {DisableIPv4Aliasing: true, IncludeReservedNetworks: true}} {
		t.Run(name, func(t *testing.T) {
			f := New(Config{Country: laid(t, write(t, opts,
				entry{"81.2.69.0/24", fieldMap{"country_code": text("GB")}},
				entry{"65.54.227.0/24", fieldMap{"country_code": text("US")}},
			))})
			for address, want := range map[string]string{
				"2002:5102:45a0::1":                    "GB -", // 6to4 of 81.2.69.160
				"2002:5102:44a0::1":                    "- -",
				"2002:0a00:0001::1":                    "- -",  // of 10.0.0.1
				"2002:7f00:0001::1":                    "- -",  // of 127.0.0.1
				"::ffff:0:5102:45a0":                   "- -",  // translated addresses are nobody's
				"2001:0:4136:e378:8000:63bf:aefd:ba5f": "GB -", // Teredo of 81.2.69.160 with a server of 65.54.227.120
				"2001:0:5102:45a0:8000:63bf:f5ff:fffe": "- -",  // of 10.0.0.1 with a server of 81.2.69.160
				"2001:1::1":                            "- -",
			} {
				wantPlace(t, f, address, want)
			}
		})
	}
}

func TestLookup_ofAddressesThatAreNobodysIsUnknown(t *testing.T) {
	f := New(Config{Country: laid(t, write(t, mmdbwriter.Options{IncludeReservedNetworks: true},
		entry{"0.0.0.0/0", fieldMap{"country_code": text("DE")}},
		entry{"2000::/3", fieldMap{"country_code": text("DE")}},
		entry{"f000::/4", fieldMap{"country_code": text("DE")}},
	))})
	for _, address := range []string{"0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::ffff:192.168.1.1", "127.0.0.1", "169.254.1.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "ff02::1", "64:ff9b::102:304"} {
		wantPlace(t, f, address, "- -")
	}
	for _, address := range []string{"8.8.8.8", "172.32.0.1", "2a00::1", "2a00::1%eth0"} {
		wantPlace(t, f, address, "DE -")
	}
}

// One file may serve both facts; a file of IPv4 alone knows IPv4 alone.
func TestLookup_readsTreesOfEveryShape(t *testing.T) {
	for _, version := range []int{4, 6} {
		for _, size := range []int{24, 28, 32} {
			path := laid(t, write(t, mmdbwriter.Options{IPVersion: version, RecordSize: size},
				entry{"1.1.1.0/24", fieldMap{"country_code": text("AU"), "asn": text("AS13335")}}))
			f := New(Config{Country: path, Network: path})
			wantPlace(t, f, "1.1.1.1", "AU 13335")
			wantPlace(t, f, "1.1.2.1", "- -")
			wantPlace(t, f, "2a00::1", "- -")
			wantPlace(t, f, "101:100::", "- -")
		}
	}
}

// A record for a short prefix of IPv6 covers the IPv4 tree below it, too.
func TestLookup_ofAPrefixAroundTheIPv4Tree(t *testing.T) {
	f := New(Config{Country: laid(t, write(t, mmdbwriter.Options{DisableIPv4Aliasing: true, IncludeReservedNetworks: true},
		entry{"::/1", fieldMap{"country_code": text("FR")}}))})
	wantPlace(t, f, "9.9.9.9", "FR -")
	wantPlace(t, f, "2a00::1", "FR -")
	wantPlace(t, f, "8000::1", "- -")
}

// What the ranges say is what the library says when it walks the file itself.
func TestLookup_agreesWithTheLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := write(t, mmdbwriter.Options{}, randomEntries(rng, 3000)...)
	f := New(Config{Country: laid(t, data)})
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	hits := 0
	for found := range reader.Networks() {
		for range 3 {
			a := randomIn(rng, found.Prefix())
			if rng.IntN(2) == 0 { // one beside it
				a = last(found.Prefix()).Next()
			}
			if !a.IsGlobalUnicast() || a.IsPrivate() || tunnelled(a).IsValid() && a.Is6() {
				continue
			}
			var code string
			if err := reader.Lookup(a).DecodePath(&code, "country", "iso_code"); err != nil {
				t.Fatal(err)
			}
			if code == "" {
				code = "-"
			} else {
				hits++
			}
			wantPlace(t, f, a.String(), code+" -")
		}
	}
	if hits < 3000 {
		t.Errorf("only %d hits", hits)
	}
}

// randomEntries returns networks of both families in any order and overlap,
// each with the record of one of 200 countries.
func randomEntries(rng *rand.Rand, n int) (all []entry) {
	for range n {
		var p netip.Prefix
		if rng.IntN(3) > 0 {
			a := netip.AddrFrom4([4]byte{byte(11 + rng.IntN(89)), byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())})
			p, _ = a.Prefix(12 + rng.IntN(21))
		} else {
			b := [16]byte{0x2a, byte(rng.IntN(16))}
			for i := 2; i < 16; i++ {
				b[i] = byte(rng.Uint32())
			}
			p, _ = netip.AddrFrom16(b).Prefix(20 + rng.IntN(109))
		}
		code := string([]byte{'A' + byte(rng.IntN(20)), 'A' + byte(rng.IntN(10))})
		all = append(all, entry{p.String(), fieldMap{"country": fieldMap{"iso_code": text(code), "names": fieldMap{"en": text("Land " + code)}}}})
	}
	return all
}

func randomIn(rng *rand.Rand, p netip.Prefix) netip.Addr {
	first, end := p.Addr().AsSlice(), last(p).AsSlice()
	for i := range first {
		first[i] |= byte(rng.Uint32()) & (first[i] ^ end[i])
	}
	a, _ := netip.AddrFromSlice(first)
	return a
}

func TestLookup_allocatesNothing(t *testing.T) {
	f := New(Config{
		Country: laid(t, countries(t, map[string]string{"81.2.69.0/24": "GB", "2a02:cf40::/29": "NO"})),
		Network: laid(t, networks(t, map[string]uint32{"81.2.68.0/22": 20712})),
	})
	for _, address := range []string{"81.2.69.160", "::ffff:81.2.69.160", "2a02:cf40::1", "2002:5102:45a0::1", "8.8.8.8", "10.0.0.1"} {
		a := netip.MustParseAddr(address)
		if n := testing.AllocsPerRun(100, func() { f.Lookup(a) }); n != 0 {
			t.Errorf("%s: %v allocations", address, n)
		}
	}
}

func TestFiles_withoutFilesKnowNothing(t *testing.T) {
	var none *Files
	for _, f := range []*Files{New(Config{}), none} {
		wantPlace(t, f, "81.2.69.160", "- -")
		f.Reload()
		if got := f.Status(); got != nil {
			t.Errorf("status %+v", got)
		}
	}
}

// What providers write, field by field as their files have it.
func TestRecord_ofEveryProvider(t *testing.T) {
	for name, c := range map[string]struct {
		record mmdbtype.DataType
		want   string
	}{
		"GeoLite2-Country": {fieldMap{"continent": fieldMap{"code": text("EU"), "geoname_id": number(6255148)}, "country": fieldMap{"geoname_id": number(2635167), "iso_code": text("GB"), "names": fieldMap{"de": text("UK")}},
			"registered_country": fieldMap{"iso_code": text("FR")}, "represented_country": fieldMap{"iso_code": text("US")}}, "GB -"},
		"GeoLite2-Country, registered alone": {fieldMap{"continent": fieldMap{"code": text("EU")}, "registered_country": fieldMap{"iso_code": text("FR"), "is_in_european_union": mmdbtype.Bool(true)}}, "FR -"},
		"GeoLite2-City": {fieldMap{"city": fieldMap{"names": fieldMap{"en": text("London")}}, "country": fieldMap{"iso_code": text("GB")}, "location": fieldMap{"latitude": mmdbtype.Float64(51.5), "accuracy_radius": mmdbtype.Uint16(100)},
			"postal": fieldMap{"code": text("OX1")}, "subdivisions": mmdbtype.Slice{fieldMap{"iso_code": text("ENG")}}}, "GB -"},
		"GeoLite2-ASN":           {fieldMap{"autonomous_system_number": number(1221), "autonomous_system_organization": text("Telstra")}, "- 1221"},
		"GeoIP2-Enterprise":      {fieldMap{"country": fieldMap{"iso_code": text("US"), "confidence": mmdbtype.Uint16(99)}, "traits": fieldMap{"autonomous_system_number": number(209), "isp": text("X")}}, "US 209"},
		"GeoIP2-ISP":             {fieldMap{"autonomous_system_number": number(1221), "isp": text("Telstra Internet"), "organization": text("T")}, "- 1221"},
		"DBIP-Country-Lite":      {fieldMap{"continent": fieldMap{"code": text("NA")}, "country": fieldMap{"geoname_id": number(6252001), "is_in_european_union": mmdbtype.Bool(false), "iso_code": text("US")}}, "US -"},
		"DBIP-ASN-Lite":          {fieldMap{"autonomous_system_number": number(15169), "autonomous_system_organization": text("Google LLC")}, "- 15169"},
		"ipinfo lite":            {fieldMap{"as_domain": text("google.com"), "as_name": text("Google LLC"), "asn": text("AS15169"), "continent": text("North America"), "continent_code": text("NA"), "country": text("United States"), "country_code": text("US")}, "US 15169"},
		"ipinfo before lite":     {fieldMap{"asn": text("AS2519"), "continent": text("AS"), "continent_name": text("Asia"), "country": text("JP"), "country_name": text("Japan")}, "JP 2519"},
		"ipinfo core":            {fieldMap{"geo": fieldMap{"country": text("Japan"), "country_code": text("JP"), "city": text("Tokyo")}, "as": fieldMap{"asn": text("AS2519"), "type": text("isp")}}, "JP 2519"},
		"IPLocate ip-to-country": {fieldMap{"continent_code": text("NA"), "country_code": text("US"), "country_name": text("United States"), "network": text("8.8.8.0/24")}, "US -"},
		"IPLocate ip-to-asn":     {fieldMap{"asn": text("38803"), "country_code": text("AU"), "name": text("GTELECOM"), "org": text("Gtelecom")}, "AU 38803"},
		"ip-location-db":         {fieldMap{"country_code": text("de"), "autonomous_system_number": mmdbtype.Uint64(3320)}, "DE 3320"},
		"Geo Open":               {fieldMap{"country": fieldMap{"iso_code": text("BE"), "AutonomousSystemNumber": text("49677")}}, "BE 49677"},
		"nobody knows":           {fieldMap{"country_code": text("ZZ"), "asn": text("")}, "- -"},
		"other types":            {fieldMap{"country": number(49), "country_code": fieldMap{"iso_code": text("DE")}, "asn": mmdbtype.Slice{text("AS1")}, "registered_country": text("DE")}, "- -"},
		"not codes":              {fieldMap{"country_code": text("D1"), "country": text("Ü"), "asn": text("AS99999999999")}, "- -"},
		"a number too large":     {fieldMap{"autonomous_system_number": mmdbtype.Uint64(1<<32 + 1)}, "- -"},
		"not a map":              {text("DE"), "- -"},
		"a map with nothing":     {fieldMap{}, "- -"},
		"an empty name":          {fieldMap{"": fieldMap{"country_code": text("DE")}}, "- -"},
	} {
		t.Run(name, func(t *testing.T) {
			// The second network keeps the file good where the first says nothing.
			path := laid(t, write(t, mmdbwriter.Options{},
				entry{"81.2.69.0/24", c.record}, entry{"9.0.0.0/8", fieldMap{"country_code": text("SE"), "asn": text("AS9")}}))
			f := New(Config{Country: path, Network: path})
			wantPlace(t, f, "81.2.69.160", c.want)
			wantPlace(t, f, "9.0.0.1", "SE 9")
		})
	}
}
