package exchange

import (
	"net/netip"

	"github.com/seawall-edge/seawall/internal/wire"
)

// Asking is what the origin is asked in place of the request's own
// conditions and range (RFC 9111, 4.3.1). Its slices belong to whoever set it
// and outlive the asking.
type Asking struct {
	Instead   bool     // what follows counts; the request's own fields do not
	Tags      [][]byte // for If-None-Match
	Modified  []byte   // for If-Modified-Since
	Range     []byte   // for Range
	Condition []byte   // for If-Range
}

// Replaces reports whether a field of the request gives way to what is asked
// instead.
func (a *Asking) Replaces(name wire.Name) bool {
	switch name {
	case wire.IfNoneMatch, wire.IfModifiedSince, wire.Range, wire.IfRange:
		return a.Instead
	}
	return false
}

// Alone returns a request like x that belongs to no visitor and no
// connection: it shares no memory with x and nobody waits for its answer. Its
// method is GET, or HEAD where x has that; it has no body.
func (x *Exchange) Alone() *Exchange {
	alone := &Exchange{
		Client: x.Client, Peer: x.Peer, ForwardedByTrusted: x.ForwardedByTrusted, Bare: x.Bare,
		Method: x.Method, MethodName: append([]byte(nil), x.MethodName...), Minor: x.Minor, Nominates: x.Nominates,
		Host: append([]byte(nil), x.Host...), Hostport: append([]byte(nil), x.Hostport...),
		Target: append([]byte(nil), x.Target...), Path: append([]byte(nil), x.Path...), Decoded: append([]byte(nil), x.Decoded...),
		Fields: &wire.Fields{}, Out: Nobody{},
	}
	for i := range x.Fields.Len() {
		alone.Fields.Add(x.Fields.Known(i), x.Fields.Name(i), x.Fields.Value(i))
	}
	alone.Event.Time, alone.Event.ID, alone.Event.Secure = x.Event.Time, x.Event.ID, x.Event.Secure
	alone.Event.Client = x.Event.Client
	return alone
}

// Nobody is the Stream of a request that no visitor waits for: it takes
// everything and is never gone.
type Nobody struct{}

// Interim implements Stream.
func (Nobody) Interim(int, *wire.Fields) error { return nil }

// Begin implements Stream.
func (Nobody) Begin(*Answer) error { return nil }

// Write implements Stream.
func (Nobody) Write([]byte) error { return nil }

// Flush implements Stream.
func (Nobody) Flush() error { return nil }

// End implements Stream.
func (Nobody) End(*wire.Fields) error { return nil }

// Abort implements Stream.
func (Nobody) Abort() {}

// Tunnel implements Stream; nobody asked for one.
func (Nobody) Tunnel(_ *Answer, peer Peer, _ []byte) (in, out int64, err error) {
	return 0, 0, peer.Close()
}

// Sent implements Stream.
func (Nobody) Sent() int64 { return 0 }

// Begun implements Stream.
func (Nobody) Begun() bool { return false }

// Gone implements Stream.
func (Nobody) Gone() bool { return false }

// Ended implements Stream.
func (Nobody) Ended() bool { return false }

// Local implements Stream.
func (Nobody) Local() netip.AddrPort { return netip.AddrPort{} }

// Received implements Stream.
func (Nobody) Received() int64 { return 0 }
