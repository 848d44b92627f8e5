package edge

import (
	"bytes"
	"errors"
	"net/http"
	"net/netip"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/forwarded"
	"github.com/seawall-edge/seawall/internal/wire"
)

// zone finds whose site is asked for.
func (e *Edge) zone(c *climb) verdict {
	x := c.x
	c.zone = e.zones.Load().find(x.Host)
	switch {
	case c.zone == nil:
		return verdict{refuse, seawall.ReasonUnknownHost}
	case x.TLS != nil && !e.sameSite(x, c.zone):
		c.zone = nil
		return verdict{refuse, seawall.ReasonOtherName}
	case x.Misplaced:
		return c.toTLS()
	}
	return verdict{}
}

// toTLS sends a plain request to the same address over TLS, which is spoken
// where it came in.
func (c *climb) toTLS() verdict {
	x := c.x
	if len(x.Target) == 0 || x.Target[0] != '/' || len(x.Hostport) == 0 {
		return verdict{refuse, seawall.ReasonWrongScheme}
	}
	c.location = append(append(append(c.location[:0], "https://"...), x.Hostport...), x.Target...)
	c.self.status = http.StatusPermanentRedirect
	return verdict{kind: answerRedirect}
}

// client finds out who is asking. Only what a trusted proxy says counts.
func (e *Edge) client(c *climb) verdict {
	x := c.x
	x.ForwardedByTrusted, x.Bare = false, c.zone.state.switches.off(SwitchRewrite, c.x.Event.Time)
	if c.zone.hops != nil && c.zone.hops.Contains(x.Peer.Addr()) {
		c.believe()
	}
	return c.credential()
}

// believe takes from a proxy in front who is asking.
func (c *climb) believe() {
	x := c.x
	x.ForwardedByTrusted = true
	name := wire.XForwardedFor
	if c.zone.hopsField == forwarded.ForwardedField {
		name = wire.Forwarded
	}
	c.said = c.said[:0]
	for i := x.Fields.Next(name, -1); i >= 0 && len(c.said) <= forwarded.MaxElements; i = x.Fields.Next(name, i) {
		c.said = append(c.said, x.Fields.Value(i))
	}
	if client, ok := forwarded.Client(x.Peer.Addr(), c.said, c.zone.hopsField, c.zone.hops.Contains); ok {
		x.Client = netip.AddrPortFrom(client, 0)
		x.Event.Client = client
	}
	if proto, said := x.Fields.Get(wire.XForwardedProto); said && wire.EqualFold(proto, https) {
		x.Event.Secure = true
	}
}

var https = []byte("https")

// maintenance closes the site to all but its guests.
func (e *Edge) maintenance(c *climb) verdict {
	if !c.zone.closed || c.zone.guests.Contains(c.x.Client.Addr()) || c.zone.state.switches.off(SwitchMaintenance, c.x.Event.Time) {
		return verdict{}
	}
	return verdict{refuse, seawall.ReasonMaintenance}
}

// normalise makes the one form of the target that everything below works
// with: the origin's request line and the cache's key are made from it.
func (e *Edge) normalise(c *climb) verdict {
	x := c.x
	if x.Fields.Has(wire.SeawallDevice) || x.Fields.Has(wire.SeawallKey) {
		c.ask(copyFields(&c.asks.spare, x.Fields, wire.SeawallDevice, wire.SeawallKey)) // ours to say
	}
	c.present()
	if x.Method == exchange.MethodTrace {
		// TRACE would show the visitor what the edge adds for the origin's eyes.
		return verdict{refuse, seawall.ReasonMethod}
	}
	if x.Method == exchange.MethodOptions {
		hops, limited := x.Fields.Get(wire.MaxForwards)
		if len(x.Target) == 1 && x.Target[0] == '*' || limited && len(bytes.Trim(hops, "0")) == 0 {
			return verdict{kind: answerSelf}
		}
	}
	if reason := x.SetTarget(x.Target); reason != seawall.ReasonNone {
		return verdict{refuse, reason}
	}
	return verdict{}
}

// reasonOf finds the Reason that an error of a room carries.
func reasonOf(err error) seawall.Reason {
	var reasoned interface{ Reason() seawall.Reason }
	if errors.As(err, &reasoned) {
		return reasoned.Reason()
	}
	return seawall.ReasonInternal
}

// causeOf says what went wrong in as few words as the error has.
func causeOf(err error) string {
	var caused interface{ Cause() string }
	if errors.As(err, &caused) {
		return caused.Cause()
	}
	return err.Error()
}
