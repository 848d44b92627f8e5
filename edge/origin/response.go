package origin

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/wire"
)

const (
	readBuffer = 32 << 10
	maxHead    = 64 << 10 // of an answer
	maxInterim = 32       // 1xx answers before the final one
)

var (
	responses   = sync.Pool{New: func() any { return &Response{sending: sending{out: make([]byte, 0, 2<<10)}} }}
	readBuffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}
)

// Response is an origin's answer. Its body is pulled with Next.
type Response struct {
	Answer exchange.Answer // Fields is this Response's own until Close

	group    *Group
	server   *server
	slot     slot // at the server, until Close
	conn     transport
	poolName string // where conn goes afterwards
	limit    *limit // of the whole request; nil: none
	x        *exchange.Exchange
	sending
	passedOn bool // the visitor got an interim answer

	in               []byte
	p, n             int // in[p:n] is received and not looked at
	head             wire.Response
	fields           wire.Fields // what the visitor gets, built
	chunked          wire.Chunked
	trailer          wire.Fields
	value, authority []byte // memory for what is rewritten

	framing   bodyFraming
	remaining int64
	ended     bool
}

// sending is the request on its way to the server.
type sending struct {
	out     []byte // its head
	upgrade bool   // it offers one
	asked   bool   // something of it may have reached the server
	invited bool   // the visitor was told 100 before the origin said it

	pumped     chan struct{} // closed when its body is sent; nil when there is no goroutine
	unfinished bool          // it was not sent whole
	cut        atomic.Bool   // likewise, as the goroutine found
	mu         sync.Mutex    // guards answered
	answered   bool          // the head of the answer is there; the goroutine sets no deadline any more

	writeErr atomic.Pointer[error] // why the server took no more of the body; stored before pumped is closed
	bodyErr  atomic.Pointer[error] // why the body could not be read; stored before the connection is aborted for it
}

type bodyFraming uint8

const (
	noBody bodyFraming = iota
	byLength
	byChunks
	byClose
)

func (r *Response) begin(g *Group, x *exchange.Exchange) {
	r.group, r.server, r.conn, r.x = g, nil, nil, x
	r.limit = newLimit(g.origin.TotalTimeout.Duration())
	r.in, r.p, r.n = readBuffers.Get().(*[readBuffer]byte)[:], 0, 0
	r.ended, r.upgrade, r.unfinished, r.invited = false, false, false, false
	r.passedOn, r.asked = false, false
	r.pumped = nil
	r.bodyErr.Store(nil)
	r.writeErr.Store(nil)
	r.cut.Store(false)
	r.chunked.Lenient = true
	r.chunked.Reset()
}

// giveBack gives the received bytes' memory back; a larger one is dropped.
func (r *Response) giveBack() {
	if len(r.in) == readBuffer {
		readBuffers.Put((*[readBuffer]byte)(r.in))
	}
	r.in, r.p, r.n = nil, 0, 0
}

func (r *Response) recycle() {
	r.giveBack()
	r.limit.stop()
	r.group, r.server, r.conn, r.x, r.limit, r.slot = nil, nil, nil, nil, nil, slot{}
	r.Answer.Fields = nil
	r.Answer.More.Clear()
	responses.Put(r)
}

// readHead reads until the head of a final answer, passing on 1xx ones. A
// zero deadline leaves the waiting to whoever sends the body.
func (r *Response) readHead(x *exchange.Exchange, deadline time.Time) error {
	for interim := 0; interim < maxInterim; {
		n, problem := r.head.Parse(r.in[r.p:r.n])
		if problem != wire.NoProblem {
			return r.blame(fail(seawall.ReasonOriginMalformed, problem))
		}
		if n == 0 {
			if err := r.more(deadline); err != nil {
				return r.blame(err)
			}
			continue
		}
		r.p += n
		status := r.head.Status
		switch {
		case status == 101:
			if !r.upgrade || !r.head.Upgrade || !offered(x.Fields, &r.head.Fields) {
				return fail(seawall.ReasonOriginMalformed, errors.New("switched to a protocol that was not offered"))
			}
			r.build(x)
			return nil
		case status == 100 && x.ExpectContinue && r.pumped == nil:
			r.build(x)
			r.passedOn = true
			return x.Out.Interim(100, &r.fields)
		case status == 100 && r.invited:
			interim++
		case status < 200:
			interim++
			r.build(x)
			r.passedOn = true
			if err := x.Out.Interim(status, &r.fields); err != nil {
				return err
			}
		default:
			r.build(x)
			r.frame(x)
			return nil
		}
	}
	return fail(seawall.ReasonOriginMalformed, errors.New("interim answers without end"))
}

// offered reports whether an answer's Upgrade names protocols, and none that
// the request did not (RFC 9110, 7.8).
func offered(request, answer *wire.Fields) bool {
	named, all := false, true
	for i := answer.Next(wire.Upgrade, -1); i >= 0; i = answer.Next(wire.Upgrade, i) {
		wire.EachElement(answer.Value(i), func(protocol []byte) bool {
			named = true
			found := false
			for j := request.Next(wire.Upgrade, -1); j >= 0 && !found; j = request.Next(wire.Upgrade, j) {
				found = wire.HasToken(request.Value(j), protocol)
			}
			all = all && found
			return all
		})
	}
	return named && all
}

// more reads further bytes of a head.
func (r *Response) more(deadline time.Time) error {
	if r.n == len(r.in) {
		switch {
		case r.p > 0:
			r.n = copy(r.in, r.in[r.p:r.n])
			r.p = 0
		case len(r.in) >= maxHead:
			return fail(seawall.ReasonOriginHeadTooLarge, errors.New("no end of the head"))
		default:
			r.in = append(r.in, make([]byte, len(r.in))...)
		}
	}
	n, err := r.read(r.in[r.n:], deadline)
	r.n += n
	switch {
	case err == nil || n > 0: // TLS 1.2 tells of the end together with the last bytes
		return nil
	case err == errVisitorGone:
		return err
	case sock.ErrTimeout(err):
		return fail(seawall.ReasonOriginTimeout, err)
	case r.n > r.p:
		return fail(seawall.ReasonOriginMalformed, fmt.Errorf("the head is cut short: %w", err))
	}
	return r.noAnswer(err)
}

// lookUp is how often a wait for the origin looks whether the visitor still waits.
const lookUp = time.Second

// errVisitorGone ends a wait for the origin that nobody waits for.
var errVisitorGone = fail(seawall.ReasonVisitorGone, errors.New("the visitor cut the connection"))

// read reads from the origin until a deadline, which is kept to within an
// eighth of a second. A zero one leaves the waiting to whoever sends the body.
func (r *Response) read(into []byte, deadline time.Time) (int, error) {
	var gone patience
	for {
		now := time.Now()
		next := now.Add(lookUp)
		if !deadline.IsZero() {
			left := deadline.Sub(now)
			_ = r.conn.ReadBefore(now.Add(min(left, lookUp)), min(left, lookUp)/8)
		}
		n, err := r.conn.Read(into)
		switch {
		case err == nil || deadline.IsZero() || !sock.ErrTimeout(err) || n > 0:
			return n, err
		case !deadline.After(next):
			return 0, err
		case gone.isOver(r.x.Out, now):
			return 0, errVisitorGone
		}
	}
}

// blame names the request's body where that was what ended the connection.
func (r *Response) blame(err error) error {
	if fault := r.bodyErr.Load(); fault != nil {
		return *fault
	}
	return r.limit.blame(err)
}

var viaName = []byte("1.1 seawall")

// build makes the fields that the visitor gets: without those of this
// connection and without framing, which the visitor's protocol has its own of.
func (r *Response) build(x *exchange.Exchange) {
	from, to := &r.head.Fields, &r.fields
	to.Clear()
	dated := false
	bare := x.Bare // the operator looks whether what follows is to blame
	for i := range from.Len() {
		known := from.Known(i)
		switch {
		case known == wire.Upgrade && (r.head.Status == 101 || r.head.Status == 426):
			to.AddKnown(wire.Connection, wire.Upgrade.Text())
		case known.HopByHop(), known == wire.ContentLength, known == wire.SeawallRequestID,
			known == wire.Other && r.head.Nominates && nominated(from, from.Name(i)),
			!bare && (known.ForCaches() || !r.group.fields.answers(known, from.Name(i))):
			continue
		case known == wire.Date:
			dated = true
		}
		value := from.Value(i)
		if !bare && !r.group.fields.keepURLs {
			value = r.rewrite(known, value)
		}
		to.Add(known, from.Name(i), value)
	}
	if r.head.Status >= 200 {
		to.AddKnown(wire.Via, viaName)
		if !dated {
			// RFC 9110, 6.6.1: a recipient with a clock adds what is missing.
			var date [32]byte
			to.AddKnown(wire.Date, time.Unix(0, x.Event.Time).UTC().AppendFormat(date[:0], http.TimeFormat))
		}
	}
	r.Answer.Status, r.Answer.Fields, r.Answer.Length, r.Answer.Close = r.head.Status, to, -1, false
	r.Answer.More.Clear()
}

// Said returns the answer's fields as the origin sent them, those for caches
// alone included. They are gone once the body is read on.
func (r *Response) Said() *wire.Fields { return &r.head.Fields }

// Buffered reports whether the whole rest of the body is here already.
func (r *Response) Buffered() bool {
	return r.ended || r.framing == noBody || r.framing == byLength && int64(r.n-r.p) >= r.remaining
}

// Spoil says that the answer makes no sense where it came: its connection is
// not used again.
func (r *Response) Spoil() { r.unfinished = true }

// Detach lets the answer live on without the visitor that has asked: from
// here on nothing of x is looked at, and nobody's leaving ends it. The
// request must be without a body.
func (r *Response) Detach() {
	alone := &exchange.Exchange{Client: r.x.Client, Method: r.x.Method, Out: exchange.Nobody{}}
	r.x = alone
}

// Tunnel hands over the connection after a 101, with the bytes that came
// with it. The Response is closed all the same, later.
func (r *Response) Tunnel() (peer exchange.Peer, early []byte) {
	r.limit.stop()
	_ = r.conn.Resume()
	early = bytes.Clone(r.in[r.p:r.n])
	r.giveBack() // a tunnel may be open for days
	r.out = nil
	return r.conn, early
}

// Close keeps the connection if it is in order, and ends it otherwise.
func (r *Response) Close() {
	r.stopBody(r.x)
	r.limit.stop()
	conn := r.conn
	inOrder := r.Answer.Status != 101 && (r.ended || r.framing == noBody || r.framing == byLength && r.remaining == 0) &&
		r.p == r.n && r.head.KeepAlive && r.framing != byClose && !r.unfinished && !r.cut.Load()
	switch {
	case inOrder:
		r.server.pool.put(conn, r.poolName)
	case r.ended:
		_ = conn.Close()
	default:
		conn.Abort()
	}
	r.group.release(r.slot)
	r.recycle()
}
