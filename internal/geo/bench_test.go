package geo

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/maxmind/mmdbwriter"
)

// crowd returns files with many networks and addresses from all over them, as
// a server meets them: no two in a row are neighbours.
func crowd(b *testing.B) (f *Files, four, six []netip.Addr) {
	b.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	var country, network []entry
	for _, e := range randomEntries(rng, 200_000) {
		country = append(country, e)
		network = append(network, entry{e.network, fieldMap{"autonomous_system_number": number(1 + rng.Uint32N(80_000))}})
		p := netip.MustParsePrefix(e.network)
		if a := randomIn(rng, p); a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	f = New(Config{Country: laid(b, write(b, mmdbwriter.Options{}, country...)), Network: laid(b, write(b, mmdbwriter.Options{}, network...))})
	rng.Shuffle(len(four), func(i, j int) { four[i], four[j] = four[j], four[i] })
	rng.Shuffle(len(six), func(i, j int) { six[i], six[j] = six[j], six[i] })
	return f, four[:1<<15], six[:1<<15]
}

func BenchmarkLookup(b *testing.B) {
	f, four, six := crowd(b)
	for _, st := range f.Status() {
		if !st.InUse {
			b.Fatalf("%+v", st)
		}
		b.Logf("%s: %d nodes, %d records, %d ranges", st.Fact, st.Nodes, st.Records, st.Ranges)
	}
	for _, c := range []struct {
		name      string
		addresses []netip.Addr
	}{{"IPv4", four}, {"IPv6", six}, {"one address", four[:1]}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f.Lookup(c.addresses[i%len(c.addresses)])
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	data := write(b, mmdbwriter.Options{}, randomEntries(rand.New(rand.NewPCG(7, 8)), 100_000)...)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(data, (*record).countryFact, inTime()); err != nil {
			b.Fatal(err)
		}
	}
}
