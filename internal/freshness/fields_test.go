package freshness

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/wire"
)

// noon is when the answers of these tests are received, a Sunday.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fields reads field lines, each "Name: value", parted by line feeds.
func fields(lines string) *wire.Fields {
	f := &wire.Fields{}
	for line := range strings.SplitSeq(lines, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			add(f, name, strings.Trim(value, " \t"))
		}
	}
	return f
}

func add(f *wire.Fields, name, value string) *wire.Fields {
	f.Add(wire.Lookup([]byte(name)), []byte(name), []byte(value))
	return f
}

// stamp writes the date that is so far from noon.
func stamp(from time.Duration) string {
	return noon.Add(from).Format("Mon, 02 Jan 2006 15:04:05 GMT")
}

func elements(value string) (list []string) {
	eachElement([]byte(value), func(element []byte) bool {
		list = append(list, string(element))
		return true
	})
	return list
}

// RFC 9110, 5.6.1 (lists) and 5.6.4 (quoted strings).
func TestElements_endAtCommasOutsideQuotes(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        []string
	}{
		{"5.6.1 nothing", "", nil},
		{"5.6.1 white space", " \t ", nil},
		{"5.6.1 one", "a", []string{"a"}},
		{"5.6.1 several", "a,b , c\t,\td", []string{"a", "b", "c", "d"}},
		{"5.6.1.2 empty elements mean nothing", ",, a, ,b,,", []string{"a", "b"}},
		{"5.6.4 a comma in quotes", `a="1,2",b`, []string{`a="1,2"`, "b"}},
		{"5.6.4 white space in quotes", `a="1 , 2" ,b`, []string{`a="1 , 2"`, "b"}},
		{"5.6.4 an escaped quote", `a="1\",2",b`, []string{`a="1\",2"`, "b"}},
		{"5.6.4 an escaped backslash", `a="1\\",b`, []string{`a="1\\"`, "b"}},
		{"5.6.4 a backslash outside quotes escapes nothing", `a\,b`, []string{`a\`, "b"}},
		{"a quote that is never closed hides nothing", `a="1, b, c`, []string{`a="1`, "b", "c"}},
		{"nor does one whose end is escaped", `a="1, b\"`, []string{`a="1`, `b\"`}},
		{"nor one that ends in a backslash", `a="1, b\`, []string{`a="1`, `b\`}},
		{"what is closed before it stays whole", `a="1,2", b="3, c`, []string{`a="1,2"`, `b="3`, "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := elements(c.value); !slices.Equal(got, c.want) {
				t.Errorf("%q: %q; want %q", c.value, got, c.want)
			}
		})
	}
}

func TestElements_stopWhenTold(t *testing.T) {
	for _, value := range []string{"a,b,c", `a,"b,c`, `"a,b`} {
		var got []string
		eachElement([]byte(value), func(element []byte) bool {
			got = append(got, string(element))
			return false
		})
		if len(got) != 1 {
			t.Errorf("%q: went on after the first: %q", value, got)
		}
	}
}

// A list without an end to its quotes must not be gone through again for
// every element.
func TestElements_areFoundInOnePass(t *testing.T) {
	value := `"` + strings.Repeat(`\",`, 1<<20)
	if got := len(elements(value)); got != 1<<20 {
		t.Errorf("%d elements", got)
	}
}

// RFC 9110, 5.1: names of fields are compared without regard to case.
func TestNames_areComparedWithoutRegardToCase(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Set-Cookie", "sEt-cOOKIE", true},
		{"Set-Cookie", "Set-Cookie2", false},
		{"Set-Cookie", "Set-Cookia", false},
		{"a[", "a{", false}, // the letters' distance, but no letters
		{"A@", "a`", false},
		{"", "", true},
	} {
		if got := equalFold([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("equalFold(%q, %q) = %v", c.a, c.b, got)
		}
		if got := is([]byte(c.a), strings.ToLower(c.b)); got != c.want {
			t.Errorf("is(%q, %q) = %v", c.a, strings.ToLower(c.b), got)
		}
	}
}

// Elements that are put together again read the same.
func FuzzElements(f *testing.F) {
	for _, seed := range []string{"a, b", `a="1,2", b`, `a="1\", b`, `"\`, `",",`, `a"b,c"d,"`, "\t,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		once := elements(value)
		if again := elements(strings.Join(once, ",")); !slices.Equal(once, again) {
			t.Errorf("%q: %q, then %q", value, once, again)
		}
		for _, element := range once {
			if element == "" || element != strings.Trim(element, " \t") {
				t.Errorf("%q has the element %q", value, element)
			}
		}
	})
}
