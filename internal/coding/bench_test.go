package coding

import (
	"bytes"
	stdlib "compress/gzip"
	"fmt"
	"io"
	"testing"
)

// BenchmarkAppend compares codings and levels on a page. nginx's CPU at the
// same level is that of zlib: compare with `gzip -5 -c page | wc -c` and
// doc comment of levels.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{16 << 10, 256 << 10} {
		body := page(size)
		for c := Gzip; c < count; c++ {
			for _, level := range []int{1, 3, 5, 6, 9} {
				b.Run(fmt.Sprintf("%v-%d/%dKiB", c, level, size>>10), func(b *testing.B) {
					out := Append(nil, body, c, level)
					b.ReportAllocs()
					b.SetBytes(int64(size))
					for b.Loop() {
						out = Append(out[:0], body, c, level)
					}
					b.ReportMetric(float64(size)/float64(len(out)), "ratio")
				})
			}
		}
	}
}

// BenchmarkStandardLibrary is why gzip is not that of the standard library.
func BenchmarkStandardLibrary(b *testing.B) {
	for _, size := range []int{16 << 10, 256 << 10} {
		body := page(size)
		for _, level := range []int{1, 3, 5, 6, 9} {
			b.Run(fmt.Sprintf("gzip-%d/%dKiB", level, size>>10), func(b *testing.B) {
				var out bytes.Buffer
				z, err := stdlib.NewWriterLevel(io.Discard, level)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					out.Reset()
					z.Reset(&out)
					_, _ = z.Write(body)
					_ = z.Close()
				}
				b.ReportMetric(float64(size)/float64(out.Len()), "ratio")
			})
		}
	}
}

// BenchmarkAccept is on the way of every request.
func BenchmarkAccept(b *testing.B) {
	line := []byte("gzip, deflate, br, zstd")
	b.ReportAllocs()
	for b.Loop() {
		var a Accept
		a.Add(line)
		a.Best(all)
	}
}
