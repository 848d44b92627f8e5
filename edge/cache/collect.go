package cache

import (
	"github.com/seawall-edge/seawall"
)

// Collector gathers the body of an answer that is to be stored. Its memory
// grows with what came, not with what was promised, and all bodies that are
// still arriving share a quarter of the budget. It belongs to one goroutine.
type Collector struct {
	Object *Object

	cache    *Cache
	expected int64 // the body's length; -1 when not known
	most     int64 // bytes of a body that are still stored
	held     int64 // bytes of memory counted for it
}

// Collect begins to gather the body of an Object that Prepare made.
func (z *Zone) Collect(object *Object, offer *Offer) *Collector {
	return &Collector{Object: object, cache: z.cache, expected: offer.Length, most: offer.MaxObject}
}

// firstPiece is how much room a body gets before a byte of it has come.
const firstPiece = 32 << 10

// Add takes bytes that have arrived. What does not fit is not stored:
// StoreTooLarge or StoreUndecided, and the memory is given back to the
// account.
func (c *Collector) Add(data []byte) seawall.StoreResult {
	result := c.add(data)
	if result != seawall.StoreStored {
		c.End()
	}
	return result
}

// add is Add for who goes on using what came so far, and calls End later.
func (c *Collector) add(data []byte) seawall.StoreResult {
	o := c.Object
	need := int64(len(o.Body) + len(data))
	if need > c.most {
		return seawall.StoreTooLarge
	}
	if have := int64(cap(o.Body)); need > have {
		room := min(max(need, 2*have, firstPiece), c.most)
		if c.expected >= need {
			room = min(room, c.expected)
		}
		if c.cache.collecting.Add(room-have) > c.cache.budget/4 {
			c.cache.collecting.Add(have - room)
			return seawall.StoreUndecided
		}
		c.held += room - have
		o.Body = append(make([]byte, 0, room), o.Body...)
	}
	o.Body = append(o.Body, data...)
	return seawall.StoreStored
}

// End gives the memory back to the account; call it when the body is stored or
// given up. More than once does no harm.
func (c *Collector) End() {
	c.cache.collecting.Add(-c.held)
	c.held = 0
}
