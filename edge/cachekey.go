package edge

import (
	"bytes"
	"slices"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
)

// appendKey makes the cache's key: zone, scheme, host with port, target, and
// the mark of a rule that tells answers apart by more than their address.
// The bytes between the host and the mark are those of the origin's request
// line.
func appendKey(key []byte, z *zone, x *exchange.Exchange, rule *keyRule) []byte {
	key = append(key, z.keyPrefix...)
	if x.Event.Secure {
		key = append(key, 's')
	} else {
		key = append(key, 'h')
	}
	key = append(key, x.Hostport...)
	if rule == nil {
		return append(key, x.Target...)
	}
	if rule.query != nil {
		key = rule.query.appendTarget(key, x.Target)
	} else {
		key = append(key, x.Target...)
	}
	return append(key, rule.mark...)
}

// everyKey calls do with each key under which the zone may have something for
// an address, whatever rules the requests that brought it met.
func (z *zone) everyKey(x *exchange.Exchange, do func(key []byte)) {
	do(appendKey(nil, z, x, nil))
	for i := range z.cache.rules {
		if k := z.cache.rules[i].key; k != nil {
			do(appendKey(nil, z, x, k))
		}
	}
}

// sortFields puts query fields in one order. Those of one name keep theirs,
// which may mean something.
func sortFields(fields [][]byte) {
	slices.SortStableFunc(fields, func(a, b []byte) int {
		nameA, _, _ := bytes.Cut(a, []byte("="))
		nameB, _, _ := bytes.Cut(b, []byte("="))
		return bytes.Compare(nameA, nameB)
	})
}

// phraseForRules makes of the request what the zone's rules about the cache
// want the origin to see. What tells two answers apart is in it, and what is
// not in it cannot get into an answer.
func (c *climb) phraseForRules() {
	x, said := c.x, &c.caching
	if k := said.key; k != nil && k.query != nil && x.Method.Safe() {
		c.keepTarget()
		c.spareTarget = k.query.appendTarget(c.spareTarget[:0], x.Target) // which may stand in targetMemory
		x.Target = c.spareTarget
	}
	separates := said.key != nil && said.key.separates()
	if !separates && !(said.removeCookies && x.Fields.Has(wire.Cookie)) {
		return
	}
	fields := &c.asks.spare
	fields.Clear()
	for i := range x.Fields.Len() {
		switch known := x.Fields.Known(i); {
		case known == wire.Cookie && said.removeCookies, known == wire.SeawallKey, known == wire.SeawallDevice && separates:
		default:
			fields.Add(known, x.Fields.Name(i), x.Fields.Value(i))
		}
	}
	if separates {
		c.addKeyFields(fields, said.key)
	}
	c.ask(fields)
}

// addKeyFields adds what of the request tells answers apart: cookies and the
// kind of device, as fields that the cache compares like those that Vary names.
func (c *climb) addKeyFields(fields *wire.Fields, k *keyRule) {
	if len(k.cookies) > 0 {
		value := c.own.page[:0]
		for _, name := range k.cookies {
			for cookie := range rule.Cookies(c.x.Fields, name) {
				value = append(append(append(value, name...), '='), cookie...)
				value = append(value, ';') // every one: which of several counts is the application's own
			}
		}
		fields.AddKnown(wire.SeawallKey, value)
		c.own.page = value
	}
	if k.device {
		agent, _ := c.x.Fields.Get(wire.UserAgent)
		fields.AddKnown(wire.SeawallDevice, []byte(rule.Device(agent)))
	}
}

// selecting returns the names of the fields that tell answers apart besides
// those that Vary names.
func (k *keyRule) selecting() [][]byte {
	if k == nil || !k.separates() {
		return nil
	}
	names := slices.Clone(k.headers)
	if len(k.cookies) > 0 {
		names = append(names, wire.SeawallKey.Text())
	}
	if k.device {
		names = append(names, wire.SeawallDevice.Text())
	}
	return names
}

// relay is memory for fields that take the place of others. Two lists, for
// one is made from the other.
type relay struct{ present, spare wire.Fields }

// ask puts a list made in asks.spare in the place of the request's fields.
func (c *climb) ask(fields *wire.Fields) {
	c.asks.present, c.asks.spare = *fields, c.asks.present
	c.x.Fields = &c.asks.present
}
