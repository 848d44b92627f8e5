package freshness

import (
	"strings"
	"testing"
	"time"
)

// RFC 9110, 8.8.3, 13.1.2 and 13.2.2; RFC 9111, 4.3.2.
func TestNotModified_comparesTagsWeakly(t *testing.T) {
	for _, c := range []struct {
		name, stored, condition string
		want                    bool
	}{
		{"13.1.2 the same", `"a"`, `"a"`, true},
		{"13.1.2 another", `"a"`, `"b"`, false},
		{"8.8.3.2 weak asks for strong", `"a"`, `W/"a"`, true},
		{"8.8.3.2 strong asks for weak", `W/"a"`, `"a"`, true},
		{"8.8.3.2 weak asks for weak", `W/"a"`, `W/"a"`, true},
		{"8.8.3.2 weak asks for another", `W/"a"`, `W/"b"`, false},
		{"8.8.3 the weak mark has its case", `"a"`, `w/"a"`, false},
		{"8.8.3 tags have their case", `"a"`, `"A"`, false},
		{"8.8.3 an empty tag", `""`, `""`, true},
		{"13.1.2 the first of a list", `"a"`, `"a", "b"`, true},
		{"13.1.2 the last of a list", `"a"`, `"b","c" ,  W/"a"`, true},
		{"13.1.2 none of a list", `"a"`, `"b", "c"`, false},
		{"5.6.1 empty elements", `"a"`, `, ,"b",, "a",`, true},
		{"13.1.2 on the second line", `"a"`, "\"b\"\nIf-None-Match: \"a\"", true},
		{"13.1.2 on neither line", `"a"`, "\"b\"\nIf-None-Match: \"c\"", false},
		{"13.1.2 any", `"a"`, `*`, true},
		{"13.1.2 any, and there is no tag", ``, `*`, true},
		{"13.1.2 any is no member of a list", `"a"`, `"b", *`, false},
		{"13.1.2 any in quotes is a tag", `"a"`, `"*"`, false},
		{"13.1.2 nothing", `"a"`, ``, false},
		{"13.1.2 no tag", ``, `"a"`, false},
		{"13.1.2 no tag and an empty condition", ``, `""`, false},
		{"13.1.2 no tag and the weak mark alone", ``, `W/`, false},
		{"8.8.3 a comma in a tag", `"a,b"`, `"a,b"`, true},
		{"8.8.3 a comma in a tag of a list", `"a, b"`, `"c", "a, b", "d"`, true},
		{"8.8.3 a comma parts no tag", `"a"`, `"x,"a",y"`, false},
		{"8.8.3 what is in quotes is one tag", `"b"`, `"a, "b`, false},
		{"8.8.3 a backslash is a character like others", `"a\"`, `"a\", "b"`, true},
		{"8.8.3 and escapes no quote", `"b"`, `"a\", "b"`, true},
		{"8.8.3 bytes above ASCII", "\"\xe4\"", "\"\xe4\"", true},
		{"8.8.3 no quotes equal no quotes", `a`, `a`, true},
		{"8.8.3 no quotes are not quotes", `"a"`, `a`, false},
		{"8.8.3 nor the other way round", `a`, `"a"`, false},
		{"8.8.3 single quotes are none", `"a"`, `'a'`, false},
		{"8.8.3 never closed", `"a"`, `"a`, false},
		{"8.8.3 never opened", `"a"`, `a"`, false},
		{"8.8.3 no comma between", `"a"`, `"a" "b"`, false},
		{"8.8.3 white space after the weak mark", `"a"`, `W/ "a"`, false},
		{"8.8.3 the mark twice", `"a"`, `W/W/"a"`, false},
		{"8.8.3 a part of the tag", `"abc"`, `"ab", "bc"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			stored := fields("Date: " + stamp(0))
			if c.stored != "" {
				add(stored, "ETag", c.stored)
			}
			if got := NotModified(fields("If-None-Match: "+c.condition), stored, noon); got != c.want {
				t.Errorf("%s of %s: %v", c.condition, c.stored, got)
			}
		})
	}
}

// RFC 9110, 13.1.3 and 13.2.2; RFC 9111, 4.3.2.
func TestNotModified_comparesDates(t *testing.T) {
	const (
		modified = "Last-Modified: Sunday, 22-Nov-26 10:00:00 GMT\n"
		since    = "If-Modified-Since: "
	)
	hour := func(hours int) string { return stamp(time.Duration(hours) * time.Hour) }
	for _, c := range []struct {
		name, stored, request string
		want                  bool
	}{
		{"13.1.3 the same moment", modified, since + hour(-2), true},
		{"13.1.3 a second before", modified, since + "Sun, 22 Nov 2026 09:59:59 GMT", false},
		{"13.1.3 later", modified, since + hour(-1), true},
		{"13.1.3 in the future", modified, since + hour(99), true},
		{"5.6.7 RFC 850", modified, since + "Sunday, 22-Nov-26 10:00:00 GMT", true},
		{"5.6.7 asctime", modified, since + "Sun Nov 22 10:00:00 2026", true},
		{"5.6.7 asctime, a second before", modified, since + "Sun Nov 22 09:59:59 2026", false},
		{"13.1.3 no date", modified, since + "yesterday", false},
		{"13.1.3 empty", modified, since, false},
		{"13.1.3 another zone", modified, since + "Sun, 22 Nov 2026 10:00:00 CET", false},
		{"13.1.3 no date, and the very same", "Last-Modified: yesterday", since + "yesterday", false},
		{"13.1.3 two dates", modified, since + hour(-2) + "\n" + since + hour(-2), false},
		{"13.1.3 two dates on a line", modified, since + hour(-2) + ", " + hour(-2), false},
		{"13.1.3 Last-Modified is no date", "Last-Modified: yesterday\nDate: " + hour(-9), since + hour(0), false},
		{"4.3.2 no Last-Modified: Date", "Date: " + hour(-2), since + hour(-2), true},
		{"4.3.2 no Last-Modified: Date is later", "Date: " + hour(-2), since + "Sun, 22 Nov 2026 09:59:59 GMT", false},
		{"4.3.2 neither: receipt", "", since + hour(0), true},
		{"4.3.2 neither: receipt is later", "", since + "Sun, 22 Nov 2026 11:59:59 GMT", false},
		{"4.3.2 Date is no date: receipt", "Date: x", since + hour(0), true},
		{"13.2.2 a tag that differs counts alone", modified + `ETag: "a"`, "If-None-Match: \"b\"\n" + since + hour(0), false},
		{"13.2.2 a tag that is the same counts alone", modified + `ETag: "a"`, "If-None-Match: \"a\"\n" + since + hour(-9), true},
		{"13.2.2 in any order", modified + `ETag: "a"`, since + hour(0) + "\nIf-None-Match: \"b\"", false},
		{"13.2.2 a tag condition without a tag", modified, "If-None-Match: \"a\"\n" + since + hour(0), false},
		{"13.2.2 an empty tag condition", modified, "If-None-Match:\n" + since + hour(0), false},
		{"13.2.2 no condition", modified + `ETag: "a"`, "Range: bytes=0-1", false},
		{"4.3.2 conditions for an origin", modified + `ETag: "a"`, "If-Match: \"a\"\nIf-Unmodified-Since: " + hour(0), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := NotModified(fields(c.request), fields(c.stored), noon); got != c.want {
				t.Errorf("%q of %q: %v", c.request, c.stored, got)
			}
		})
	}
}

// RFC 9110, 8.8.1 and 8.8.3.
func TestStrongTag_isOneWithQuotesAndNoMark(t *testing.T) {
	for value, want := range map[string]bool{`"a"`: true, `""`: true, `W/"a"`: false, `a`: false, `"a`: false, `a"`: false, `"`: false, ``: false} {
		tag, ok := StrongTag(fields("ETag: " + value))
		if ok != want || ok && string(tag) != value || !ok && tag != nil {
			t.Errorf("%s: %q, %v", value, tag, ok)
		}
	}
	if tag, ok := StrongTag(fields("")); ok || tag != nil {
		t.Errorf("none: %q", tag)
	}
}

// RFC 9110, 8.8.2.2, 13.1.5 and 14.2.
func TestRangeApplies_onlyToTheVerySame(t *testing.T) {
	const modified = "\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT"
	date := "\nDate: " + stamp(0)
	for _, c := range []struct {
		name, stored, condition string
		want                    bool
	}{
		{"13.1.5 the strong tag", `ETag: "a"`, `"a"`, true},
		{"13.1.5 another", `ETag: "a"`, `"b"`, false},
		{"13.1.5 an empty strong tag", `ETag: ""`, `""`, true},
		{"13.1.5 a weak tag never", `ETag: W/"a"`, `W/"a"`, false},
		{"13.1.5 weak of strong", `ETag: "a"`, `W/"a"`, false},
		{"13.1.5 strong of weak", `ETag: W/"a"`, `"a"`, false},
		{"13.1.5 a list", `ETag: "a"`, `"a", "b"`, false},
		{"13.1.5 any", `ETag: "a"`, `*`, false},
		{"13.1.5 no quotes", `ETag: a`, `a`, false},
		{"13.1.5 a quote alone", `ETag: "`, `"`, false},
		{"13.1.5 empty", `ETag: "a"`, ``, false},
		{"13.1.5 twice", `ETag: "a"`, "\"a\"\nIf-Range: \"a\"", false},
		{"13.1.5 the date", "X: y" + date + modified, "Sun, 22 Nov 2026 10:00:00 GMT", true},
		{"13.1.5 a later one", "X: y" + date + modified, "Sun, 22 Nov 2026 10:00:01 GMT", false},
		{"13.1.5 an earlier one", "X: y" + date + modified, "Sun, 22 Nov 2026 09:59:59 GMT", false},
		{"13.1.5 the same in another form", "X: y" + date + modified, "Sunday, 22-Nov-26 10:00:00 GMT", false},
		{"13.1.5 the date beside a tag", `ETag: W/"a"` + date + modified, "Sun, 22 Nov 2026 10:00:00 GMT", true},
		{"13.1.5 no Last-Modified", `ETag: "a"` + date, "Sun, 22 Nov 2026 10:00:00 GMT", false},
		{"13.1.5 no date, and the very same", "Last-Modified: x" + date, "x", false},
		{"8.8.2.2 a second before Date", "Date: Sun, 22 Nov 2026 10:00:01 GMT" + modified, "Sun, 22 Nov 2026 10:00:00 GMT", true},
		{"8.8.2.2 at Date it may change yet", "Date: Sun, 22 Nov 2026 10:00:00 GMT" + modified, "Sun, 22 Nov 2026 10:00:00 GMT", false},
		{"8.8.2.2 after Date", "Date: Sun, 22 Nov 2026 09:00:00 GMT" + modified, "Sun, 22 Nov 2026 10:00:00 GMT", false},
		{"8.8.2.2 without Date there is no clock to trust", "X: y" + modified, "Sun, 22 Nov 2026 10:00:00 GMT", false},
		{"8.8.2.2 Date is no date", "Date: x" + modified, "Sun, 22 Nov 2026 10:00:00 GMT", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := RangeApplies(fields("If-Range: "+c.condition), fields(c.stored), noon); got != c.want {
				t.Errorf("%q of %q: %v", c.condition, c.stored, got)
			}
		})
	}
	if !RangeApplies(fields("Range: bytes=0-1"), fields(""), noon) {
		t.Error("13.1.5: a range without a condition does not apply")
	}
}

// A list that holds the stored tag, weak or not, is a 304; one that does not
// is none, whatever is in the tags.
func FuzzNotModified(f *testing.F) {
	f.Add("a", "b")
	f.Add(`\`, ",")
	f.Add("", "*")
	f.Add("a, W/", `a`)
	f.Fuzz(func(t *testing.T, tag, other string) {
		if strings.ContainsAny(tag+other, "\"\r\n\x00") {
			return
		}
		stored := add(fields(""), "ETag", `"`+tag+`"`)
		for _, list := range []string{`"%"`, `W/"%"`, `"` + other + `", "%"`, `"%",W/"` + other + `"`, `,W/"` + other + `" , W/"%" ,`} {
			request := add(fields(""), "If-None-Match", strings.ReplaceAll(list, "%", tag))
			if !NotModified(request, stored, noon) {
				t.Errorf("%s has no %q", request.Value(0), tag)
			}
			request = add(fields(""), "If-None-Match", strings.ReplaceAll(list, "%", other))
			if NotModified(request, stored, noon) != (tag == other) {
				t.Errorf("%s, and the tag is %q", request.Value(0), tag)
			}
		}
	})
}

// RFC 9110, 15.4.5.
func TestInNotModified_isWhatDoesNotDescribeTheBody(t *testing.T) {
	for name, want := range map[string]bool{
		"Content-Location": true, "Date": true, "ETag": true, "Vary": true, "Cache-Control": true, "Expires": true, "Content-Security-Policy": true, "X-A": true,
		"Content-Type": false, "content-encoding": false, "CONTENT-LANGUAGE": false, "Content-Range": false, "Repr-Digest": false,
	} {
		for _, tagged := range []bool{true, false} {
			if got := InNotModified([]byte(name), tagged); got != want {
				t.Errorf("%s, tagged %v: %v", name, tagged, got)
			}
		}
	}
	if InNotModified([]byte("Last-Modified"), true) || !InNotModified([]byte("Last-Modified"), false) {
		t.Error("Last-Modified is for whoever has no tag")
	}
}

func TestNotModified_withoutConditionsAllocatesNothing(t *testing.T) {
	stored := fields("ETag: \"a\"\nLast-Modified: " + stamp(-time.Hour))
	for name, request := range map[string]string{
		"none": "Accept: */*", "a tag": `If-None-Match: "b", W/"a"`, "a date": "If-Modified-Since: " + stamp(0),
	} {
		request := fields(request)
		if n := testing.AllocsPerRun(100, func() { NotModified(request, stored, noon) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
