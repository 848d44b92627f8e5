package rule

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/spec"
)

// FuzzCondition asks conditions made of whatever a file could say about
// requests made of whatever a visitor could send. What holds has reasons, its
// opposite does not hold, and the order in which facts are asked is nothing
// that shows.
func FuzzCondition(f *testing.F) {
	f.Add("/a/*", "q=1", "X-A: ~b", "s=*", "192.0.2.0/24", "/a/b?q=1&q", "X-A", "b", "s=1; t", uint8(0))
	f.Add("~^/(a|b)+$", "%71=*", "Cookie: *s*", "", "@l", "/%61//b?%71=%31", "Cookie", "s", "\";=;s", uint8(7))
	f.Fuzz(func(t *testing.T, path, query, header, cookie, address, target, name, value, cookies string, more uint8) {
		lists := []spec.ListSpec{{Name: "l", Text: address}}
		when := spec.ConditionSpec{Path: []string{path}}
		for i, add := range []func(){
			func() { when.Query = []string{query} }, func() { when.Header = []string{header} }, func() { when.Cookie = []string{cookie, "x"} },
			func() { when.Address = []string{address, "2001:db8::/32"} }, func() { when.Status = []spec.Status{"5xx"} },
		} {
			if more&(1<<i) != 0 {
				add()
			}
		}
		zone := spec.ZoneSpec{Name: "example.com", Origin: spec.OriginSpec{URL: "http://127.0.0.1:1"}, Lists: lists}
		zone.Access.Block = []spec.BlockSpec{{When: when}}
		wrong := zone.Validate()
		condition, err := Compile(when, NewLists(lists))
		if len(wrong) == 0 && err != nil {
			t.Fatalf("%+v has no mistake and does not compile: %v", when, err)
		}
		if len(wrong) > 0 || strings.ContainsAny(name+value+cookies, "\r\n\x00") {
			return
		}
		path, _, _ = strings.Cut(target, "?")
		facts := &Facts{Host: []byte("example.com"), Path: []byte(path), Target: []byte(target), Method: []byte("GET"), Fields: fields(name, value, "Cookie", cookies),
			Address: netip.MustParseAddr("192.0.2.1")}
		holds, why := condition.Holds(facts), condition.Why(facts)
		if holds != (len(why) > 0) {
			t.Fatalf("holds %v, because %q", holds, why)
		}
		not, err := Compile(spec.ConditionSpec{Not: []spec.ConditionSpec{when}}, NewLists(lists))
		if err != nil {
			t.Fatal(err)
		}
		if holds && not.Holds(facts) {
			t.Fatal("it holds, and so does its opposite")
		}
		twice, err := Compile(spec.ConditionSpec{All: []spec.ConditionSpec{when, {Any: []spec.ConditionSpec{when}}}}, NewLists(lists))
		if err != nil {
			t.Fatal(err)
		}
		if twice.Holds(facts) != holds {
			t.Fatalf("it holds: %v; said twice: %v", holds, !holds)
		}
	})
}
