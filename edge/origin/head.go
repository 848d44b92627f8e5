package origin

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/forwarded"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

var (
	version    = []byte(" HTTP/1.1\r\nHost: ")
	via10      = []byte("Via: 1.0 seawall\r\n")
	via11      = []byte("Via: 1.1 seawall\r\n")
	capability = []byte("Surrogate-Capability: " + freshness.SurrogateDevice + "=\"Surrogate/1.0\"\r\n")
	protoHTTP  = []byte("http")
	protoHTTPS = []byte("https")
)

// appendHead writes the request's head as the server gets it (RFC 9110, 7.6).
func (r *Response) appendHead(x *exchange.Exchange) {
	rules := &r.group.fields
	out := append(r.out[:0], x.MethodName...)
	out = append(out, ' ')
	out = append(out, x.Target...)
	out = append(out, version...)
	out = append(out, r.sentHost(x)...)
	out = append(out, '\r', '\n')
	for i := range x.Fields.Len() {
		known, name := x.Fields.Known(i), x.Fields.Name(i)
		switch known {
		case wire.Host, wire.ContentLength, wire.Expect, wire.SeawallRequestID, wire.SurrogateCapability,
			wire.XForwardedFor, wire.XForwardedHost, wire.XForwardedProto, wire.Forwarded, wire.CDNLoop:
			// Ours to say.
			continue
		case wire.MaxForwards:
			if limitsHops(x) {
				continue
			}
		case wire.Trailer:
			if x.Body == nil || x.Length >= 0 {
				continue
			}
		}
		if known.HopByHop() || x.Ask.Replaces(known) || known == wire.Other && x.Nominates && nominated(x.Fields, name) ||
			!rules.forwards(known, name, x.ForwardedByTrusted) {
			continue
		}
		out = appendField(out, x.Fields, i)
	}
	out = appendAsking(out, &x.Ask)
	out = appendForwarded(out, x)
	if rules.client != nil {
		out = append(append(out, rules.client...), ':', ' ')
		out = append(x.Client.Addr().AppendTo(out), '\r', '\n')
	}
	if rules.loopLine != nil {
		out = appendList(out, x, wire.CDNLoop)
		out = append(append(out, rules.loopLine...), '\r', '\n')
	}
	if !x.Bare {
		out = append(out, capability...)
	}
	if x.Minor == 0 {
		out = append(out, via10...)
	} else {
		out = append(out, via11...)
	}
	r.out = append(r.appendFraming(out, x), '\r', '\n')
}

// appendAsking writes the conditions and the range that the cache has in
// place of the visitor's.
func appendAsking(out []byte, a *exchange.Asking) []byte {
	if !a.Instead {
		return out
	}
	for i, tag := range a.Tags {
		if i == 0 {
			out = append(append(out, wire.IfNoneMatch.Text()...), ':', ' ')
		} else {
			out = append(out, ',', ' ')
		}
		out = append(out, tag...)
	}
	if len(a.Tags) > 0 {
		out = append(out, '\r', '\n')
	}
	out = appendKnown(out, wire.IfModifiedSince, a.Modified)
	out = appendKnown(out, wire.Range, a.Range)
	return appendKnown(out, wire.IfRange, a.Condition)
}

// appendKnown writes a field unless its value is nil.
func appendKnown(out []byte, name wire.Name, value []byte) []byte {
	if value == nil {
		return out
	}
	out = append(append(out, name.Text()...), ':', ' ')
	return append(append(out, value...), '\r', '\n')
}

// sentHost returns what the server gets in its Host field.
func (r *Response) sentHost(x *exchange.Exchange) []byte {
	switch {
	case r.server.sent != nil:
		return r.server.sent
	case len(x.Hostport) > 0:
		return x.Hostport
	}
	return r.server.authority
}

// appendForwarded says who the visitor is and what was asked of whom
// (RFC 7239, and the fields from before it). What visitors say about
// themselves is replaced. A trusted proxy in front has said it already, and
// is added to its own list.
func appendForwarded(out []byte, x *exchange.Exchange) []byte {
	proto := protoHTTP
	if x.Event.Secure {
		proto = protoHTTPS
	}
	if x.ForwardedByTrusted && x.Fields.Has(wire.XForwardedFor) {
		out = appendList(out, x, wire.XForwardedFor)
		out = x.Peer.Addr().AppendTo(out)
	} else {
		out = append(append(out, wire.XForwardedFor.Text()...), ':', ' ')
		out = x.Client.Addr().AppendTo(out)
	}
	out = append(out, '\r', '\n')
	out = appendOurs(out, x, wire.XForwardedHost, x.Hostport)
	out = appendOurs(out, x, wire.XForwardedProto, proto)
	by := x.Client.Addr()
	if x.ForwardedByTrusted && x.Fields.Has(wire.Forwarded) {
		out = appendList(out, x, wire.Forwarded)
		by = x.Peer.Addr()
	} else {
		out = append(append(out, wire.Forwarded.Text()...), ':', ' ')
	}
	return appendElement(out, by, x.Hostport, proto)
}

// appendElement writes one element of Forwarded (RFC 7239, 4).
func appendElement(out []byte, client netip.Addr, host, proto []byte) []byte {
	out = append(out, "for="...)
	out = forwarded.AppendFor(out, client)
	if len(host) > 0 {
		quoted := bytes.IndexByte(host, ':') >= 0 || host[0] == '['
		out = append(out, ";host="...)
		if quoted {
			out = append(out, '"')
		}
		out = append(out, host...)
		if quoted {
			out = append(out, '"')
		}
	}
	out = append(out, ";proto="...)
	out = append(out, proto...)
	return append(out, '\r', '\n')
}

// appendOurs writes a field with our value, unless a trusted proxy in front
// has said more.
func appendOurs(out []byte, x *exchange.Exchange, name wire.Name, value []byte) []byte {
	if said, found := x.Fields.Get(name); found && x.ForwardedByTrusted {
		value = said
	}
	out = append(append(out, name.Text()...), ':', ' ')
	return append(append(out, value...), '\r', '\n')
}

// appendList writes a list field up to where our own element goes.
func appendList(out []byte, x *exchange.Exchange, name wire.Name) []byte {
	out = append(append(out, name.Text()...), ':', ' ')
	for i := x.Fields.Next(name, -1); i >= 0; i = x.Fields.Next(name, i) {
		if len(x.Fields.Value(i)) > 0 {
			out = append(append(out, x.Fields.Value(i)...), ',', ' ')
		}
	}
	return out
}

// appendFraming adds what concerns this connection and this body alone.
func (r *Response) appendFraming(out []byte, x *exchange.Exchange) []byte {
	switch {
	case x.Body == nil:
		// Methods for which a body is usual say that there is none (RFC 9110, 8.6).
		if x.Method == exchange.MethodPost || x.Method == exchange.MethodPut || x.Method == exchange.MethodPatch {
			out = append(out, "Content-Length: 0\r\n"...)
		}
	case x.Length >= 0:
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, x.Length, 10)
		out = append(out, '\r', '\n')
	default:
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	if x.ExpectContinue {
		out = append(out, "Expect: 100-continue\r\n"...)
	}
	if r.upgrade = Switches(x); r.upgrade {
		out = append(out, "Connection: Upgrade\r\n"...)
		for i := x.Fields.Next(wire.Upgrade, -1); i >= 0; i = x.Fields.Next(wire.Upgrade, i) {
			out = appendField(out, x.Fields, i)
		}
	}
	if hops, ok := x.Fields.Get(wire.MaxForwards); ok && limitsHops(x) {
		if n, err := strconv.Atoi(string(hops)); err == nil && n > 0 {
			out = append(out, "Max-Forwards: "...)
			out = strconv.AppendInt(out, int64(n-1), 10)
			out = append(out, '\r', '\n')
		}
	}
	return out
}

// Switches reports whether a request offers the server another protocol.
func Switches(x *exchange.Exchange) bool { return x.Upgrade && x.Body == nil && mayUpgrade(x.Fields) }

// mayUpgrade reports whether there is an upgrade to pass on. One to cleartext
// HTTP/2 is not: requests on that connection would pass the ladder by.
func mayUpgrade(f *wire.Fields) bool {
	for i := f.Next(wire.Upgrade, -1); i >= 0; i = f.Next(wire.Upgrade, i) {
		if wire.HasToken(f.Value(i), []byte("h2c")) {
			return false
		}
	}
	return f.Has(wire.Upgrade)
}

// limitsHops reports whether Max-Forwards means something for the request's
// method (RFC 9110, 7.6.2).
func limitsHops(x *exchange.Exchange) bool {
	return x.Method == exchange.MethodOptions || x.Method == exchange.MethodTrace
}

func appendField(out []byte, f *wire.Fields, i int) []byte {
	out = append(out, f.Name(i)...)
	out = append(out, ':', ' ')
	out = append(out, f.Value(i)...)
	return append(out, '\r', '\n')
}

// nominated reports whether a Connection field names this one. Only names
// that are not in our table are asked about: nobody may have Cookie or
// Authorization removed on the way by naming it.
func nominated(f *wire.Fields, name []byte) bool {
	for i := f.Next(wire.Connection, -1); i >= 0; i = f.Next(wire.Connection, i) {
		if wire.HasToken(f.Value(i), name) {
			return true
		}
	}
	return false
}
