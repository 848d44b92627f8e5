package coding

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var all = []Coding{Zstd, Brotli, Gzip}

func accept(lines ...string) *Accept {
	a := &Accept{}
	for _, line := range lines {
		a.Add([]byte(line))
	}
	return a
}

func TestAccept_choosesTheBestThatIsOffered(t *testing.T) {
	one := []Coding{Gzip}
	for _, c := range []struct {
		name     string
		lines    []string
		offered  []Coding
		best     Coding
		identity bool
	}{
		{"no field", nil, all, Identity, true},
		{"an empty field", []string{""}, all, Identity, true},
		{"white space alone", []string{" \t"}, all, Identity, true},
		{"empty elements", []string{",, ,\t,"}, all, Identity, true},
		{"nothing on offer", []string{"gzip, br"}, nil, Identity, true},
		{"nothing in common", []string{"deflate, compress"}, all, Identity, true},
		{"a browser", []string{"gzip, deflate, br, zstd"}, all, Zstd, true},
		{"a browser, the server likes brotli", []string{"gzip, deflate, br, zstd"}, []Coding{Brotli, Gzip, Zstd}, Brotli, true},
		{"curl", []string{"deflate, gzip"}, all, Gzip, true},
		{"only what is offered", []string{"gzip, br"}, one, Gzip, true},
		{"upper case", []string{"GZIP"}, all, Gzip, true},
		{"x-gzip", []string{"x-gzip"}, all, Gzip, true},
		{"X-GZip with a weight", []string{"X-GZip;Q=0.5"}, all, Gzip, true},
		{"empty elements around", []string{",gzip,,"}, all, Gzip, true},

		{"weights before preference", []string{"zstd;q=0.5, br;q=0.8, gzip;q=0.7"}, all, Brotli, true},
		{"a thousandth counts", []string{"zstd;q=0.998, br;q=0.999"}, all, Brotli, true},
		{"the smallest weight is not none", []string{"gzip;q=0.001"}, all, Gzip, true},
		{"equal weights, however written", []string{"gzip;q=0.5, br;q=0.50, zstd;q=0.500"}, all, Zstd, true},
		{"one, however written", []string{"gzip;q=1, br;q=1.000, zstd;q=1."}, []Coding{Gzip, Brotli, Zstd}, Gzip, true},
		{"q=1 is the same as none", []string{"br, gzip;q=1"}, []Coding{Gzip, Brotli}, Gzip, true},
		{"zero is a refusal", []string{"zstd;q=0, br;q=0.000, gzip;q=0."}, all, Identity, true},
		{"white space", []string{" gzip \t;\t q=0.5\t ,\tbr ; q=0.4 "}, all, Gzip, true},

		{"several lines", []string{"gzip;q=0.5", "br"}, all, Brotli, true},
		{"a line that ends in a comma", []string{"gzip,", "", "br;q=0.1"}, all, Gzip, true},
		{"lines are not glued together", []string{"gz", "ip"}, all, Identity, true},
		{"refused on another line", []string{"br, gzip", "br;q=0"}, all, Gzip, true},
		{"refused on an earlier line", []string{"br;q=0", "br, gzip"}, all, Gzip, true},
		{"named twice, the lower", []string{"br, br;q=0.2, gzip;q=0.3"}, all, Gzip, true},
		{"x-gzip and gzip are one", []string{"x-gzip, gzip;q=0"}, all, Identity, true},

		{"anything", []string{"*"}, all, Zstd, true},
		{"anything else", []string{"zstd;q=0, *"}, all, Brotli, true},
		{"anything else, less", []string{"gzip, *;q=0.5"}, all, Gzip, true},
		{"anything else, more", []string{"gzip;q=0.1, *;q=0.5"}, all, Zstd, true},
		{"anything else is no wish for the identity", []string{"gzip;q=0.1, *;q=0.5"}, one, Gzip, true},
		{"nothing else", []string{"gzip, *;q=0"}, all, Gzip, false},
		{"nothing else, not on offer", []string{"deflate, *;q=0"}, all, Identity, false},
		{"nothing else but the identity", []string{"gzip, identity, *;q=0"}, all, Gzip, true},
		{"nothing at all", []string{"*;q=0"}, all, Identity, false},
		{"twice anything, the lower", []string{"*;q=0, *"}, all, Identity, false},

		{"no identity", []string{"gzip, identity;q=0"}, all, Gzip, false},
		{"no identity, in capitals", []string{"gzip, IDENTITY;q=0.00"}, all, Gzip, false},
		{"no identity and nothing else", []string{"identity;q=0"}, all, Identity, false},
		{"no identity, but anything else", []string{"identity;q=0, *;q=0.1"}, all, Zstd, false},
		{"the identity alone", []string{"identity"}, all, Identity, true},
		{"the identity first", []string{"identity, gzip;q=0.5"}, all, Identity, true},
		{"the identity last", []string{"identity;q=0.5, gzip"}, all, Gzip, true},
		{"the identity as much as another", []string{"identity, gzip"}, all, Gzip, true},
		{"the identity and nothing else", []string{"identity, *;q=0"}, all, Identity, true},
		{"the identity before anything", []string{"identity, *;q=0.5"}, all, Identity, true},
		{"the identity less than one, more than another", []string{"gzip;q=0.9, identity;q=0.5, br;q=0.1"}, []Coding{Brotli}, Identity, true},
		{"the identity on offer changes nothing", []string{"gzip"}, []Coding{Identity, Gzip}, Gzip, true},
		{"the identity on offer between others", []string{"identity, gzip, br;q=0.5"}, []Coding{Brotli, Identity, Gzip}, Gzip, true},

		{"two points", []string{"gzip;q=0.5.1"}, all, Identity, true},
		{"four digits", []string{"gzip;q=0.5000"}, all, Identity, true},
		{"more than one", []string{"gzip;q=1.001, br;q=2"}, all, Identity, true},
		{"negative", []string{"gzip;q=-0"}, all, Identity, true},
		{"no digit in front", []string{"gzip;q=.5"}, all, Identity, true},
		{"no number", []string{"gzip;q=high, br;q=, zstd;q"}, all, Identity, true},
		{"no weight behind the semicolon", []string{"gzip;"}, all, Identity, true},
		{"a digit that is none", []string{"gzip;q=0.:, br;q=0./"}, all, Identity, true},
		{"an exponent", []string{"gzip;q=1e0"}, all, Identity, true},
		{"another parameter", []string{"gzip;level=5"}, all, Identity, true},
		{"two weights", []string{"gzip;q=1;q=1"}, all, Identity, true},
		{"white space in the weight", []string{"gzip;q =1, br;q= 1, zstd;q=0. 5"}, all, Identity, true},
		{"a malformed refusal refuses nothing", []string{"gzip, identity;q=0.0.0, *;q=-0"}, all, Gzip, true},
		{"a malformed element spoils no other", []string{"zstd;q=x, br"}, all, Brotli, true},
		{"parts of a name", []string{"gzi, gzipp, g zip, \"gzip\", b, **"}, all, Identity, true},
		{"bytes that are no text", []string{"\x00\xff,gzip\x00,\xe2\x84\xaa,br"}, all, Brotli, true},
		{"no name", []string{";q=1"}, all, Identity, true},

		{"64 elements", []string{strings.Repeat("a,", 63) + "gzip"}, all, Gzip, true},
		{"65 elements say nothing", []string{"gzip, identity;q=0," + strings.Repeat("a,", 62) + "br"}, all, Identity, true},
		{"65 elements on as many lines", strings.Split(strings.Repeat("*;q=0\n", 64)+"gzip", "\n"), all, Identity, true},
		{"empty elements are not counted", []string{strings.Repeat(" ,", 10000) + "gzip"}, all, Gzip, true},
		{"a huge element", []string{strings.Repeat("x", 100000) + ";q=" + strings.Repeat("0", 100000) + ", gzip"}, all, Gzip, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := accept(c.lines...)
			best, identity := a.Best(c.offered)
			if best != c.best || identity != c.identity {
				t.Errorf("%.200q: %v, identity %v; want %v, %v", c.lines, best, identity, c.best, c.identity)
			}
			if a.Takes(Identity) != c.identity {
				t.Errorf("%.200q: Best and Takes disagree about the identity", c.lines)
			}
		})
	}
}

func TestAccept_saysWhatItTakes(t *testing.T) {
	for _, c := range []struct {
		line string
		want string // of identity, gzip, br and zstd those that are taken
	}{
		{"", "identity"},
		{"gzip", "identity gzip"},
		{"gzip;q=0.001, br;q=0", "identity gzip"},
		{"*", "identity gzip br zstd"},
		{"*;q=0.001, br;q=0", "identity gzip zstd"},
		{"br, *;q=0", "br"},
		{"identity;q=0, zstd", "zstd"},
		{"identity;q=0, *", "gzip br zstd"},
		{"identity;q=0.1, *;q=0", "identity"},
		{"*;q=0", ""},
		{strings.Repeat("*;q=0, gzip,", 50), "identity"},
	} {
		var takes []string
		a := accept(c.line)
		for coding := range count {
			if a.Takes(coding) {
				takes = append(takes, coding.String())
			}
		}
		if got := strings.Join(takes, " "); got != c.want {
			t.Errorf("%.80q takes %q, want %q", c.line, got, c.want)
		}
		if a.Takes(count) || a.Takes(255) {
			t.Errorf("%.80q takes a coding that does not exist", c.line)
		}
	}
}

func TestAccept_stopsReadingAtItsLimit(t *testing.T) {
	if a := accept(strings.Repeat("gzip,", 1000), "gzip,gzip"); a.elements != maxElements+1 {
		t.Errorf("%d elements were read", a.elements)
	}
}

func TestAccept_doesNotAllocate(t *testing.T) {
	lines := [][]byte{[]byte("gzip;q=0.8, deflate, BR;q=0.9, zstd"), []byte("identity;q=0.5, *;q=0.1, nonsense;q=x;;"), bytes.Repeat([]byte("a,"), 1000)}
	content := []byte("Application/VND.api+JSON; charset=utf-8")
	if n := testing.AllocsPerRun(100, func() {
		var a Accept
		for _, line := range lines {
			a.Add(line)
		}
		a.Best(all)
		a.Takes(Brotli)
		Compressible(content)
		Parse(content)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParse_takesTokens(t *testing.T) {
	for text, want := range map[string]Coding{
		"identity": Identity, "gzip": Gzip, "x-gzip": Gzip, "GZip": Gzip, "X-GZIP": Gzip, "br": Brotli, "Br": Brotli, "zstd": Zstd, "ZSTD": Zstd,
	} {
		if got, ok := Parse([]byte(text)); got != want || !ok {
			t.Errorf("%q: %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "gzip ", " gzip", "gzip,br", "deflate", "x-br", "unknown", "g", "*", "gzi\x10", "\xc7zip"} {
		if got, ok := Parse([]byte(text)); ok || got != Identity {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	if Coding(200).String() != "unknown" {
		t.Error("a coding that does not exist has a name")
	}
}

// The grammar of RFC 9110, 12.5.3 and 12.4.2, in the words of another tool.
var grammar = regexp.MustCompile(`^([^;]*?)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$`)

// said is what a field says: the lowest weight of each name, in a plain map.
func said(value string) map[string]float64 {
	weights := map[string]float64{}
	elements := 0
	for element := range strings.SplitSeq(value, ",") {
		if element = strings.Trim(element, " \t"); element == "" {
			continue
		}
		elements++
		match := grammar.FindStringSubmatch(element)
		if match == nil {
			continue
		}
		name, q := asciiLower(match[1]), 1.0
		if name == "x-gzip" {
			name = "gzip"
		}
		if match[2] != "" {
			q, _ = strconv.ParseFloat(match[2], 64)
		}
		if old, ok := weights[name]; !ok || q < old {
			weights[name] = q
		}
	}
	if elements > maxElements {
		return nil
	}
	return weights
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func (c Coding) weightIn(weights map[string]float64) (q float64, given bool) {
	q, given = weights[c.String()]
	if others, ok := weights["*"]; ok && !given && (c != Identity || others == 0) {
		return others, true
	}
	return q, given
}

func FuzzAccept_agreesWithThePlainReading(f *testing.F) {
	for _, seed := range []string{"gzip, deflate, br, zstd", "gzip;q=0.5,*;q=0", "identity;q=0", "br;q=1.000,\tx-gzip ; Q=0.", ",,;q=1,*", "zstd;q=0.001, gzip;q=x"} {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, value string, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		offered := append([]Coding(nil), all[:r.IntN(len(all)+1)]...)
		r.Shuffle(len(offered), func(i, j int) { offered[i], offered[j] = offered[j], offered[i] })
		a := accept(value)
		best, identity := a.Best(offered)

		weights := said(value)
		for c := range count {
			q, given := c.weightIn(weights)
			if want := given && q > 0 || !given && c == Identity; a.Takes(c) != want {
				t.Errorf("%q takes %v: %v, want %v", value, c, !want, want)
			}
		}
		if want := plainBest(weights, offered); best != want || identity != a.Takes(Identity) {
			t.Errorf("%q of %v: %v, want %v", value, offered, best, want)
		}

		// The same with white space around separators, in other capitals, on
		// several lines and in another order is the same.
		elements := strings.Split(value, ",")
		r.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
		other := &Accept{}
		for _, element := range elements {
			element = strings.ReplaceAll(strings.Map(swapCase, element), ";", " \t;\t ")
			other.Add([]byte("\t " + element + " "))
		}
		if other.elements <= maxElements && *other != *a || a.elements <= maxElements && *other != *a {
			t.Errorf("%q: %+v, in other words %+v", value, *a, *other)
		}
	})
}

func swapCase(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z':
		return r - 'A' + 'a'
	}
	return r
}

func plainBest(weights map[string]float64, offered []Coding) Coding {
	best, most := Identity, weights["identity"]
	for _, c := range offered {
		if q, given := c.weightIn(weights); given && q > 0 && (q > most || q == most && best == Identity) {
			best, most = c, q
		}
	}
	return best
}
