package freshness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// RFC 9110, 12.5.5.
func TestEachVary_findsEveryName(t *testing.T) {
	for answer, want := range map[string][]string{
		"": nil, "Vary:": nil, "Vary: , ,": nil,
		"Vary: Accept": {"Accept"}, "vary: accept , User-Agent,": {"accept", "User-Agent"},
		"Vary: Accept\nX: y\nVARY: *": {"Accept", "*"},
	} {
		var got []string
		EachVary(fields(answer), func(name []byte) bool {
			got = append(got, string(name))
			return true
		})
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q; want %q", answer, got, want)
		}
	}
	calls := 0
	EachVary(fields("Vary: a, b\nVary: c"), func([]byte) bool {
		calls++
		return false
	})
	if calls != 1 {
		t.Errorf("went on after the first: %d calls", calls)
	}
}

func selecting(name, request string) string {
	return string(AppendSelecting(nil, fields(request), []byte(name)))
}

// RFC 9111, 4.1; RFC 9110, 5.3, 5.6.1, 12.4.2 and 12.5.
func TestAppendSelecting_givesOneFormToWhatMeansTheSame(t *testing.T) {
	for _, c := range []struct {
		name, field, a, b string
		same              bool
	}{
		{"4.1 absent is not empty", "X-A", "", "X-A:", false},
		{"4.1 absent is absent", "X-A", "", "X-B: 1", true},
		{"4.1 absent is not what absent looks like", "X-A", "", "X-A: -", false},
		{"4.1 two elements are not one", "X-A", "X-A: 1,2", "X-A: 12", false},
		{"4.1 names in any case", "X-A", "x-a: 1", "X-A: 1", true},
		{"4.1 another value", "X-A", "X-A: 1", "X-A: 2", false},
		{"4.1 white space between elements", "X-A", "X-A: 1,2", "X-A: 1 ,\t2", true},
		{"4.1 white space in an element", "X-A", "X-A: 1 2", "X-A: 1  2", false},
		{"4.1 several lines", "X-A", "X-A: 1, 2\nX-A: 3", "X-A: 1\nX-A: 2,3", true},
		{"5.6.1.2 empty elements", "X-A", "X-A: 1,2", "X-A: ,1,,2,", true},
		{"5.6.1.2 nothing but empty elements", "X-A", "X-A: ,,", "X-A:", true},
		{"4.1 the order of what is not known counts", "X-A", "X-A: 1, 2", "X-A: 2, 1", false},
		{"4.1 so does its case", "X-A", "X-A: a", "X-A: A", false},
		{"5.6.4 white space in quotes counts", "X-A", `X-A: "1,2"`, `X-A: "1, 2"`, false},
		{"5.6.4 white space around quotes does not", "X-A", `X-A: "1, 2",3`, `X-A: "1, 2" , 3`, true},
		{"5.6.4 an escaped quote ends nothing", "X-A", `X-A: "1\",2"`, `X-A: "1\", 2"`, false},
		{"5.6.1.2 an empty element in quotes counts", "X-A", `X-A: "1,,2"`, `X-A: "1,2"`, false},
		{"12.5.1 Accept is kept as it is", "Accept", "Accept: text/html, */*;q=0.1", "Accept: */*;q=0.1, text/html", false},
		{"12.5.1 but for white space", "Accept", "Accept: text/html, */*;q=0.1", "Accept: text/html,*/*;q=0.1", true},
		{"5.5 User-Agent is no list", "User-Agent", "User-Agent: A (K, like G)", "User-Agent: A (K,like G)", false},
		{"5.5 nor is Cookie", "Cookie", "Cookie: a=1, 2", "Cookie: a=1,2", false},
		{"5.5 nor are two of them one", "Cookie", "Cookie: a\nCookie: b", "Cookie: ab", false},
		{"5.5 nor is Referer", "Referer", "Referer: /a, b", "Referer: /a,b", false},
		{"5.5 nor is Authorization", "Authorization", "Authorization: x y, z", "Authorization: x y,z", false},

		{"12.5.3 order", "Accept-Encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: br,gzip", true},
		{"12.5.3 case", "Accept-Encoding", "Accept-Encoding: GZIP", "Accept-Encoding: gzip", true},
		{"12.5.3 lines", "Accept-Encoding", "Accept-Encoding: gzip\nAccept-Encoding: br", "Accept-Encoding: br, gzip", true},
		{"12.5.3 two are not one", "Accept-Encoding", "Accept-Encoding: gz, ip", "Accept-Encoding: gzip", false},
		{"12.5.3 more", "Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip, br", false},
		{"12.5.3 empty is not absent", "Accept-Encoding", "Accept-Encoding:", "", false},
		{"12.5.2 Accept-Charset", "Accept-Charset", "Accept-Charset: utf-8, latin1;q=0.5", "accept-charset: Latin1;q=0.50,UTF-8", true},
		{"12.5.4 Accept-Language", "Accept-Language", "Accept-Language: de, en;q=0.5", "accept-language: EN;Q=0.5 , DE;q=1", true},
		{"12.5.4 another weight", "Accept-Language", "Accept-Language: de, en;q=0.5", "Accept-Language: de, en;q=0.6", false},
		{"12.5.4 weights turned", "Accept-Language", "Accept-Language: de, en;q=0.5", "Accept-Language: de;q=0.5, en", false},
		{"12.5.4 a part of a tag", "Accept-Language", "Accept-Language: de", "Accept-Language: de-AT", false},
		{"12.5.4 a tag and a part of it, turned", "Accept-Language", "Accept-Language: de, de-AT, d", "Accept-Language: d, de-AT, de", true},
		{"12.5.4 the same twice with two weights, turned", "Accept-Language", "Accept-Language: de, de;q=0.5", "Accept-Language: de;q=0.5, de", true},

		{"12.4.2 no weight is 1", "Accept-Encoding", "Accept-Encoding: br", "Accept-Encoding: br;q=1", true},
		{"12.4.2 1.0 is 1", "Accept-Encoding", "Accept-Encoding: br;q=1.0", "Accept-Encoding: br;q=1.000", true},
		{"12.4.2 1. is 1", "Accept-Encoding", "Accept-Encoding: br;q=1.", "Accept-Encoding: br", true},
		{"12.4.2 0.5 is 0.500", "Accept-Encoding", "Accept-Encoding: br;q=0.5", "Accept-Encoding: br ; q=0.500", true},
		{"12.4.2 0 is 0.000", "Accept-Encoding", "Accept-Encoding: br;q=0", "Accept-Encoding: br;q=0.000", true},
		{"12.4.2 0 is not 1", "Accept-Encoding", "Accept-Encoding: br;q=0", "Accept-Encoding: br", false},
		{"12.4.2 0.001 is not 0", "Accept-Encoding", "Accept-Encoding: br;q=0.001", "Accept-Encoding: br;q=0", false},
		{"12.4.2 0.05 is not 0.5", "Accept-Encoding", "Accept-Encoding: br;q=0.05", "Accept-Encoding: br;q=0.5", false},
		{"12.4.2 the second digit", "Accept-Encoding", "Accept-Encoding: br;q=0.05", "Accept-Encoding: br;q=0.06", false},
		{"12.4.2 the third", "Accept-Encoding", "Accept-Encoding: br;q=0.055", "Accept-Encoding: br;q=0.05", false},
		{"12.4.2 all three", "Accept-Encoding", "Accept-Encoding: br;q=0.999", "Accept-Encoding: BR ; Q=0.999", true},
		{"12.4.2 0.999 is not 1", "Accept-Encoding", "Accept-Encoding: br;q=0.999", "Accept-Encoding: br", false},
		{"12.4.2 four digits are no weight", "Accept-Encoding", "Accept-Encoding: br;q=0.5000", "Accept-Encoding: br;q=0.5", false},
		{"12.4.2 nor is more than 1", "Accept-Encoding", "Accept-Encoding: br;q=1.5", "Accept-Encoding: br;q=1", false},
		{"12.4.2 nor a little more", "Accept-Encoding", "Accept-Encoding: br;q=1.001", "Accept-Encoding: br;q=1", false},
		{"12.4.2 nor is a colon a digit", "Accept-Encoding", "Accept-Encoding: br;q=0.:", "Accept-Encoding: br;q=1", false},
		{"12.4.2 nor a letter", "Accept-Encoding", "Accept-Encoding: br;q=a.5", "Accept-Encoding: br;q=b.5", false},
		{"12.4.2 nor 2", "Accept-Encoding", "Accept-Encoding: br;q=2", "Accept-Encoding: br;q=1", false},
		{"12.4.2 nor .5", "Accept-Encoding", "Accept-Encoding: br;q=.5", "Accept-Encoding: br;q=0.5", false},
		{"12.4.2 nor letters", "Accept-Encoding", "Accept-Encoding: br;q=x", "Accept-Encoding: br", false},
		{"12.4.2 nor a negative one", "Accept-Encoding", "Accept-Encoding: br;q=-1", "Accept-Encoding: br;q=1", false},
		{"12.4.2 nor nothing", "Accept-Encoding", "Accept-Encoding: br;q=", "Accept-Encoding: br", false},
		{"12.4.2 nor another parameter", "Accept-Encoding", "Accept-Encoding: br;x=0", "Accept-Encoding: br;q=0", false},
		{"12.4.2 nor one behind it", "Accept-Encoding", "Accept-Encoding: br;q=0;x=1", "Accept-Encoding: br;q=0", false},
		{"12.4.2 nor what looks like our own form", "Accept-Encoding", "Accept-Encoding: br;000", "Accept-Encoding: br;q=0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a, b := selecting(c.field, c.a), selecting(c.field, c.b); (a == b) != c.same {
				t.Errorf("%q is %q, %q is %q", c.a, a, c.b, b)
			}
		})
	}
}

// RFC 9110, 12.4.2: no two weights have one form.
func TestAppendSelecting_keepsWeightsApart(t *testing.T) {
	forms := map[string]int{}
	for weight := range 1001 {
		form := selecting("Accept-Language", fmt.Sprintf("Accept-Language: de;q=%d.%03d", weight/1000, weight%1000))
		if other, found := forms[form]; found {
			t.Errorf("%d and %d thousandths are both %q", other, weight, form)
		}
		forms[form] = weight
	}
}

// More elements than anybody means are kept as they are, and are no form of
// fewer.
func TestAppendSelecting_keepsVeryManyElements(t *testing.T) {
	list := func(n int) string { return "Accept-Language: " + strings.Repeat("a,", n) + "b" }
	for n := range 60 {
		if a, b := selecting("Accept-Language", list(n)), selecting("Accept-Language", list(n+1)); a == b {
			t.Errorf("%d elements are like %d", n+1, n+2)
		}
		if a := selecting("Accept-Language", list(n)); a != selecting("Accept-Language", list(n)) {
			t.Errorf("%d elements have two forms", n+1)
		}
	}
	turned := "Accept-Language: b" + strings.Repeat(",a", 23)
	if selecting("Accept-Language", turned) != selecting("Accept-Language", list(23)) {
		t.Error("24 elements are not sorted")
	}
}

func TestAppendSelecting_appends(t *testing.T) {
	for _, name := range []string{"X-A", "Accept-Encoding", "Cookie", "X-B"} {
		alone := selecting(name, "X-A: 1,2\nAccept-Encoding: br, gzip;q=0.5\nCookie: a, b")
		behind := string(AppendSelecting([]byte("x"), fields("X-A: 1,2\nAccept-Encoding: br, gzip;q=0.5\nCookie: a, b"), []byte(name)))
		if behind != "x"+alone {
			t.Errorf("%s: %q, alone %q", name, behind, alone)
		}
	}
}

// RFC 9110, 12.5.4 and 8.5.
func TestSpeaksFor_theLanguageThatIsLikedBest(t *testing.T) {
	for _, c := range []struct {
		name, stored, request string
		want                  bool
	}{
		{"12.5.4 the only one", "de", "de", true},
		{"12.5.4 in any case", "de-AT", "DE-at", true},
		{"12.5.4 the one with most weight", "de", "en;q=0.5, de;q=0.8, fr;q=0.7", true},
		{"12.5.4 one with less", "en", "en;q=0.5, de;q=0.8", false},
		{"12.5.4 one of two that are liked as much", "de", "de, en", false},
		{"12.5.4 the other one", "en", "de, en", false},
		{"12.5.4 the first", "de", "de, en;q=0.5", true},
		{"12.5.4 behind the first", "en", "de, en;q=0.5", false},
		{"12.5.4 liked a little", "de", "de;q=0.001", true},
		{"12.5.4 no weight is most", "de", "en;q=0.9, de", true},
		{"12.5.4 liked, but not at all", "de", "de;q=0", false},
		{"12.5.4 another", "fr", "de, en;q=0.5", false},
		{"12.5.4 a part of it", "de", "de-AT", false},
		{"12.5.4 any", "*", "en;q=0.5", false},
		{"12.5.4 a weight that cannot be read", "de", "de;q=x, en;q=0.5", false},
		{"12.5.4 over two lines", "de", "en;q=0.5\nAccept-Language: de", true},
		{"12.5.4 nothing is liked", "de", "", false},
		{"8.5 two languages", "de, en", "de", false},
		{"8.5 said twice", "de\nContent-Language: de", "de", true},
		{"8.5 two that differ", "de\nContent-Language: en", "de", false},
		{"8.5 empty", "", "de", false},
		{"12.5.4 very many", "de", "de" + strings.Repeat(", en;q=0.1", 24), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := SpeaksFor(fields("Content-Language: "+c.stored), fields("Accept-Language: "+c.request)); got != c.want {
				t.Errorf("%q for %q: %v", c.stored, c.request, got)
			}
		})
	}
	if SpeaksFor(fields(""), fields("Accept-Language: de")) || SpeaksFor(fields("Content-Language: de"), fields("")) {
		t.Error("12.5.4: no language speaks for one")
	}
}

// RFC 9110, 8.4.1.3 and 12.5.3.
func TestAcceptsCoding_whenTheRequestSaysSo(t *testing.T) {
	for _, c := range []struct {
		name, request, coding string
		want                  bool
	}{
		{"12.5.3 named", "br, gzip", "gzip", true},
		{"12.5.3 in any case", "GZip", "gZIP", true},
		{"12.5.3 with a weight", "gzip;q=0.001", "gzip", true},
		{"12.5.3 refused", "gzip;q=0, br", "gzip", false},
		{"12.5.3 not named", "br", "gzip", false},
		{"12.5.3 a part of the name", "gzip2, gz", "gzip", false},
		{"12.5.3 any", "br, *", "gzip", true},
		{"12.5.3 any, with a weight", "*;q=0.001", "gzip", true},
		{"12.5.3 any other is refused", "br, *;q=0", "gzip", false},
		{"12.5.3 any, but not this", "*, gzip;q=0", "gzip", false},
		{"12.5.3 not any, but this", "*;q=0, gzip", "gzip", true},
		{"12.5.3 over two lines", "br\nAccept-Encoding: gzip", "gzip", true},
		{"12.5.3 a weight that cannot be read", "gzip;q=x", "gzip", false},
		{"12.5.3 empty", "", "gzip", false},
		{"12.5.3 very many", "gzip" + strings.Repeat(", br", 99), "gzip", false},
		{"8.4.1.3 the old name", "x-gzip", "gzip", true},
		{"8.4.1.3 of the old name", "gzip", "x-gzip", true},
		{"8.4.1.3 of gzip alone", "x-gzip", "br", false},
		{"8.4.1.3 of the old name alone", "br", "x-gzip", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := AcceptsCoding(fields("Accept-Encoding: "+c.request), []byte(c.coding)); got != c.want {
				t.Errorf("%q takes %s: %v", c.request, c.coding, got)
			}
		})
	}
	if AcceptsCoding(fields("Accept: *"), []byte("gzip")) {
		t.Error("12.5.3: a request that says nothing takes gzip")
	}
}

// White space, empty elements and lines change nothing; a weighted field's
// order and case do not, either.
func FuzzAppendSelecting(f *testing.F) {
	f.Add(uint8(0), "a, b")
	f.Add(uint8(0), `"a, b",c`)
	f.Add(uint8(0), `"a, b`)
	f.Add(uint8(1), "gzip;q=0.5, BR;q=1.0,identity;q=0")
	f.Add(uint8(2), "de;q=2, en;500,*;q=")
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		if strings.ContainsAny(value, "\r\n\x00") {
			return
		}
		name := []string{"X-A", "Accept-Encoding", "Accept-Language"}[which%3]
		form := func(values ...string) string {
			request := fields("")
			for _, value := range values {
				add(request, name, value)
			}
			return string(AppendSelecting(nil, request, []byte(name)))
		}
		want := form(value)
		list := elements(value)
		if which%3 > 0 {
			list = nil
			eachName([]byte(value), func(element []byte) bool {
				list = append(list, string(element))
				return true
			})
		}
		if want[0] != '+' || len(list) == 0 || len(list) > 24 {
			return
		}
		if got := form(" , " + strings.Join(list, "\t,, ") + " ,"); got != want {
			t.Errorf("%q is %q, with white space %q", value, want, got)
		}
		if got := form(list...); got != want {
			t.Errorf("%q is %q, on lines %q", value, want, got)
		}
		if which%3 > 0 {
			slices.Reverse(list)
			upper := []byte(strings.Join(list, ","))
			for i, c := range upper {
				if c >= 'a' && c <= 'z' {
					upper[i] = c - 'a' + 'A'
				}
			}
			if got := form(string(upper)); got != want {
				t.Errorf("%q is %q, turned %q", value, want, got)
			}
		}
	})
}

func TestAppendSelecting_allocatesNothingWithRoom(t *testing.T) {
	request := fields("Accept-Encoding: gzip, deflate, br;q=0.9\nX-A: 1, 2")
	var room [256]byte
	for _, name := range []string{"accept-encoding", "x-a", "x-b"} {
		name := []byte(name)
		if n := testing.AllocsPerRun(100, func() { AppendSelecting(room[:0], request, name) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
