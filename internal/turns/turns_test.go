package turns

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func always() bool { return true }

// some has room for n more.
func some(n int) func() bool {
	return func() bool { n--; return n >= 0 }
}

// serve serves n and returns what was given, in order.
func serve(q *Queue[string, string], n int) string {
	var given []string
	q.Serve(some(n), func(v string) bool { given = append(given, v); return true })
	return strings.Join(given, " ")
}

// filled is a queue with values such as a1: the first of line a.
func filled(values ...string) (*Queue[string, string], map[string]*Place[string, string]) {
	q, places := &Queue[string, string]{}, map[string]*Place[string, string]{}
	for _, v := range values {
		places[v] = q.Push(v[:1], v)
	}
	return q, places
}

func TestQueue_letsLinesTakeTurns(t *testing.T) {
	q, _ := filled("a1", "a2", "a3", "b1", "c1", "c2", "a4")
	if got, want := serve(q, 100), "a1 b1 c1 a2 c2 a3 a4"; got != want {
		t.Errorf("served %s, want %s", got, want)
	}
	if q.Len() != 0 || serve(q, 1) != "" {
		t.Errorf("%d left", q.Len())
	}
	// Turns go on where they were, and who comes anew comes behind the others.
	q, _ = filled("a1", "a2", "b1", "b2")
	got := serve(q, 1)
	q.Push("c", "c1")
	q.Push("c", "c2")
	got += " " + serve(q, 2)
	q.Push("d", "d1")
	got += " " + serve(q, 100)
	if want := "a1 b1 a2 c1 b2 d1 c2"; got != want {
		t.Errorf("served %s, want %s", got, want)
	}
}

func TestQueue_holdsUpNobodyForACrowd(t *testing.T) {
	var q Queue[string, int]
	for i := range 1000 {
		q.Push("crowd", i)
	}
	q.Serve(some(10), func(int) bool { return true })
	q.Push("one", -1)
	var given []int
	q.Serve(some(2), func(v int) bool { given = append(given, v); return true })
	if !slices.Contains(given, -1) {
		t.Errorf("the next two are %v", given)
	}
	if q.Len() != 989 {
		t.Errorf("%d left", q.Len())
	}
}

func TestQueue_removesFromAnywhere(t *testing.T) {
	for _, c := range []struct {
		given, remove []string
		want          string
	}{
		{[]string{"a1", "a2", "a3", "b1"}, []string{"a1"}, "a2 b1 a3"}, // the turn stays with the line
		{[]string{"a1", "a2", "a3", "b1"}, []string{"a2"}, "a1 b1 a3"},
		{[]string{"a1", "a2", "a3", "b1"}, []string{"a3"}, "a1 b1 a2"},
		{[]string{"a1", "a2", "b1", "c1"}, []string{"b1"}, "a1 c1 a2"},
		{[]string{"a1", "a2", "b1", "c1"}, []string{"a1", "a2"}, "b1 c1"},
		{[]string{"a1", "a2", "b1", "c1"}, []string{"c1"}, "a1 b1 a2"},
		{[]string{"a1"}, []string{"a1"}, ""},
		{[]string{"a1", "b1"}, []string{"b1", "b1", "b1"}, "a1"}, // more than once
	} {
		q, places := filled(c.given...)
		gone := map[string]bool{}
		for _, v := range c.remove {
			q.Remove(places[v])
			gone[v] = true
		}
		if q.Len() != len(c.given)-len(gone) {
			t.Errorf("%v without %v: %d left", c.given, c.remove, q.Len())
		}
		if got := serve(q, 100); got != c.want {
			t.Errorf("%v without %v: served %s, want %s", c.given, c.remove, got, c.want)
		}
	}
	// The one whose turn it is, when turns have gone round.
	q, places := filled("a1", "b1", "c1", "c2")
	serve(q, 2)
	q.Remove(places["c1"])
	q.Push("a", "a2")
	if got, want := serve(q, 100), "c2 a2"; got != want {
		t.Errorf("served %s, want %s", got, want)
	}
	// What was served is not there to be removed, nor is its successor.
	q, places = filled("a1", "a2")
	serve(q, 1)
	q.Remove(places["a1"])
	serve(q, 1)
	q.Push("a", "a3")
	q.Remove(places["a2"])
	if got := serve(q, 100); got != "a3" || q.Len() != 0 {
		t.Errorf("served %q, %d left", got, q.Len())
	}
}

func TestQueue_handsEverythingOverAtTheEnd(t *testing.T) {
	q, places := filled("a1", "b1", "a2")
	var given []string
	q.Clear(func(v string) { given = append(given, v) })
	slices.Sort(given)
	if !slices.Equal(given, []string{"a1", "a2", "b1"}) || q.Len() != 0 {
		t.Errorf("handed over %v, %d left", given, q.Len())
	}
	q.Remove(places["a1"]) // it had not heard yet
	q.Push("a", "a3")
	q.Remove(places["a2"])
	if got := serve(q, 100); got != "a3" || q.Len() != 0 {
		t.Errorf("served %q afterwards, %d left", got, q.Len())
	}
}

func TestQueue_servesNobodyWithoutRoom(t *testing.T) {
	q, _ := filled("a1", "b1")
	q.Serve(func() bool { return false }, func(string) bool { t.Error("offered without room"); return true })
	room := 1
	q.Serve(func() bool { return room > 0 }, func(string) bool { room--; return true })
	if q.Len() != 1 {
		t.Errorf("%d left", q.Len())
	}
	var empty Queue[string, string]
	empty.Serve(func() bool { t.Error("asked for nobody"); return true }, nil)
}

func TestQueue_isNotHeldUpByWhoInsists(t *testing.T) {
	insists := func(v string) bool { return strings.HasSuffix(v, "!") }
	given := []string{}
	give := func(v string) bool {
		if insists(v) {
			return false
		}
		given = append(given, v)
		return true
	}
	q, _ := filled("a1!", "a2", "b1!", "b2!", "c1", "a3")
	q.Serve(always, give)
	if got, want := strings.Join(given, " "), "a2 c1 a3"; got != want || q.Len() != 3 {
		t.Errorf("served %s, want %s; %d left", got, want, q.Len())
	}
	if got, want := serve(q, 100), "a1! b1! b2!"; got != want && got != "b1! a1! b2!" {
		t.Errorf("served %s when they could be", got)
	}
}

func TestQueue_shedsTheLastOfTheLongestLine(t *testing.T) {
	for _, c := range []struct {
		given []string
		key   string
		shed  string
	}{
		{[]string{"a1", "a2", "a3", "b1"}, "c", "a3"},
		{[]string{"a1", "a2", "a3", "b1"}, "b", "a3"},
		{[]string{"a1", "a2", "a3", "b1"}, "a", ""}, // nobody is pushed aside by himself
		{[]string{"a1", "a2", "b1"}, "b", ""},       // and not by his equals
		{[]string{"a1", "b1"}, "c", ""},
		{[]string{"b1", "a1", "a2"}, "c", "a2"},
		{nil, "a", ""},
	} {
		q, _ := filled(c.given...)
		shed, ok := q.Shed(c.key)
		left := len(c.given)
		if c.shed != "" {
			left--
		}
		if shed != c.shed || ok != (c.shed != "") || q.Len() != left {
			t.Errorf("%v: made room for %s by shedding %q, want %q; %d left", c.given, c.key, shed, c.shed, q.Len())
		}
	}
	// However many one visitor sends, with as many places as this everybody
	// gets some.
	var q Queue[int, int]
	refused := map[int]int{}
	for range 200 {
		for visitor, sends := range []int{100, 1, 3} {
			for range sends {
				if q.Len() == 30 {
					if who, ok := q.Shed(visitor); ok {
						refused[who]++
					} else {
						refused[visitor]++
						continue
					}
				}
				q.Push(visitor, visitor)
			}
		}
		waiting := map[int]int{}
		q.Serve(some(6), func(v int) bool { waiting[v]++; return true })
		if waiting[1] != 1 || waiting[2] == 0 {
			t.Fatalf("served %v", waiting)
		}
	}
	if refused[1] != 0 || refused[2] > refused[0]/100 {
		t.Errorf("refused %v", refused)
	}
}

// TestQueue_isFairWhateverHappens compares with lines as plain slices.
func TestQueue_isFairWhateverHappens(t *testing.T) {
	for seed := range uint64(120) {
		if err := wander(rand.New(rand.NewPCG(seed, 7))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

type thing struct {
	key, number int
	insists     bool
}

func wander(random *rand.Rand) error {
	var q Queue[int, thing]
	lines := map[int][]*Place[int, thing]{}
	passed := map[int]map[int]bool{} // by line: those that could be served and were not since its last turn
	number, wantLen := 0, 0
	firstOf := func(key int) *thing {
		for _, p := range lines[key] {
			if !p.Value.insists {
				return &p.Value
			}
		}
		return nil
	}
	for range 400 {
		switch k := random.IntN(10); {
		case k < 5:
			for range 1 + random.IntN(4) {
				number++
				v := thing{min(random.IntN(8), random.IntN(8)), number, random.IntN(10) == 0}
				lines[v.key] = append(lines[v.key], q.Push(v.key, v))
				wantLen++
			}
		case k < 7:
			key := random.IntN(8)
			if n := len(lines[key]); n > 0 {
				i := random.IntN(n)
				p := lines[key][i]
				lines[key] = slices.Delete(lines[key], i, i+1)
				q.Remove(p)
				q.Remove(p)
				wantLen--
			}
		case k == 9 && random.IntN(40) == 0:
			left := 0
			q.Clear(func(v thing) {
				if !slices.ContainsFunc(lines[v.key], func(p *Place[int, thing]) bool { return p.Value == v }) {
					left = -1000
				}
				left++
			})
			if left != wantLen {
				return fmt.Errorf("handed over %d of %d", left, wantLen)
			}
			clear(lines)
			clear(passed)
			wantLen = 0
		default:
			var wrong error
			q.Serve(some(random.IntN(12)), func(v thing) bool {
				if v.insists || wrong != nil {
					return false
				}
				want := firstOf(v.key)
				if want == nil || *want != v {
					wrong = fmt.Errorf("line %d: gave %d, the first is %v", v.key, v.number, want)
					return false
				}
				for other := range passed[v.key] {
					if firstOf(other) != nil {
						wrong = fmt.Errorf("line %d had two turns while line %d, where somebody waited, had none", v.key, other)
						return false
					}
				}
				passed[v.key] = map[int]bool{}
				for other := range lines {
					if other != v.key && firstOf(other) != nil {
						passed[v.key][other] = true
					}
					delete(passed[other], v.key)
				}
				i := slices.IndexFunc(lines[v.key], func(p *Place[int, thing]) bool { return p.Value == v })
				lines[v.key] = slices.Delete(lines[v.key], i, i+1)
				wantLen--
				return true
			})
			if wrong != nil {
				return wrong
			}
		}
		// A line that had nobody to serve begins anew.
		for key := range lines {
			if firstOf(key) == nil {
				for _, others := range passed {
					delete(others, key)
				}
			}
		}
		if q.Len() != wantLen {
			return fmt.Errorf("says that %d wait, not %d", q.Len(), wantLen)
		}
	}
	got := map[int]int{}
	q.Clear(func(v thing) { got[v.key]++ })
	for key, line := range lines {
		if got[key] != len(line) {
			return fmt.Errorf("line %d has %d in the end, not %d", key, got[key], len(line))
		}
	}
	return nil
}
