package origin

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
)

const (
	// continueWait is how long an origin may take to say "100 Continue" before
	// the body is sent all the same (RFC 9110, 10.1.1).
	continueWait = time.Second
	// mostTries is how many servers are asked for one request.
	mostTries = 3
)

// RoundTrip sends the request and returns the head of its answer. The caller
// closes the Response. An error is an *Error, or says by its own Reason
// method what was wrong with the request's body.
func (g *Group) RoundTrip(x *exchange.Exchange) (*Response, error) {
	if g.Loops(x) {
		return nil, fail(seawall.ReasonLoop, errors.New("CDN-Loop names this edge and this zone"))
	}
	r := responses.Get().(*Response)
	r.begin(g, x)
	var ready []byte
	whole := x.Body == nil
	if !whole && !x.ExpectContinue {
		ready, whole = x.Body.Ready()
	}
	var c choice
	var last error
	for {
		got, err := g.acquire(x, &c, r.limit.until())
		if err == nil {
			r.server, r.slot = got.server, got
			x.Event.SetText(seawall.EventServer, got.server.label)
			r.appendHead(x)
			err = r.try(x, ready, whole)
			if err == nil {
				return r, nil
			}
			g.release(got)
		} else if err == errAllTried {
			err = last
		}
		err = r.limit.blame(err)
		if got.server == nil || !r.mayGoElsewhere(x, err) || len(c.tried)+1 == min(mostTries, len(g.servers)) {
			r.recycle()
			return nil, err
		}
		last = err
		c.tried, c.sticky = append(c.tried, got.server), nil
	}
}

// Loops reports whether the request has been in this zone of this edge before.
func (g *Group) Loops(x *exchange.Exchange) bool { return g.fields.loops(x.Fields) }

// try asks r.server, on an idle connection first.
func (r *Response) try(x *exchange.Exchange, ready []byte, whole bool) error {
	name, _ := r.server.serverName(x.Host)
	r.poolName = r.server.poolName(name, x)
	for fresh := false; ; fresh = true {
		reused, err := r.connect(x, fresh)
		if err != nil {
			r.judge(err)
			return err
		}
		err = r.ask(x, ready, whole)
		if err == nil {
			r.group.succeeded(r.slot)
			return nil
		}
		// An idle connection may be closed by the server just as we use it.
		// Nothing came back and nothing of the body was taken that could not
		// be sent again: a request that may be repeated is (RFC 9112, 9.3.1).
		again := reused && whole && r.n == 0 && x.Method.Idempotent() && errors.Is(err, errNoAnswer)
		r.stopBody(x)
		r.limit.hold(nil)
		r.conn.Abort()
		if again {
			continue
		}
		if !reused || !errors.Is(err, errNoAnswer) {
			r.judge(err)
		}
		return err
	}
}

// connect sets r.conn to an idle connection or a new one.
func (r *Response) connect(x *exchange.Exchange, fresh bool) (reused bool, err error) {
	r.asked = false
	s := r.server
	r.conn = nil
	if !fresh {
		if !s.literal {
			s.follow(time.Now())
		}
		r.conn = s.pool.take(r.poolName)
	}
	if reused = r.conn != nil; !reused {
		deadline := time.Now().Add(r.group.origin.ConnectTimeout.Duration())
		if until := r.limit.until(); !until.IsZero() && until.Before(deadline) {
			deadline = until
		}
		a := asker{client: x.Client, host: x.Host}
		if r.group.origin.ProxyProtocol {
			a.own = x.Out.Local()
		}
		if r.conn, err = s.open(a, deadline); err != nil {
			return false, err
		}
		if !s.secure && !r.conn.Quiet() { // in TLS there may be tickets
			ended := r.conn.Ended()
			r.conn.Abort()
			if ended { // a balancer without anybody behind it does that
				return false, r.noAnswer(errors.New("it ended at once"))
			}
			// An answer before the question belongs to nobody.
			return false, fail(seawall.ReasonOriginMalformed, errors.New("it spoke before it was asked"))
		}
	}
	if !r.limit.hold(r.conn) {
		r.conn.Abort()
		return reused, errTotal
	}
	return reused, nil
}

// poolName tells connections apart that are not the same for everybody: by
// the name TLS was made for, and by the visitor that a PROXY header named.
func (s *server) poolName(name string, x *exchange.Exchange) string {
	if s.group.origin.ProxyProtocol {
		return name + " " + x.Client.String()
	}
	return name
}

// judge tells the breaker about a failure that is the server's.
func (r *Response) judge(err error) {
	if r.limit.late() {
		return
	}
	var problem *Error
	if !errors.As(err, &problem) {
		return
	}
	switch problem.reason {
	case seawall.ReasonOriginName, seawall.ReasonOriginUnreachable, seawall.ReasonOriginConnectTimeout, seawall.ReasonOriginTLS,
		seawall.ReasonOriginTimeout, seawall.ReasonOriginClosed:
		r.group.failed(r.slot, problem, r.x.Client.Addr())
	}
}

// mayGoElsewhere reports whether another server may get the request: nothing
// of it reached this one, or it has no body, may be repeated, and nothing of
// an answer came. No visitor's order is placed twice.
func (r *Response) mayGoElsewhere(x *exchange.Exchange, err error) bool {
	var problem *Error
	if r.group.origin.NoRetry || r.passedOn || !errors.As(err, &problem) {
		return false
	}
	switch problem.reason {
	case seawall.ReasonOriginName, seawall.ReasonOriginUnreachable, seawall.ReasonOriginConnectTimeout,
		seawall.ReasonOriginTLS, seawall.ReasonOriginForbidden:
		return true // there was no connection that could have carried any of it
	case seawall.ReasonOriginClosed:
		return !r.asked || x.Body == nil && x.Method.Idempotent() && errors.Is(err, errNoAnswer)
	}
	return false
}

// errNoAnswer marks a connection that ended before the first byte of an answer.
var errNoAnswer = errors.New("connection ended before an answer")

// ask sends the request on r.conn and reads the answer's head.
func (r *Response) ask(x *exchange.Exchange, ready []byte, whole bool) error {
	r.p, r.n = 0, 0
	r.asked = true
	now := time.Now()
	if whole {
		if _, err := r.conn.WriteBoth(r.out, ready); err != nil {
			return r.noAnswer(err)
		}
		return r.readHead(x, now.Add(r.group.origin.FirstByteTimeout.Duration()))
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
			r.passedOn, r.invited = true, true
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
	return fail(seawall.ReasonOriginClosed, fmt.Errorf("%w: %w", errNoAnswer, err))
}

// limit cuts a request that takes longer in all than it may. A nil one sets
// no limit.
type limit struct {
	end   time.Time
	timer *time.Timer

	mu   sync.Mutex // guards what follows
	conn transport
	over bool
}

var errTotal = fail(seawall.ReasonOriginTotal, errors.New("the total timeout of the zone is over"))

func newLimit(total time.Duration) *limit {
	if total <= 0 {
		return nil
	}
	l := &limit{end: time.Now().Add(total)}
	l.timer = time.AfterFunc(total, l.cut)
	return l
}

func (l *limit) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.conn != nil {
		l.conn.Abort()
	}
}

// hold names the connection that is to be cut; it fails when it is too late.
func (l *limit) hold(conn transport) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	return !l.over
}

func (l *limit) until() time.Time {
	if l == nil {
		return time.Time{}
	}
	return l.end
}

func (l *limit) late() bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over || !time.Now().Before(l.end) // the timer may come a moment later
}

// blame names the limit where it is what made a request fail.
func (l *limit) blame(err error) error {
	if err != nil && l.late() {
		return errTotal
	}
	return err
}

// stop takes the limit off.
func (l *limit) stop() {
	if l != nil {
		l.timer.Stop()
		l.hold(nil)
	}
}
