package cache

import (
	"fmt"
	"testing"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

// model is what a cache of two zones should have: under each key the answers
// that were stored and not replaced, forgotten or invalidated since.
type model struct {
	testing.TB
	cache *Cache
	zones map[string]*Zone
	tight bool // the budget is so small that anything may be missing
	kept  map[string][]*memory
	ways  []*memory // answers on their way
	next  int
}

// memory is one answer as the model sees it.
type memory struct {
	zone, key string
	in        *Zone
	epoch     Epoch
	void      bool // its key was invalidated, or its zone removed, after it was asked for
	object    *Object
	request   *wire.Fields
	vary      []string
	number    int // a later one has a higher one
}

var (
	modelZones    = []string{"a", "ab"}
	modelKeys     = []string{"hexample.com:80/", "hexample.com:80/b", "sexample.com:443/"}
	modelVary     = [][]string{nil, {"A"}, {"B"}, {"A", "B"}}
	modelRequests = []*wire.Fields{fields(), fields("A", "1"), fields("A", "2"), fields("B", "1"), fields("A", "1", "B", "1")}
)

func newModel(t testing.TB, tight bool) *model {
	m := &model{TB: t, tight: tight, zones: map[string]*Zone{}, kept: map[string][]*memory{}}
	budget := int64(64 << 20)
	if tight {
		budget = 8 << 10
	}
	m.cache, _ = open(t, budget)
	for _, name := range modelZones {
		m.reopen(name)
	}
	return m
}

func (m *model) reopen(name string) {
	bounds := Bounds{Variants: 64, Waiters: 9}
	if m.tight {
		bounds = Bounds{Variants: 3, Floor: 2 << 10, Ceiling: 6 << 10}
	}
	m.zones[name] = m.cache.Zone(name, bounds)
}

func pick[T any](list []T, by byte) T { return list[int(by)%len(list)] }

// selects is Selects without its subtleties: here all values are plain.
func (a *memory) selects(request *wire.Fields) bool {
	for _, name := range a.vary {
		mine, have := a.request.NextNamed([]byte(name), -1), request.NextNamed([]byte(name), -1)
		if (mine < 0) != (have < 0) || mine >= 0 && string(a.request.Value(mine)) != string(request.Value(have)) {
			return false
		}
	}
	return true
}

// expected returns what a request should get; nil for nothing.
func (m *model) expected(key string, request *wire.Fields) (best *memory) {
	for _, a := range m.kept[key] {
		if a.selects(request) && (best == nil || a.object.Terms.Date > best.object.Terms.Date ||
			a.object.Terms.Date == best.object.Terms.Date && a.number > best.number) {
			best = a
		}
	}
	return best
}

func (m *model) drop(key string, gone func(*memory) bool) {
	var left []*memory
	for _, a := range m.kept[key] {
		if !gone(a) {
			left = append(left, a)
		}
	}
	m.kept[key] = left
}

// step does one thing and checks everything.
func (m *model) step(op, zone, key, with byte) {
	name := pick(modelZones, zone)
	z, full := m.zones[name], name+"\x00"+pick(modelKeys, key)
	request := pick(modelRequests, with)
	switch op % 8 {
	case 0:
		m.arrive(m.ask(name, full, request, with/8))
	case 1:
		m.ways = append(m.ways, m.ask(name, full, request, with/8))
	case 2:
		if len(m.ways) > 0 {
			i := int(with) % len(m.ways)
			late := m.ways[i]
			m.ways = append(m.ways[:i:i], m.ways[i+1:]...)
			m.arrive(late)
		}
	case 3:
		m.replace(z, full, request, with)
	case 4:
		if a := m.expected(full, request); a != nil {
			z.Forget([]byte(full), a.object)
			m.drop(full, func(other *memory) bool { return other == a })
		}
	case 5:
		z.Invalidate([]byte(full))
		m.void(func(a *memory) bool { return a.key == full })
	case 6:
		z.markAlone([]byte(full), then)
	case 7:
		if with < 16 {
			m.cache.Remove(name)
			m.void(func(a *memory) bool { return a.zone == name })
			m.reopen(name)
		}
	}
	m.check()
}

// ask makes an answer that is on its way from now on.
func (m *model) ask(zone, key string, request *wire.Fields, with byte) *memory {
	m.next++
	a := &memory{zone: zone, key: key, in: m.zones[zone], epoch: m.zones[zone].Epoch([]byte(key)), request: request, vary: pick(modelVary, with)}
	answer := lasting("Date", httpDate(-int(with/4)%4))
	for _, name := range a.vary {
		answer.AddKnown(wire.Vary, []byte(name))
	}
	a.object = prepared(m, offerOf(answer, request), fmt.Sprintf("%s#%d", key, m.next))
	return a
}

// arrive stores it.
func (m *model) arrive(a *memory) {
	stored := a.in.Store([]byte(a.key), a.object, a.request, a.epoch)
	a.epoch.End()
	if stored && a.void {
		m.Fatalf("%q was stored after its key was invalidated", a.object.Body)
	}
	if a.void || !stored && m.tight {
		return
	}
	if !stored {
		m.Fatalf("%q was not stored", a.object.Body)
	}
	m.next++
	a.number = m.next
	m.drop(a.key, func(other *memory) bool { return other.selects(a.request) })
	m.kept[a.key] = append(m.kept[a.key], a)
}

func (m *model) replace(z *Zone, key string, request *wire.Fields, with byte) {
	a := m.expected(key, request)
	if a == nil {
		return
	}
	m.next++
	other := *a
	fresh := *a.object
	fresh.Body = fmt.Appendf(nil, "%s#%d", key, m.next)
	fresh.Terms.Date = noon.Unix() - int64(with%3)
	other.object, other.number = &fresh, m.next
	if z.Replace([]byte(key), a.object, &fresh, Epoch{}) {
		m.drop(key, func(some *memory) bool { return some == a })
		m.kept[key] = append(m.kept[key], &other)
	} else if !m.tight {
		m.Fatalf("%q was not replaced", a.object.Body)
	}
}

func (m *model) void(which func(*memory) bool) {
	for key := range m.kept {
		m.drop(key, which)
	}
	for _, a := range m.ways {
		a.void = a.void || which(a)
	}
}

// end lets everything arrive that is on its way.
func (m *model) end() {
	for _, a := range m.ways {
		m.arrive(a)
	}
	m.check()
}

// check asks for everything.
func (m *model) check() {
	m.Helper()
	for _, name := range modelZones {
		z := m.zones[name]
		if !z.Belongs([]byte(name + "\x00")) {
			m.Fatalf("zone %s has something of another", name)
		}
		for _, rest := range modelKeys {
			key := name + "\x00" + rest
			for _, request := range modelRequests {
				m.checkOne(z, key, request)
			}
		}
	}
}

func (m *model) checkOne(z *Zone, key string, request *wire.Fields) {
	object, result := z.Lookup([]byte(key), request)
	want := m.expected(key, request)
	switch {
	case object == nil && (m.tight || want == nil):
		if result == seawall.CacheHit || !m.tight && (result == seawall.CacheMissVary) != (len(m.kept[key]) > 0) {
			m.Fatalf("%q for %q: %s", key, request.Lines(), result)
		}
	case object == nil:
		m.Fatalf("%q for %q: nothing; want %q", key, request.Lines(), want.object.Body)
	case m.tight:
		for _, a := range m.kept[key] {
			if a.object == object && a.selects(request) {
				return
			}
		}
		m.Fatalf("%q for %q: %q, which was never stored for that or is gone", key, request.Lines(), object.Body)
	case want == nil || object != want.object || result != seawall.CacheHit:
		m.Fatalf("%q for %q: %q, %s", key, request.Lines(), object.Body, result)
	}
}

// FuzzCache replays operations, four bytes each after a first one, on a cache
// of two zones and on the model.
func FuzzCache(f *testing.F) {
	f.Add([]byte("\x00" + "\x00\x00\x00\x00" + "\x00\x01\x00\x00" + "\x05\x00\x00\x00"))
	f.Add([]byte("\x00" + "\x00\x00\x00\x09" + "\x00\x00\x00\x0a" + "\x00\x00\x00\x13" + "\x03\x00\x00\x01" + "\x04\x00\x00\x02"))
	f.Add([]byte("\x00" + "\x01\x00\x00\x00" + "\x05\x00\x00\x00" + "\x02\x00\x00\x00" + "\x01\x01\x01\x01" + "\x07\x01\x00\x00" + "\x02\x00\x00\x00"))
	f.Add([]byte("\x00" + "\x06\x00\x00\x00" + "\x00\x00\x00\x28" + "\x00\x00\x00\x00" + "\x00\x00\x00\x48" + "\x03\x00\x00\x02"))
	f.Add([]byte("\x01" + "\x00\x00\x00\x09" + "\x00\x00\x00\x0a" + "\x00\x00\x00\x12" + "\x00\x00\x01\x09" + "\x00\x01\x01\x0a" + "\x00\x00\x02\x13" + "\x03\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) == 0 || len(ops) > 1000 {
			return
		}
		m := newModel(t, ops[0]%2 == 1)
		for ops = ops[1:]; len(ops) >= 4; ops = ops[4:] {
			m.step(ops[0], ops[1], ops[2], ops[3])
		}
		m.end()
	})
}

// The same with operations at random, which is fast enough for every run.
func TestCache_doesWhatTheModelDoes(t *testing.T) {
	const runs, steps = 60, 250
	for run := range runs {
		m := newModel(t, run%3 == 2)
		random := newRandom(run)
		for range steps {
			m.step(byte(random.IntN(256)), byte(random.IntN(256)), byte(random.IntN(256)), byte(random.IntN(256)))
		}
		m.end()
	}
}
