package geo

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// The files of these tests are real ones, made by the writer of the company
// that made up the format.

type (
	fieldMap = mmdbtype.Map
	text     = mmdbtype.String
	number   = mmdbtype.Uint32
)

// entry is a network with its record.
type entry struct {
	network string
	record  mmdbtype.DataType
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// write returns a file with these networks.
func write(tb testing.TB, opts mmdbwriter.Options, entries ...entry) []byte {
	tb.Helper()
	if opts.DatabaseType == "" {
		opts.DatabaseType = "Test"
	}
	if opts.BuildEpoch == 0 {
		opts.BuildEpoch = noon.Unix()
	}
	tree, err := mmdbwriter.New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		_, network, err := net.ParseCIDR(e.network)
		if err != nil {
			tb.Fatal(err)
		}
		if err := tree.Insert(network, e.record); err != nil {
			tb.Fatal(err)
		}
	}
	var file bytes.Buffer
	if _, err := tree.WriteTo(&file); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func countries(tb testing.TB, codes map[string]string) []byte {
	tb.Helper()
	var entries []entry
	for network, code := range codes {
		entries = append(entries, entry{network, fieldMap{"country": fieldMap{"iso_code": text(code)}}})
	}
	return write(tb, mmdbwriter.Options{DatabaseType: "GeoLite2-Country"}, entries...)
}

func networks(tb testing.TB, numbers map[string]uint32) []byte {
	tb.Helper()
	var entries []entry
	for network, asn := range numbers {
		entries = append(entries, entry{network, fieldMap{"autonomous_system_number": number(asn), "autonomous_system_organization": text("Somebody")}})
	}
	return write(tb, mmdbwriter.Options{DatabaseType: "GeoLite2-ASN"}, entries...)
}

// put lays a file down the way careful programs do: under another name first.
func put(tb testing.TB, path string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		tb.Fatal(err)
	}
}

// laid returns the path of a new file.
func laid(tb testing.TB, data []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "geo.mmdb")
	put(tb, path, data)
	return path
}
