package byterange

import (
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type parseCase struct {
	name    string // with the section of RFC 9110
	value   string
	size    int64
	want    []Span
	verdict Verdict
}

func run(t *testing.T, cases []parseCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spans, verdict := Parse([]byte(c.value), c.size, nil)
			if verdict != c.verdict || !slices.Equal(spans, c.want) || (spans == nil) != (c.want == nil) {
				t.Errorf("%q of %d: %v, verdict %d; want %v, verdict %d", c.value, c.size, spans, verdict, c.want, c.verdict)
			}
		})
	}
}

func TestParse_resolvesPositions(t *testing.T) {
	run(t, []parseCase{
		{"14.1.2 first and last", "bytes=4-9", 10000, []Span{{4, 9}}, Satisfied},
		{"14.1.2 one byte", "bytes=0-0", 10000, []Span{{0, 0}}, Satisfied},
		{"14.1.2 the last byte", "bytes=9999-9999", 10000, []Span{{9999, 9999}}, Satisfied},
		{"14.1.2 to the end", "bytes=9500-", 10000, []Span{{9500, 9999}}, Satisfied},
		{"14.1.2 the whole", "bytes=0-", 10000, []Span{{0, 9999}}, Satisfied},
		{"14.1.2 past the end is the rest", "bytes=9500-20000", 10000, []Span{{9500, 9999}}, Satisfied},
		{"14.1.2 last is the size", "bytes=0-10", 10, []Span{{0, 9}}, Satisfied},
		{"14.1.2 a last position that no number holds", "bytes=0-99999999999999999999", 10, []Span{{0, 9}}, Satisfied},
		{"14.1.2 a last position that wraps around to 4", "bytes=2-18446744073709551620", 10, []Span{{2, 9}}, Satisfied},
		{"14.1.2 leading zeros", "bytes=000000000000000000000004-09", 10, []Span{{4, 9}}, Satisfied},
		{"14.1.2 the largest representation", "bytes=5-", math.MaxInt64, []Span{{5, math.MaxInt64 - 1}}, Satisfied},
		{"14.1.2 starts at the size", "bytes=10-", 10, nil, Unsatisfiable},
		{"14.1.2 starts past the size", "bytes=11-12", 10, nil, Unsatisfiable},
		{"14.1.2 a first position that no number holds", "bytes=99999999999999999999-", 10, nil, Unsatisfiable},
		{"14.1.2 the same of the largest representation", "bytes=99999999999999999999-", math.MaxInt64, nil, Unsatisfiable},
		{"14.1.2 a first position that wraps around to 4", "bytes=18446744073709551620-", 10, nil, Unsatisfiable},
		{"14.1.2 both positions past every number", "bytes=99999999999999999999-99999999999999999998", 10, nil, Unsatisfiable},
		{"14.1.2 nothing to take from", "bytes=0-", 0, nil, Unsatisfiable},
		{"14.1.2 nothing to take from, bounded", "bytes=0-5", 0, nil, Unsatisfiable},
		{"14.2 size not known", "bytes=0-5", -1, nil, Ignore},
	})
}

func TestParse_resolvesSuffixes(t *testing.T) {
	run(t, []parseCase{
		{"14.1.2 the last bytes", "bytes=-500", 10000, []Span{{9500, 9999}}, Satisfied},
		{"14.1.2 the last byte", "bytes=-1", 10, []Span{{9, 9}}, Satisfied},
		{"14.1.2 as many as there are", "bytes=-10", 10, []Span{{0, 9}}, Satisfied},
		{"14.1.2 more than there are is the whole", "bytes=-11", 10, []Span{{0, 9}}, Satisfied},
		{"14.1.2 more than a number holds is the whole", "bytes=-99999999999999999999", 10, []Span{{0, 9}}, Satisfied},
		{"14.1.2 none", "bytes=-0", 10, nil, Unsatisfiable},
		{"14.1.2 none of nothing", "bytes=-0", 0, nil, Unsatisfiable},
		// Satisfiable, yet without a byte that Content-Range could name.
		{"14.1.2 some of nothing", "bytes=-5", 0, nil, Ignore},
		{"14.1.2 some of nothing beside what starts past it", "bytes=0-,-5", 0, nil, Ignore},
	})
}

func TestParse_ignoresWhatItCannotRead(t *testing.T) {
	for name, value := range map[string]string{
		"14.1.1 last before first":                  "bytes=9-4",
		"14.1.1 last before first, past the end":    "bytes=90-40",
		"14.1.1 one of several, after a good one":   "bytes=0-1,9-4",
		"14.1.1 one of several, before a good one":  "bytes=9-4,0-1",
		"14.1.1 only a dash":                        "bytes=-",
		"14.1.1 no dash":                            "bytes=4",
		"14.1.1 two dashes":                         "bytes=--4",
		"14.1.1 three positions":                    "bytes=1-2-3",
		"14.1.1 a dash too many":                    "bytes=1--3",
		"14.1.1 letters":                            "bytes=a-b",
		"14.1.1 letters behind":                     "bytes=1-2x",
		"14.1.1 a sign":                             "bytes=+1-2",
		"14.1.1 space inside":                       "bytes=1 - 2",
		"14.1.1 no dash between":                    "bytes=1 2",
		"14.1.1 what comes after 9":                 "bytes=0-:",
		"14.1.1 what comes before 0":                "bytes=/-1",
		"14.1.1 hexadecimal":                        "bytes=0x1-2",
		"14.1.1 another separator between ranges":   "bytes=0-1;2-3",
		"14.1.1 no ranges":                          "bytes=",
		"5.6.1.2 a list of nothing":                 "bytes= ,\t, ",
		"14.1.1 no equals sign":                     "bytes 0-1",
		"14.1.1 space before the equals sign":       "bytes =0-1",
		"14.1.1 only the unit":                      "bytes",
		"14.2 nothing":                              "",
		"14.1 another unit":                         "items=0-1",
		"14.1 a longer unit":                        "bytess=0-1",
		"14.1 a shorter unit":                       "byte=0-1",
		"14.1 another unit of as many letters":      "lines=0-1",
		"14.1 a unit that differs in one other bit": "\"ytes=0-1",
	} {
		run(t, []parseCase{{name, value, 10, nil, Ignore}})
	}
}

func TestParse_readsLists(t *testing.T) {
	run(t, []parseCase{
		{"14.1.2 first and last byte", "bytes=0-0,-1", 10000, []Span{{0, 0}, {9999, 9999}}, Satisfied},
		{"14.1.2 three parts", "bytes= 0-999, 4500-5499, -1000", 10000, []Span{{0, 999}, {4500, 5499}, {9000, 9999}}, Satisfied},
		{"14.1 the unit in capitals", "BYTES=0-1", 10, []Span{{0, 1}}, Satisfied},
		{"14.1 the unit in both", "bYtEs=0-1", 10, []Span{{0, 1}}, Satisfied},
		{"5.5 space around the value", " \tbytes=0-1\t ", 10, []Span{{0, 1}}, Satisfied},
		{"5.6.1.2 space around commas", "bytes=0-1 \t,\t 4-5", 10, []Span{{0, 1}, {4, 5}}, Satisfied},
		{"5.6.1.2 empty elements", "bytes=,, ,0-1,\t,,4-5, ,", 10, []Span{{0, 1}, {4, 5}}, Satisfied},
		{"14.1.1 one that cannot be satisfied is left out", "bytes=20-30,4-5,-0,10-", 10, []Span{{4, 5}}, Satisfied},
		{"15.5.17 none can be satisfied", "bytes=20-30,-0,10-", 10, nil, Unsatisfiable},
		{"15.3.7.2 in the order asked for", "bytes=8-8,0-1,4-5", 10, []Span{{8, 8}, {0, 1}, {4, 5}}, Satisfied},
	})
}

func TestParse_joinsWhatOverlaps(t *testing.T) {
	run(t, []parseCase{
		{"15.3.7.2 overlapping", "bytes=0-4,3-8", 10, []Span{{0, 8}}, Satisfied},
		{"15.3.7.2 side by side", "bytes=0-4,5-8", 10, []Span{{0, 8}}, Satisfied},
		{"15.3.7.2 side by side, backwards", "bytes=5-8,0-4", 10, []Span{{0, 8}}, Satisfied},
		{"15.3.7.2 a gap of one byte", "bytes=0-3,5-8", 10, []Span{{0, 3}, {5, 8}}, Satisfied},
		{"15.3.7.2 a gap of one byte, backwards", "bytes=5-8,0-3", 10, []Span{{5, 8}, {0, 3}}, Satisfied},
		{"15.3.7.2 one inside the other", "bytes=0-8,2-3", 10, []Span{{0, 8}}, Satisfied},
		{"15.3.7.2 one around the other", "bytes=2-3,0-8", 10, []Span{{0, 8}}, Satisfied},
		{"15.3.7.2 one joins two", "bytes=0-1,4-5,2-3", 10, []Span{{0, 5}}, Satisfied},
		{"15.3.7.2 at the place of the first", "bytes=70-79,0-9,40-49,90-,5-44", 100, []Span{{70, 79}, {0, 49}, {90, 99}}, Satisfied},
		{"15.3.7.2 at the place of the first, from the right", "bytes=70-79,40-49,0-9,90-,5-44", 100, []Span{{70, 79}, {0, 49}, {90, 99}}, Satisfied},
		{"17.15 the same again and again", "bytes=0-,0-,0-,0-,0-,0-,0-,0-", 10, []Span{{0, 9}}, Satisfied},
		{"17.15 the ends of one", "bytes=5-,4-,3-,2-,1-,0-", 10, []Span{{0, 9}}, Satisfied},
		{"17.15 clipped to the same", "bytes=2-50,2-60,-8", 10, []Span{{2, 9}}, Satisfied},
	})
}

func TestParse_ignoresTooManyRanges(t *testing.T) {
	var value strings.Builder
	value.WriteString("bytes=")
	var want []Span
	for i := range int64(MaxSpans) {
		want = append(want, Span{10 * i, 10*i + 4})
		value.WriteString(strconv.FormatInt(10*i, 10) + "-" + strconv.FormatInt(10*i+4, 10) + ",,")
	}
	run(t, []parseCase{
		{"14.2 as many as may be", value.String(), 1000, want, Satisfied},
		{"14.2 one more", value.String() + "500-501", 1000, nil, Ignore},
		{"17.15 one more that is there already", value.String() + "0-4", 1000, nil, Ignore},
		{"17.15 one more that cannot be satisfied", value.String() + "5000-", 1000, nil, Ignore},
		{"15.5.17 as many that cannot be satisfied", value.String(), 0, nil, Unsatisfiable},
	})
}

func TestParse_writesIntoTheMemoryGiven(t *testing.T) {
	var room [MaxSpans]Span
	room[0] = Span{4, 5} // of the request before
	spans, verdict := Parse([]byte("bytes=0-1,6-7"), 10, room[:1])
	if verdict != Satisfied || !slices.Equal(spans, []Span{{0, 1}, {6, 7}}) || &spans[0] != &room[0] {
		t.Errorf("%v, verdict %d", spans, verdict)
	}
}

func TestParse_doesNotAllocate(t *testing.T) {
	for _, text := range []string{"bytes=0-499", "bytes=500-", "bytes=-500", "Bytes=5000-", "bytes=0-1, 2-3, 10-20", "pages=1-2"} {
		value := []byte(text)
		if n := testing.AllocsPerRun(100, func() {
			var room [MaxSpans]Span
			if spans, verdict := Parse(value, 1000, room[:0]); len(spans) == 0 && verdict == Satisfied {
				t.Errorf("%s: no spans", text)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// slowly is what Parse should say, of a small representation: a regular
// expression, numbers of any length, and the bytes one by one.
func slowly(value string, size int) (wanted []bool, verdict Verdict) {
	wanted = make([]bool, size)
	set, ok := strings.CutPrefix(strings.ToLower(strings.Trim(value, " \t")), "bytes=")
	if !ok {
		return nil, Ignore
	}
	asked, some, most := 0, false, big.NewInt(math.MaxInt64)
	for element := range strings.SplitSeq(set, ",") {
		if element = strings.Trim(element, " \t"); element == "" {
			continue
		}
		m := spec.FindStringSubmatch(element)
		if asked++; asked > MaxSpans || m == nil || m[1]+m[2] == "" {
			return nil, Ignore
		}
		first, last := new(big.Int), new(big.Int)
		first.SetString(m[1], 10)
		last.SetString(m[2], 10)
		if m[1] != "" && m[2] != "" && last.Cmp(most) < 0 && first.Cmp(last) > 0 {
			return nil, Ignore
		}
		if m[1] == "" && last.Sign() > 0 && size == 0 {
			return nil, Ignore
		}
		for i := range size {
			at := big.NewInt(int64(i))
			in := at.Cmp(first) >= 0 && (m[2] == "" || at.Cmp(last) <= 0)
			if m[1] == "" {
				in = big.NewInt(int64(size-i)).Cmp(last) <= 0
			}
			wanted[i], some = wanted[i] || in, some || in
		}
	}
	switch {
	case asked == 0:
		return nil, Ignore
	case !some:
		return nil, Unsatisfiable
	}
	return wanted, Satisfied
}

var spec = regexp.MustCompile(`^([0-9]*)-([0-9]*)$`)

// check compares Parse with slowly where there are few bytes, and says what
// is wrong with an answer whatever the size.
func check(t *testing.T, value string, size int64) {
	t.Helper()
	spans, verdict := Parse([]byte(value), size, nil)
	again, same := Parse([]byte(value), size, make([]Span, 1, MaxSpans))
	satisfied := verdict == Satisfied
	if !slices.Equal(spans, again) || verdict != same || satisfied != (len(spans) > 0) || satisfied != (again != nil) || len(spans) > MaxSpans {
		t.Fatalf("%q of %d: %v, verdict %d, then %v, verdict %d", value, size, spans, verdict, again, same)
	}
	total := int64(0)
	for i, s := range spans {
		total += s.Len()
		if s.First < 0 || s.Last < s.First || s.Last >= size || total > size || slices.ContainsFunc(spans[:i], s.touches) {
			t.Fatalf("%q of %d: %v", value, size, spans)
		}
	}
	if size < 0 || size > 300 {
		return
	}
	wanted, want := slowly(value, int(size))
	for _, s := range spans {
		for i := s.First; i <= s.Last; i++ {
			if wanted == nil || !wanted[i] {
				t.Fatalf("%q of %d: %v has byte %d", value, size, spans, i)
			}
			wanted[i] = false
		}
	}
	if verdict != want || slices.Contains(wanted, true) {
		t.Fatalf("%q of %d: %v, verdict %d; want verdict %d, left %v", value, size, spans, verdict, want, wanted)
	}
}

func TestParse_keepsEveryByteAskedForAndNoOther(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 14))
	number := func() string { return strconv.Itoa(random.IntN(40)) }
	for range 3000 {
		var specs []string
		for range 1 + random.IntN(6) {
			first, last := number(), number()
			switch random.IntN(4) {
			case 0:
				first = ""
			case 1:
				last = ""
			default:
				if len(first) > len(last) || len(first) == len(last) && first > last {
					first, last = last, first // backwards is malformed, which is tried elsewhere
				}
			}
			specs = append(specs, first+"-"+last)
		}
		check(t, "bytes="+strings.Join(specs, ","), int64(random.IntN(36)))
	}
}

func FuzzParse(f *testing.F) {
	for _, value := range []string{"bytes=0-4", "bytes=-5", "bytes=5-", "bytes=0-4, 3-8,,20-", "BYTES=9-4", "bytes=99999999999999999999-99999999999999999998", "items=0-1"} {
		f.Add(value, int64(10))
	}
	f.Add("bytes=0-9223372036854775807,-9223372036854775807", int64(math.MaxInt64))
	f.Add("bytes=-1", int64(0))
	f.Add("bytes=0-", int64(-1))
	f.Fuzz(func(t *testing.T, value string, size int64) { check(t, value, size) })
}
