package pages

import (
	"slices"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall"
)

// set makes a Set with a page for each class that says its class.
func set(t *testing.T, classes ...string) *Set {
	t.Helper()
	own := map[string]*Template{}
	for _, class := range classes {
		own[class] = mustParse(t, "own "+class)
	}
	s, err := NewSet(own)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSet_choosesByClassThenByStatus(t *testing.T) {
	all := set(t, Classes()...)
	some := set(t, "503", "504")
	cases := []struct {
		set    *Set
		status int
		reason seawall.Reason
		want   string // the class of the page, "" for the built-in one
	}{
		{all, 0, seawall.ReasonWrongScheme, "421"},
		{all, 0, seawall.ReasonOriginForbidden, "502"},
		{all, 0, seawall.ReasonOriginDown, "503"},
		{all, 0, seawall.ReasonOriginBusy, "503"},
		{all, 0, seawall.ReasonOriginTotal, "504"},
		{all, 0, seawall.ReasonLoop, "508"},
		{all, 0, seawall.ReasonFieldsTooLarge, "431"},
		{all, 0, seawall.ReasonConnections, "limits"},
		{all, 0, seawall.ReasonConnectionsPerAddress, "limits"},
		{all, 0, seawall.ReasonShortage, "limits"},
		{all, 0, seawall.ReasonMaintenance, "maintenance"},
		{all, 500, seawall.ReasonMaintenance, "maintenance"},
		{all, 502, seawall.ReasonOriginTimeout, "502"},
		{all, 200, seawall.ReasonOriginTimeout, "504"},
		{all, 0, seawall.ReasonNone, "500"},
		{all, 503, seawall.ReasonNone, "503"},
		{all, 0, seawall.Reason(seawall.Reasons), "500"},
		{all, 0, seawall.ReasonVisitorGone, ""},
		{some, 0, seawall.ReasonMaintenance, "503"},
		{some, 0, seawall.ReasonConnections, "503"},
		{some, 0, seawall.ReasonConnectionsPerAddress, ""},
		{some, 0, seawall.ReasonOriginTLS, ""},
		{nil, 0, seawall.ReasonOriginTLS, ""},
	}
	for _, c := range cases {
		got := ""
		if own := c.set.For(c.status, c.reason); own != nil {
			got = strings.TrimPrefix(string(own.Append(nil, page(seawall.ReasonInternal))), "own ")
		}
		if got != c.want {
			t.Errorf("%v with status %d: %q, want %q", c.reason, c.status, got, c.want)
		}
	}
}

func TestClassOf_isAKeyForEveryPage(t *testing.T) {
	for r := range seawall.Reason(seawall.Reasons) {
		class := ClassOf(r)
		if shown := len(Append(nil, page(r), Text)) > 0 && r != seawall.ReasonNone; shown != slices.Contains(Classes(), class) {
			t.Errorf("%v: class %q", r, class)
		}
	}
	for _, class := range []string{ClassMisdirected, ClassBadGateway, ClassUnavailable, ClassTimeout, ClassLimits, ClassMaintenance} {
		if !slices.Contains(Classes(), class) {
			t.Errorf("no page can be set for %q", class)
		}
	}
	if got := ClassOf(seawall.Reason(seawall.Reasons)); got != "500" {
		t.Errorf("a reason that does not exist: %q", got)
	}
	Classes()[0] = "changed"
	if slices.Contains(Classes(), "changed") {
		t.Error("a caller changed the classes")
	}
}

func TestNewSet_namesEveryKeyThatIsNoClass(t *testing.T) {
	own := mustParse(t, "own")
	_, err := NewSet(map[string]*Template{"502": own, "404": own, "5xx": own, "499": nil, "Limits": nil})
	if want := `own pages: the edge has no page "404", "499", "5xx", "Limits"; it has 400, 403, 405, `; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), ", limits, maintenance") {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestSet_takesAPageThatComesLater(t *testing.T) {
	before := set(t, ClassLimits, "502")
	after, err := before.With(ClassMaintenance, mustParse(t, "own later"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []seawall.Reason{seawall.ReasonConnections, seawall.ReasonOriginTLS, seawall.ReasonMaintenance} {
		if after.For(0, r) == nil {
			t.Errorf("%v: no page", r)
		}
	}
	if after, err = after.With("504", mustParse(t, "own 504")); err != nil || after.For(0, seawall.ReasonOriginTimeout) == nil {
		t.Errorf("no page for 504: %v", err)
	}
	if before.For(0, seawall.ReasonMaintenance) != nil || before.For(0, seawall.ReasonOriginTimeout) != nil {
		t.Error("the set that was there before has changed")
	}
	if first, err := (*Set)(nil).With("502", mustParse(t, "own 502")); err != nil || first.For(0, seawall.ReasonOriginTLS) == nil {
		t.Errorf("the first page of a zone: %v", err)
	}
	for _, s := range []*Set{nil, before} {
		if _, err := s.With("404", mustParse(t, "own 404")); err == nil {
			t.Error("a page that is never shown was taken")
		}
	}
}

func TestSet_leavesOtherFormsBuiltIn(t *testing.T) {
	s := set(t, "502")
	p := page(seawall.ReasonOriginTLS)
	for _, form := range []Form{Text, HTML, Problem} {
		got, own := s.Append([]byte("before "), p, form)
		want := string(Append([]byte("before "), p, form))
		if form == HTML {
			want = "before own 502"
		}
		if string(got) != want || own != (form == HTML) {
			t.Errorf("form %d: own is %v, %q", form, own, got)
		}
	}
	p = page(seawall.ReasonOriginTimeout)
	if got, own := s.Append(nil, p, HTML); own || string(got) != string(Append(nil, p, HTML)) {
		t.Errorf("without a page of its own: own is %v, %q", own, got)
	}
}

func TestSet_allocatesNothing(t *testing.T) {
	s, dst := set(t, "502", ClassLimits), make([]byte, 0, 6<<10)
	for _, r := range []seawall.Reason{seawall.ReasonOriginTLS, seawall.ReasonConnections, seawall.ReasonMaintenance} {
		p := page(r)
		if n := testing.AllocsPerRun(100, func() { dst, _ = s.Append(dst[:0], p, HTML) }); n != 0 {
			t.Errorf("%v: %v allocations, want none", r, n)
		}
	}
}
