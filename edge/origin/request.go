package origin

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/wire"
)

// continueWait is how long an origin may take to say "100 Continue" before
// the body is sent all the same (RFC 9110, 10.1.1).
const continueWait = time.Second

// RoundTrip sends the request and returns the head of its answer. The caller
// closes the Response. An error is an *Error, or says by its own Reason
// method what was wrong with the request's body.
func (p *Pool) RoundTrip(x *exchange.Exchange) (*Response, error) {
	r := responses.Get().(*Response)
	r.begin(p, x)
	r.appendHead(x)
	var ready []byte
	whole := x.Body == nil
	if !whole && !x.ExpectContinue {
		ready, whole = x.Body.Ready()
	}
	for fresh := false; ; fresh = true {
		conn, reused, err := p.take(fresh)
		if err != nil {
			r.recycle()
			return nil, err
		}
		r.conn = conn
		err = r.ask(x, ready, whole)
		if err == nil {
			return r, nil
		}
		// An idle connection may be closed by the origin just as we use it.
		// Nothing came back and nothing of the body was taken that could not
		// be sent again: a request that may be repeated is (RFC 9112, 9.3.1).
		again := reused && whole && r.n == 0 && x.Method.Idempotent() && errors.Is(err, errNoAnswer)
		r.stopBody(x)
		conn.Abort()
		if again {
			continue
		}
		r.recycle()
		return nil, err
	}
}

// errNoAnswer marks a connection that ended before the first byte of an answer.
var errNoAnswer = errors.New("connection ended before an answer")

// ask sends the request on r.conn and reads the answer's head.
func (r *Response) ask(x *exchange.Exchange, ready []byte, whole bool) error {
	now := time.Now()
	if whole {
		if _, err := r.conn.WriteBoth(r.out, ready); err != nil {
			return r.noAnswer(err)
		}
		return r.readHead(x, now.Add(r.pool.config.FirstByteTimeout))
	}
	if _, err := r.conn.Write(r.out); err != nil {
		return r.noAnswer(err)
	}
	if x.ExpectContinue {
		err := r.readHead(x, now.Add(continueWait))
		switch {
		case err == nil && r.head.Status != 100:
			r.unfinished = true // the origin does not want the body, but was promised it
			return nil
		case err != nil && !r.waited(err):
			return err
		case err != nil:
			if err := x.Out.Interim(100, nil); err != nil {
				return err
			}
			r.invited = true
		}
	}
	r.pump(x)
	if err := r.readHead(x, time.Time{}); err != nil {
		return err
	}
	r.takeDeadlines()
	return nil
}

// waited reports whether err only means that no byte has come yet.
func (r *Response) waited(err error) bool {
	var problem *Error
	return errors.As(err, &problem) && problem.reason == seawall.ReasonOriginTimeout
}

func (r *Response) noAnswer(err error) error {
	return fail(seawall.ReasonOriginClosed, errors.Join(errNoAnswer, err))
}

var (
	version    = []byte(" HTTP/1.1\r\nHost: ")
	via10      = []byte("Via: 1.0 seawall\r\n")
	via11      = []byte("Via: 1.1 seawall\r\n")
	forFor     = []byte("X-Forwarded-For: ")
	forHost    = []byte("\r\nX-Forwarded-Host: ")
	forProto   = []byte("\r\nX-Forwarded-Proto: ")
	protoHTTP  = []byte("http\r\n")
	protoHTTPS = []byte("https\r\n")
)

// appendHead writes the request's head as the origin gets it (RFC 9110, 7.6).
func (r *Response) appendHead(x *exchange.Exchange) {
	host := x.Hostport
	out := append(r.out[:0], x.MethodName...)
	out = append(out, ' ')
	out = append(out, x.Target...)
	out = append(out, version...)
	if len(host) > 0 {
		out = append(out, host...)
	} else {
		out = append(out, r.pool.host...)
	}
	out = append(out, '\r', '\n')
	for i := range x.Fields.Len() {
		switch known := x.Fields.Known(i); known {
		case wire.Host, wire.ContentLength, wire.Expect,
			wire.XForwardedFor, wire.XForwardedHost, wire.XForwardedProto, wire.XRealIP, wire.Forwarded, wire.SeawallRequestID:
			// Ours to say. Visitors may write what they like into the forwarding
			// fields; no hop in front of this edge is trusted yet.
		case wire.MaxForwards:
			if !limitsHops(x) {
				out = appendField(out, x.Fields, i)
			}
		case wire.Trailer:
			if x.Body != nil && x.Length < 0 {
				out = appendField(out, x.Fields, i)
			}
		default:
			if known == wire.Other && imitates(x.Fields.Name(i)) {
				continue
			}
			if known.HopByHop() || known == wire.Other && x.Nominates && nominated(x.Fields, x.Fields.Name(i)) {
				continue
			}
			out = appendField(out, x.Fields, i)
		}
	}
	out = append(out, forFor...)
	out = x.Client.Addr().AppendTo(out)
	out = append(out, forHost...)
	out = append(out, host...)
	out = append(out, forProto...)
	if x.Event.Secure {
		out = append(out, protoHTTPS...)
	} else {
		out = append(out, protoHTTP...)
	}
	if x.Minor == 0 {
		out = append(out, via10...)
	} else {
		out = append(out, via11...)
	}
	r.out = append(r.appendFraming(out, x), '\r', '\n')
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
	if r.upgrade = x.Upgrade && x.Body == nil && mayUpgrade(x.Fields); r.upgrade {
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

// imitates reports whether a name is one of ours to applications that read
// "_" as "-", as those behind CGI and its heirs do.
func imitates(name []byte) bool {
	if bytes.IndexByte(name, '_') < 0 || len(name) > 32 {
		return false
	}
	var memory [32]byte
	return wire.Lookup(append(memory[:0], bytes.ReplaceAll(name, []byte("_"), []byte("-"))...)) != wire.Other
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

var _ transport = plain{(*sock.Conn)(nil)}
