package s3fifo

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// model is the plainest thing that makes the same promises: it knows what was
// written and lets the Cache forget what it may.
type model struct {
	cache   *Cache[int]
	budget  int64
	tenants map[string]*account
	keys    map[string]*item // everything written and neither deleted nor seen to be gone
	writes  int
}

type account struct {
	*Tenant[int]
	floor, ceiling int64
}

type item struct {
	owner  *account
	value  int
	weight int64
}

func newModel(budget int64) *model {
	return &model{cache: New[int](budget), budget: budget, tenants: map[string]*account{}, keys: map[string]*item{}}
}

func (m *model) tenant(name string) *account {
	if m.tenants[name] == nil {
		m.tenants[name] = &account{Tenant: m.cache.Tenant(name)}
	}
	return m.tenants[name]
}

// has returns what the tenant has by the model.
func (m *model) has(of *account) (bytes, entries int64) {
	for _, i := range m.keys {
		if of == nil || i.owner == of {
			bytes += i.weight
			entries++
		}
	}
	return bytes, entries
}

// protects is the rule of SetBounds in other words.
func (m *model) protects(of *account) bool {
	bound := func(a *account) int64 {
		if a.ceiling > 0 {
			return min(a.floor, a.ceiling, m.budget)
		}
		return min(a.floor, m.budget)
	}
	sum, unit := int64(0), int64(1)
	for _, a := range m.tenants {
		sum += bound(a)
	}
	floor := bound(of)
	if half := m.budget / 2; sum > half {
		for sum/unit > 15 {
			unit *= 2
		}
		sum = (sum + unit - 1) / unit * unit
		floor = int64(float64(floor) * float64(half) / float64(sum))
	}
	bytes, _ := m.has(of)
	return bytes <= floor
}

// settle notes what had to make room during an operation of a tenant and
// complains about what had no reason to.
func (m *model) settle(by *account, protected map[*account]bool, written string, mayEvict bool) error {
	for key, i := range m.keys {
		value, ok := m.cache.Peek([]byte(key))
		switch {
		case ok && value != i.value:
			return fmt.Errorf("%s is %d, want %d", key, value, i.value)
		case ok:
		case !mayEvict:
			return fmt.Errorf("%s is gone without need", key)
		case key == written:
			return fmt.Errorf("%s made room for itself", key)
		case i.owner != by && protected[i.owner]:
			return fmt.Errorf("%s is gone though its tenant is below its floor", key)
		default:
			delete(m.keys, key)
		}
	}
	return nil
}

// check compares what is left with all that the Cache says about itself.
func (m *model) check() error {
	compare := func(name string, of *account, got Stats) error {
		if bytes, entries := m.has(of); got.Bytes != bytes || got.Entries != entries {
			return fmt.Errorf("%s: says %d bytes in %d entries, has %d in %d", name, got.Bytes, got.Entries, bytes, entries)
		}
		return nil
	}
	all := m.cache.Stats()
	if err := compare("all", nil, all); err != nil {
		return err
	}
	if all.Bytes > m.budget {
		return fmt.Errorf("%d bytes of %d", all.Bytes, m.budget)
	}
	for name, a := range m.tenants {
		got := a.Stats()
		if err := compare(name, a, got); err != nil {
			return err
		}
		if a.ceiling > 0 && got.Bytes > a.ceiling {
			return fmt.Errorf("%s: %d bytes above the ceiling of %d", name, got.Bytes, a.ceiling)
		}
	}
	return consistent(m.cache)
}

// consistent looks behind the doors of a Cache that nobody uses now.
func consistent[V any](c *Cache[V]) error {
	mapped := 0
	for i := range c.shards {
		for key, e := range c.shards[i].entries {
			mapped++
			if e.key != key || e.queue == gone || c.shard(e.hash) != &c.shards[i] {
				return fmt.Errorf("%q is in the map and in queue %d", key, e.queue)
			}
		}
	}
	if int64(mapped) != c.entries {
		return fmt.Errorf("%d in the map, %d in the queues", mapped, c.entries)
	}
	var bytes, entries int64
	var open [queues]int64
	floors := int64(0)
	for name, t := range c.tenants {
		floors += t.floor
		count := int64(0)
		for q := range t.queues {
			sum := int64(0)
			for e, last := t.queues[q].oldest, uint64(0); e != nil; e = e.newer {
				if e.tenant != t || e.queue != queue(q) || e.stamp <= last || e.reads.Load() > mostReads {
					return fmt.Errorf("%s: entry %+v out of place in queue %d", name, e, q)
				}
				last = e.stamp
				sum += e.weight
				count++
				if e.newer == nil && t.queues[q].newest != e {
					return fmt.Errorf("%s: queue %d has no end", name, q)
				}
			}
			if sum != t.queues[q].bytes {
				return fmt.Errorf("%s: queue %d says %d bytes, has %d", name, q, t.queues[q].bytes, sum)
			}
			if t.open {
				open[q] += sum
			}
			if at := t.turns[q]; (at > 0) != (t.open && sum > 0) || at > 0 && c.order[q].waits[at-1] != (wait[V]{t.queues[q].oldest.stamp, t}) {
				return fmt.Errorf("%s: place %d in the order of queue %d is wrong", name, at, q)
			}
		}
		if count != t.entries || t.open != (t.bytes() > c.effective(t.floor)) {
			return fmt.Errorf("%s: says %d entries, has %d; open %v", name, t.entries, count, t.open)
		}
		bytes, entries = bytes+t.bytes(), entries+count
	}
	if bytes != c.bytes || entries != c.entries || open != c.open || floors != c.floors {
		return fmt.Errorf("%d bytes, %d entries, %v open, floors %d; want %d, %d, %v, %d", c.bytes, c.entries, c.open, c.floors, bytes, entries, open, floors)
	}
	for q := range c.order {
		for i := 1; i < c.order[q].Len(); i++ {
			if c.order[q].Less(i, (i-1)/2) {
				return fmt.Errorf("the order of queue %d is none at %d", q, i)
			}
		}
	}
	return nil
}

// step does one operation and looks at everything afterwards. The numbers
// say which one, by whom, on which key and how large.
func (m *model) step(op, who, which byte, amount uint16) error {
	name := fmt.Sprint("tenant", who%5)
	t := m.tenant(name)
	key := fmt.Sprint(name, "/", which%48)
	if op%32 == 0 { // somebody else's
		key = fmt.Sprint("tenant", which%5, "/", which%48)
	}
	protected := map[*account]bool{}
	for _, a := range m.tenants {
		protected[a] = m.protects(a)
	}
	written, mayEvict := "", false
	old := m.keys[key]
	switch op % 16 {
	default:
		m.writes++
		size := int64(amount) % (m.budget / 8)
		if op >= 240 {
			size = int64(amount) * m.budget / 1 << 16
		}
		weight := size + int64(len(key)) + bookkeeping
		fits := weight <= m.budget/2 && (t.ceiling == 0 || weight <= t.ceiling)
		sum, _ := m.has(nil)
		own, _ := m.has(t)
		if old != nil {
			sum -= old.weight
			if old.owner == t {
				own -= old.weight
			}
		}
		delete(m.keys, key)
		if fits {
			m.keys[key] = &item{t, m.writes, weight}
			written = key
			mayEvict = sum+weight > m.budget || t.ceiling > 0 && own+weight > t.ceiling
		}
		var seen error
		kept := t.Compute([]byte(key), func(value int, found bool) (int, int64, Op) {
			if found != (old != nil) || found && value != old.value {
				seen = fmt.Errorf("%s was %d, found %v; want %+v", key, value, found, old)
			}
			return m.writes, size, Write
		})
		if seen != nil || kept != fits {
			return fmt.Errorf("write of %d: kept %v, want %v; %v", weight, kept, fits, seen)
		}
	case 9, 10:
		for range amount % 5 {
			if value, ok := m.cache.Get([]byte(key)); ok != (old != nil) || ok && value != old.value {
				return fmt.Errorf("got %d, %v for %s; want %+v", value, ok, key, old)
			}
		}
	case 11:
		delete(m.keys, key)
		if m.cache.Delete([]byte(key)) != (old != nil) {
			return fmt.Errorf("deleted %s wrongly; want %+v", key, old)
		}
	case 12:
		how := []Op{Keep, Delete}[amount%2]
		kept := t.Compute([]byte(key), func(int, bool) (int, int64, Op) { return -1, 0, how })
		if kept != (old != nil && how == Keep) {
			return fmt.Errorf("operation %d on %s: kept %v; want %+v", how, key, kept, old)
		}
		if how == Delete {
			delete(m.keys, key)
		}
	case 13:
		t.floor, t.ceiling = int64(amount)*m.budget/1<<16, 0
		if which%4 == 0 {
			t.ceiling = m.budget/16 + int64(which)*m.budget/256
			own, _ := m.has(t)
			mayEvict = own > t.ceiling
		}
		for a := range protected {
			protected[a] = true // bounds take nothing from others
		}
		t.SetBounds(t.floor, t.ceiling)
	case 14:
		wanted, visited := 0, 0
		for k, i := range m.keys {
			if i.owner == t && k[len(k)-1] == byte('0'+which%10) {
				delete(m.keys, k)
				wanted++
			}
		}
		removed := t.DeleteFunc(func(k string) bool { return k[len(k)-1] == byte('0'+which%10) })
		_, left := m.has(t)
		for k, value := range t.Each {
			if i := m.keys[k]; i == nil || i.value != value || i.owner != t {
				return fmt.Errorf("visited %s with %d, want %+v", k, value, i)
			}
			visited++
		}
		if removed != wanted || visited != int(left) {
			return fmt.Errorf("removed %d of %d, visited %d of %d", removed, wanted, visited, left)
		}
	case 15:
		if amount%8 != 0 {
			break
		}
		_, had := m.has(t)
		for k, i := range m.keys {
			if i.owner == t {
				delete(m.keys, k)
			}
		}
		delete(m.tenants, name)
		if removed := m.cache.Remove(name); int64(removed) != had {
			return fmt.Errorf("removed %d of %d", removed, had)
		}
		if t.Compute([]byte(key), func(int, bool) (int, int64, Op) { return 0, 1, Write }) {
			return fmt.Errorf("%s lives on", name)
		}
		if old != nil && old.owner != t {
			delete(m.keys, key) // what could not be kept took the old one with it
		}
	}
	if err := m.settle(t, protected, written, mayEvict); err != nil {
		return err
	}
	return m.check()
}

func TestCache_keepsItsPromisesWhateverHappens(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 11))
		m := newModel(4000 + random.Int64N(40000))
		for i := range 1500 {
			op := byte(random.IntN(256))
			if op%16 >= 13 && random.IntN(8) > 0 { // seldom, so that things can grow
				op -= 12
			}
			if err := m.step(op, byte(random.IntN(256)), byte(random.IntN(256)), uint16(random.IntN(1<<16))); err != nil {
				t.Fatalf("seed %d, step %d, operation %d: %v", seed, i, op%16, err)
			}
		}
		if s := m.cache.Stats(); s.Evicted < 100 {
			t.Errorf("seed %d: only %d had to make room", seed, s.Evicted)
		}
	}
}

// FuzzCache_keepsItsPromises takes two bytes for the budget and five for
// each step.
func FuzzCache_keepsItsPromises(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 11))
	for _, steps := range []int{1, 40, 400} {
		input := make([]byte, 2+5*steps)
		for i := range input {
			input[i] = byte(random.IntN(256))
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) < 2 {
			return
		}
		m := newModel(1000 + int64(input[0])*256 + int64(input[1]))
		for i, input := 0, input[2:]; len(input) >= 5 && i < 400; i, input = i+1, input[5:] {
			if err := m.step(input[0], input[1], input[2], uint16(input[3])<<8|uint16(input[4])); err != nil {
				t.Fatalf("step %d, operation %d: %v", i, input[0]%16, err)
			}
		}
	})
}
