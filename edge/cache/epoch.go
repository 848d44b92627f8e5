package cache

import "sync/atomic"

// Epoch is the time of a key until it is invalidated. Whoever asks the origin
// takes it before and gives it back with End; an answer that was asked for in
// an Epoch that is over is not stored, for it may be from before the change.
type Epoch struct{ of *epoch }

type epoch struct {
	hangar  *hangar
	key     string
	holders int // guarded by hangar.mu
	ended   atomic.Bool
}

// Epoch returns a key's present Epoch.
func (z *Zone) Epoch(key []byte) Epoch {
	h := z.cache.hangar(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.epochs[string(key)]
	if e == nil {
		e = &epoch{hangar: h, key: string(key)}
		if h.epochs == nil {
			h.epochs = map[string]*epoch{}
		}
		h.epochs[e.key] = e
	}
	e.holders++
	return Epoch{e}
}

// End gives the Epoch back; the zero Epoch needs none.
func (e Epoch) End() {
	if e.of == nil {
		return
	}
	h := e.of.hangar
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.of.holders--; e.of.holders == 0 && h.epochs[e.of.key] == e.of {
		delete(h.epochs, e.of.key)
	}
}

// over reports whether the key was invalidated since.
func (e Epoch) over() bool { return e.of != nil && e.of.ended.Load() }
