package cache

import (
	"errors"
	"hash/maphash"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Flight is one question to the origin for which more than one request may
// wait. Who leads it asks; the others learn what became of it as soon as the
// head of the answer is there, and read the body while it arrives. Each reads
// at its own pace.
type Flight struct {
	zone *Zone
	key  string
	name string // key, and what is known to select a variant

	decided chan struct{}          // closed when Outcome says something
	answer  atomic.Pointer[Object] // likewise object, from then on
	waiting atomic.Int64           // requests besides the leader's

	mu      sync.Mutex // guards what follows
	outcome Outcome
	object  *Object // the answer's head; its body is here until the flight has ended
	err     error   // why it failed, or what ended the body
	arriving
}

// arriving is a body on its way; it is guarded by its flight's mu.
type arriving struct {
	length  int64
	body    []byte
	base    int64 // position of body[0]; above 0 when the answer is too large to be stored
	ended   bool
	wake    chan struct{} // closed when there is more; nil when nobody waits
	readers int
	fastest int64 // the furthest position of a reader
	moved   *sync.Cond
	stream  *Collector // nil when the answer is not stored after all
	account *Collector // counts the memory of what was collected as long as it is held
	stored  seawall.StoreResult
}

// Outcome is what became of a flight.
type Outcome uint8

const (
	Undecided Outcome = iota
	Answered          // there is an answer for those whose request it fits
	Released          // it is for the leader alone: everybody asks for itself
	Failed            // there was no answer
	Again             // the leader has left: look again
)

// hangar holds flights by name.
type hangar struct {
	mu      sync.Mutex
	flights map[string]*Flight
	epochs  map[string]*epoch // by key, while anybody holds them
}

const (
	// window is how much of an answer that is too large to be stored is held
	// for those who read it.
	window = 1 << 20
	// sharedWindow is the same where several read it, each at its own pace.
	sharedWindow = 8 << 20
	// aloneFor is how long requests for an address do not wait for each other
	// after an answer that could not be shared.
	aloneFor = Moment(30 * time.Second)
	// mostWaiting bounds the requests that wait, for all zones together; a
	// zone with fewer than fewWaiting is let in all the same.
	mostWaiting = 200_000
	fewWaiting  = 100
	// mostNames bounds the flights that Join looks at after one whose answer
	// is for other requests.
	mostNames = 3
)

func (c *Cache) hangar(key []byte) *hangar {
	return &c.flights[maphash.Bytes(c.seed, key)%uint64(len(c.flights))]
}

// clear has nobody join the flights for a key any more, and ends its epoch.
func (h *hangar) clear(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.epochs[key]; e != nil {
		e.ended.Store(true)
		delete(h.epochs, key)
	}
	for name, f := range h.flights {
		if f.key == key {
			delete(h.flights, name)
		}
	}
}

// Join finds the flight for a key and a request, or begins one that the caller
// leads, if it may. It returns nil when the request had better ask for itself:
// when it is known that answers here cannot be shared, or too many wait
// already. Everybody who joins leaves with Leave.
func (z *Zone) Join(key []byte, request *wire.Fields, now Moment, mayLead bool) (f *Flight, leads bool) {
	c := z.cache
	name := key
	e, found := c.entries.Peek(key)
	switch {
	case found && now < e.alone:
		return nil, false
	case found && len(e.variants) > 0:
		name = nameFor(key, e.variants[0].vary, request)
	case !c.outlook.good(key):
		return nil, false
	}
	h := c.hangar(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	for tries := 0; ; tries++ {
		f = h.flights[string(name)]
		if f == nil || f.zone != z { // of a zone of this name that was removed
			break
		}
		object := f.answer.Load()
		if object == nil || object.Selects(request) {
			if !z.mayWait() {
				return nil, false
			}
			f.waiting.Add(1)
			return f, false
		}
		if tries == mostNames {
			return nil, false
		}
		name = nameFor(key, object.vary, request) // it is for others; now it is known for whom
	}
	if !mayLead {
		return nil, false
	}
	f = &Flight{zone: z, name: string(name), key: string(key), decided: make(chan struct{})}
	f.moved = sync.NewCond(&f.mu)
	if h.flights == nil {
		h.flights = map[string]*Flight{}
	}
	h.flights[f.name] = f
	return f, true
}

// nameFor adds to a key what the request says in the fields that select among
// the answers known so far, so that those who will get different answers do
// not wait for each other.
func nameFor(key []byte, vary []selector, request *wire.Fields) []byte {
	name := append([]byte(nil), key...)
	for _, s := range vary {
		name = append(append(name, 0), s.name...)
		name = freshness.AppendSelecting(append(name, 0), request, s.name)
	}
	return name
}

// mayWait takes a place among those who wait, if there is one.
func (z *Zone) mayWait() bool {
	mine, all := z.waiting.Add(1), z.cache.waiting.Add(1)
	if mine <= int64(z.bounds.Load().Waiters) && (all <= mostWaiting || mine <= fewWaiting) {
		return true
	}
	z.waiting.Add(-1)
	z.cache.waiting.Add(-1)
	return false
}

// Leave ends the part of one who has joined, once for each. A leader that
// leaves before it has decided anything has the others look again.
func (f *Flight) Leave(leads bool) {
	if leads {
		f.decide(Again, nil)
		return
	}
	f.zone.waiting.Add(-1)
	f.zone.cache.waiting.Add(-1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting.Add(-1)
	f.moved.Broadcast()
}

// Waiting returns how many requests wait besides the leader's.
func (f *Flight) Waiting() int64 { return f.waiting.Load() }

// Decided is closed when the flight has an Outcome.
func (f *Flight) Decided() <-chan struct{} { return f.decided }

// Outcome returns what became of the flight: with Answered the head of the
// answer, with Failed the error. Call it after Decided.
func (f *Flight) Outcome() (Outcome, *Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.outcome, f.object, f.err
}

// decide says what became of the flight, unless that was said before.
func (f *Flight) decide(outcome Outcome, err error) {
	f.mu.Lock()
	if f.outcome != Undecided {
		f.mu.Unlock()
		return
	}
	f.outcome, f.err = outcome, err
	f.answer.Store(f.object)
	f.mu.Unlock()
	if outcome != Answered {
		f.land()
	}
	close(f.decided)
}

// land takes the flight out of the hangar: nobody joins it any more.
func (f *Flight) land() {
	h := f.zone.cache.hangar([]byte(f.key))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.flights[f.name] == f {
		delete(h.flights, f.name)
	}
}

// Release lets everybody ask for itself, now and, if anybody has waited, for
// a while from now on. It does nothing once they have been told something else.
func (f *Flight) Release(now Moment) {
	if outcome, _, _ := f.Outcome(); outcome != Undecided {
		return
	}
	key := []byte(f.key)
	f.zone.cache.outlook.was(key, false)
	if f.Waiting() > 0 {
		f.zone.markAlone(key, now+aloneFor)
	}
	f.decide(Released, nil)
}

// Scatter lets everybody ask for itself, this once.
func (f *Flight) Scatter() { f.decide(Released, nil) }

// Fail tells everybody that there was no answer.
func (f *Flight) Fail(err error) { f.decide(Failed, err) }

// Serve gives everybody a whole answer that is stored.
func (f *Flight) Serve(object *Object) {
	f.zone.cache.outlook.was([]byte(f.key), true)
	f.mu.Lock()
	f.object, f.body, f.length, f.ended = object, object.Body, int64(len(object.Body)), true
	f.mu.Unlock()
	f.decide(Answered, nil)
	f.land()
}

// Begin gives everybody the head of an answer whose body is about to arrive.
func (f *Flight) Begin(stream *Collector, length int64) {
	f.zone.cache.outlook.was([]byte(f.key), true)
	f.mu.Lock()
	f.object, f.length, f.stream, f.account, f.stored = stream.Object, length, stream, stream, seawall.StoreStored
	f.mu.Unlock()
	f.decide(Answered, nil)
}

// errNobody ends a body that is not stored and that nobody reads any more.
var errNobody = errors.New("nobody reads the answer any more")

// errBehind ends the reading of who is too slow for an answer that is too
// large to be kept for it.
var errBehind behind

type behind struct{}

func (behind) Error() string          { return "the answer is too large to be kept for a slow reader" }
func (behind) Reason() seawall.Reason { return seawall.ReasonVisitorSlow }

// Add brings bytes of the body. It waits only where the answer cannot be
// stored, for the fastest of those who read it, and fails when nobody does or
// is about to.
func (f *Flight) Add(data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.add(data)
}

func (f *Flight) add(data []byte) error {
	if f.collect(data) {
		f.body = f.stream.Object.Body
		f.awaken()
		return nil
	}
	for !f.deserted() && f.base+int64(len(f.body))-f.fastest > f.room() {
		f.moved.Wait()
	}
	if f.deserted() {
		return errNobody
	}
	if room := int(f.room()); len(f.body) > room+window {
		drop := len(f.body) - room
		f.base += int64(drop)
		f.body = append(make([]byte, 0, room+2*window), f.body[drop:]...)
		f.account.End()
	}
	f.body = append(f.body[:len(f.body):cap(f.body)], data...)
	f.awaken()
	return nil
}

// room is how much of an answer that is not stored is held: for one reader
// what keeps it going, for several what they may be apart; f.mu is held.
func (f *Flight) room() int64 {
	if f.readers > 1 {
		return sharedWindow
	}
	return window
}

// deserted reports whether nobody reads the body, and nobody who has joined
// may still begin to; f.mu is held.
func (f *Flight) deserted() bool { return f.readers == 0 && f.waiting.Load() == 0 }

// collect adds to the body that is to be stored, as long as it may be; f.mu
// is held.
func (f *Flight) collect(data []byte) bool {
	if f.stream == nil {
		return false
	}
	if f.stored = f.stream.add(data); f.stored == seawall.StoreStored {
		return true
	}
	f.stream, f.object.Body = nil, nil // what came is in f.body as long as somebody may want it
	f.mu.Unlock()
	f.land()
	f.mu.Lock()
	return false
}

// awaken lets those who wait for more of the body know; f.mu is held.
func (f *Flight) awaken() {
	if f.wake != nil {
		close(f.wake)
		f.wake = nil
	}
}

// Finish brings the last bytes and completes the body. If the answer may be
// stored, store is called with it before anybody can have read it to its end,
// so that whoever has will find it. After an error the caller calls Break.
func (f *Flight) Finish(last []byte, trailers *wire.Fields, store func(*Object) bool) error {
	defer f.land()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(last) > 0 && !f.collect(last) {
		if err := f.add(last); err != nil {
			return err
		}
	}
	f.object.Trailers = trailers
	f.account.End()
	if f.stream != nil {
		if !store(f.object) {
			f.stored = seawall.StoreUndecided
		}
		f.body = f.object.Body
	}
	f.ended = true
	f.awaken()
	return nil
}

// Whole returns the answer once all of it is here and stored; nil before.
func (f *Flight) Whole() *Object {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended || f.err != nil || f.stored != seawall.StoreStored {
		return nil
	}
	return f.object
}

// Stored says whether the answer was kept, once it has been read to its end.
func (f *Flight) Stored() seawall.StoreResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stored
}

// Break ends the body before its end.
func (f *Flight) Break(err error) {
	f.land() // before anybody can see the end: who has, and asks again, must not get the same half
	f.mu.Lock()
	f.ended, f.err, f.stream = true, err, nil
	f.account.End()
	f.awaken()
	f.mu.Unlock()
}

// Length returns the body's length; -1 when it is not known.
func (f *Flight) Length() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.length
}

// Attach says that somebody reads the body from now on; Detach that it has
// stopped.
func (f *Flight) Attach() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers++
}

// Detach is the counterpart of Attach.
func (f *Flight) Detach() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers--
	f.moved.Broadcast()
}

// Read returns what there is of the body from a position on, which nobody
// will change; or a channel that is closed when there is more; or io.EOF at
// the end, or what ended the body early.
func (f *Flight) Read(position int64) (data []byte, more <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if position > f.fastest {
		f.fastest = position
		f.moved.Broadcast()
	}
	end := f.base + int64(len(f.body))
	switch {
	case position < f.base:
		return nil, nil, errBehind
	case position < end:
		return f.body[position-f.base : len(f.body) : len(f.body)], nil, nil
	case f.ended && f.err != nil:
		return nil, nil, f.err
	case f.ended:
		return nil, nil, io.EOF
	}
	if f.wake == nil {
		f.wake = make(chan struct{})
	}
	return nil, f.wake, nil
}

// Trailers returns the trailer section after io.EOF; nil when there is none.
func (f *Flight) Trailers() *wire.Fields {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.object.Trailers
}
