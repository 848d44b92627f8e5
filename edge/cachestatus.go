package edge

import (
	"strconv"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// addCacheStatus says how the cache took part (RFC 9211).
func (e *Edge) addCacheStatus(c *climb, fields *wire.Fields) {
	event, k := &c.x.Event, &c.cached
	var scratch [192]byte
	s := append(scratch[:0], "seawall"...)
	if k.missed == seawall.CacheNone && event.Cache.FromCache() {
		s = append(s, "; hit"...)
	} else {
		why := event.Cache
		if why.FromCache() {
			why = k.missed
		}
		s = append(append(s, "; fwd="...), why.String()...)
	}
	if k.answered != 0 {
		s = strconv.AppendInt(append(s, "; fwd-status="...), int64(k.answered), 10)
	}
	switch {
	case c.object != nil:
		s = strconv.AppendInt(append(s, "; ttl="...), c.object.TTL(k.at), 10)
	case c.fresh != nil:
		s = strconv.AppendInt(append(s, "; ttl="...), c.fresh.Object.TTL(k.at), 10)
	}
	switch {
	case event.Cache == seawall.CacheCollapsed:
		s = append(s, "; collapsed"...)
	case event.Store == seawall.StoreStored, event.Store == seawall.StoreFreshened:
		s = append(s, "; stored"...)
	}
	switch detail := detailOf(c); detail {
	case "":
	default:
		s = append(append(s, "; detail="...), detail...)
	}
	if c.zone.cache.showKey && c.zone.cache.zone != nil {
		s = appendShownKey(append(s, `; key="`...), c.x)
	}
	fields.AddKnown(wire.CacheStatus, s)
}

// detailOf says what the other parameters do not.
func detailOf(c *climb) string {
	event := &c.x.Event
	switch event.Store {
	case seawall.StoreNone, seawall.StoreStored, seawall.StoreFreshened:
	default:
		return event.Store.String()
	}
	if event.Cache != seawall.CacheStale {
		return ""
	}
	if c.cached.missed == seawall.CacheNone {
		return "stale"
	}
	return "stale-if-error"
}

// appendShownKey appends what the key is made of, as the inside of a string
// (RFC 9651, 3.3.3).
func appendShownKey(s []byte, x *exchange.Exchange) []byte {
	scheme := "http://"
	if x.Event.Secure {
		scheme = "https://"
	}
	s = append(append(s, scheme...), x.Hostport...)
	for _, b := range x.Target {
		if b == '"' || b == '\\' {
			s = append(s, '\\')
		}
		s = append(s, b)
	}
	return append(s, '"')
}
