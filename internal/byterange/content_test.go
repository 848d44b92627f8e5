package byterange

import (
	"math"
	"testing"
)

func TestParseContentRange_readsWhatAnAnswerEncloses(t *testing.T) {
	for _, c := range []struct {
		name, value string // with the section of RFC 9110
		want        Span
		size        int64
	}{
		{"14.4 inside", "bytes 42-1233/1234", Span{42, 1233}, 1234},
		{"14.4 size not known", "bytes 42-1233/*", Span{42, 1233}, -1},
		{"14.4 the first byte", "bytes 0-0/1", Span{0, 0}, 1},
		{"14.1 the unit in capitals", "BYTES 4-9/10", Span{4, 9}, 10},
		{"5.5 space around the value", "\tbytes 4-9/10 ", Span{4, 9}, 10},
		{"14.4 the largest that fits", "bytes 0-9223372036854775805/9223372036854775806", Span{0, math.MaxInt64 - 2}, math.MaxInt64 - 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s, size, ok := ParseContentRange([]byte(c.value)); s != c.want || size != c.size || !ok {
				t.Errorf("%q: %v of %d, %v; want %v of %d", c.value, s, size, ok, c.want, c.size)
			}
		})
	}
}

func TestParseContentRange_refusesWhatContradictsItself(t *testing.T) {
	for name, value := range map[string]string{
		"14.4 last before first":                  "bytes 9-4/10",
		"14.4 last before first, size not known":  "bytes 9-4/*",
		"14.4 last is the size":                   "bytes 4-10/10",
		"14.4 last past the size":                 "bytes 4-11/10",
		"14.4 of nothing":                         "bytes 0-0/0",
		"14.4 of a 416":                           "bytes */10",
		"14.4 nothing known":                      "bytes */*",
		"14.4 another unit":                       "items 4-9/10",
		"14.4 an equals sign as in Range":         "bytes=4-9/10",
		"14.4 two spaces":                         "bytes  4-9/10",
		"14.4 no space":                           "bytes4-9/10",
		"14.4 no size":                            "bytes 4-9",
		"14.4 an empty size":                      "bytes 4-9/",
		"14.4 no first":                           "bytes -9/10",
		"14.4 no last":                            "bytes 4-/10",
		"14.4 no dash":                            "bytes 4/10",
		"14.4 two sizes":                          "bytes 4-9/10/10",
		"14.4 two stars":                          "bytes 4-9/**",
		"14.4 something behind":                   "bytes 4-9/10, 11-12/20",
		"14.4 space inside":                       "bytes 4-9 /10",
		"14.4 a sign":                             "bytes 4-9/+10",
		"14.4 only the unit":                      "bytes ",
		"14.4 nothing":                            "",
		"14.4 a size that no number holds":        "bytes 4-9/18446744073709551626",
		"14.4 a last that no number holds":        "bytes 4-18446744073709551625/*",
		"14.4 a first that no number holds":       "bytes 18446744073709551620-9/10",
		"14.4 a last whose length does not fit":   "bytes 0-9223372036854775807/*",
		"14.4 both past every number, size as is": "bytes 99999999999999999999-99999999999999999999/*",
	} {
		t.Run(name, func(t *testing.T) {
			if s, size, ok := ParseContentRange([]byte(value)); ok || s != (Span{}) || size != 0 {
				t.Errorf("%q: %v of %d, %v", value, s, size, ok)
			}
		})
	}
}

func TestAppendContentRange_writesTheField(t *testing.T) {
	for want, got := range map[string][]byte{
		"x: bytes 42-1233/1234": AppendContentRange([]byte("x: "), Span{42, 1233}, 1234), // 14.4
		"bytes 0-0/*":           AppendContentRange(nil, Span{0, 0}, -1),                 // 14.4
		"x: bytes */1234":       AppendUnsatisfied([]byte("x: "), 1234),                  // 15.5.17
		"bytes */0":             AppendUnsatisfied(nil, 0),                               // 15.5.17
	} {
		if string(got) != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestParseContentRange_doesNotAllocate(t *testing.T) {
	value, dst := []byte("bytes 42-1233/*"), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		s, size, ok := ParseContentRange(value)
		if dst = AppendContentRange(dst[:0], s, size); !ok || string(dst) != string(value) {
			t.Errorf("%s", dst)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzContentRange(f *testing.F) {
	f.Add([]byte("bytes 4-9/10"), int64(4), int64(6), int64(10))
	f.Add([]byte("BYTES 004-9/*"), int64(0), int64(1), int64(-1))
	f.Add([]byte("bytes 0-0/0"), int64(0), int64(1), int64(0))
	f.Add([]byte("bytes */10"), int64(0), int64(math.MaxInt64-1), int64(math.MaxInt64-1))
	f.Fuzz(func(t *testing.T, value []byte, first, length, size int64) {
		// What is read is written so that it is read again.
		if s, size, ok := ParseContentRange(value); ok {
			if s.First < 0 || s.Len() < 1 || size < -1 || size >= 0 && s.Last >= size {
				t.Fatalf("%q: %v of %d", value, s, size)
			}
			written := AppendContentRange(nil, s, size)
			if s2, size2, ok2 := ParseContentRange(written); s2 != s || size2 != size || !ok2 {
				t.Fatalf("%q is %v of %d, written %q, which is %v of %d, %v", value, s, size, written, s2, size2, ok2)
			}
		}
		// What is written is read: all that is inside a size, and nothing else.
		first, length = max(0, first), max(1, length)
		if first > math.MaxInt64-1-length {
			return
		}
		s, size := Span{first, first + length - 1}, min(max(-1, size), math.MaxInt64-1)
		written := AppendContentRange(nil, s, size)
		if s2, size2, ok := ParseContentRange(written); ok != (size < 0 || s.Last < size) || ok && (s2 != s || size2 != size) {
			t.Fatalf("%v of %d, written %q, is %v of %d, %v", s, size, written, s2, size2, ok)
		}
		if s, size, ok := ParseContentRange(AppendUnsatisfied(nil, size)); ok {
			t.Fatalf("a 416 encloses %v of %d", s, size)
		}
	})
}
