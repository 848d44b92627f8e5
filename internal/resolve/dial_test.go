package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// track is what a fake address does: it fails or connects after a while.
type track struct {
	after time.Duration
	err   error
	deaf  bool // goes on when its context ends
}

// conn is a connection that knows whether it was closed.
type conn struct {
	net.Conn
	closed atomic.Bool
}

func (c *conn) Close() error {
	c.closed.Store(true)
	return nil
}

// course is a fake network to dial on. Addresses that it lacks hang.
type course struct {
	tracks map[string]track
	began  map[string]time.Duration // when an attempt started
	order  []string
	conns  map[string]*conn
	start  time.Time
	calls  chan struct{} // a lock
}

func newCourse(tracks map[string]track) *course {
	return &course{tracks: tracks, began: map[string]time.Duration{}, conns: map[string]*conn{}, start: time.Now(), calls: make(chan struct{}, 1)}
}

func (c *course) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	name := to.Addr().String()
	c.calls <- struct{}{}
	c.began[name] = time.Since(c.start)
	c.order = append(c.order, name)
	<-c.calls
	t, ok := c.tracks[name]
	if !ok {
		t.after = 24 * time.Hour
	}
	done := ctx.Done()
	if t.deaf {
		done = nil
	}
	select {
	case <-time.After(t.after):
	case <-done:
		return nil, ctx.Err()
	}
	if t.err != nil {
		return nil, t.err
	}
	c.calls <- struct{}{}
	defer func() { <-c.calls }()
	c.conns[name] = new(conn)
	return c.conns[name], nil
}

func addresses(list string) (addrs []netip.Addr) {
	for text := range strings.FieldsSeq(list) {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs
}

var errRefused = errors.New("connection refused")

func TestDial_triesTheNextAddressInTime(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name, addrs string
		tracks      map[string]track
		winner      string
		after       time.Duration
		order       string
	}{
		{"the first answers", "192.0.2.1 2001:db8::1", map[string]track{"2001:db8::1": {after: 20 * ms}}, "2001:db8::1", 20 * ms, "2001:db8::1"},
		{"the first is dead", "2001:db8::1 192.0.2.1", map[string]track{"2001:db8::1": {err: errRefused}, "192.0.2.1": {after: ms}}, "192.0.2.1", ms, "2001:db8::1 192.0.2.1"},
		{"the first dies later", "2001:db8::1 192.0.2.1", map[string]track{"2001:db8::1": {after: 100 * ms, err: errRefused}, "192.0.2.1": {after: ms}}, "192.0.2.1", 101 * ms, "2001:db8::1 192.0.2.1"},
		{"the first hangs", "2001:db8::1 192.0.2.1", map[string]track{"192.0.2.1": {after: 10 * ms}}, "192.0.2.1", 260 * ms, "2001:db8::1 192.0.2.1"},
		{"the first is slow and wins", "2001:db8::1 192.0.2.1", map[string]track{"2001:db8::1": {after: 300 * ms}, "192.0.2.1": {after: 100 * ms}}, "2001:db8::1", 300 * ms, "2001:db8::1 192.0.2.1"},
		{"a failure begins the wait anew", "2001:db8::1 2001:db8::2 192.0.2.1", map[string]track{"2001:db8::1": {after: 200 * ms, err: errRefused}, "2001:db8::2": {}}, "2001:db8::2", 450 * ms, "2001:db8::1 192.0.2.1 2001:db8::2"},
		{"the families take turns", "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1 2001:db8::2 192.0.2.3 ::ffff:192.0.2.2", map[string]track{
			"192.0.2.1": {err: errRefused}, "192.0.2.2": {err: errRefused}, "192.0.2.3": {}, "2001:db8::1": {err: errRefused}, "2001:db8::2": {err: errRefused},
		}, "192.0.2.3", 0, "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 192.0.2.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				course := newCourse(c.tracks)
				conn, to, err := Dial(t.Context(), addresses(c.addrs), 443, course.dial)
				if err != nil {
					t.Fatal(err)
				}
				want(t, to.String(), netip.AddrPortFrom(netip.MustParseAddr(c.winner), 443).String())
				if after := time.Since(course.start); after != c.after {
					t.Errorf("took %s, want %s", after, c.after)
				}
				synctest.Wait() // the others have noticed
				want(t, strings.Join(course.order, " "), c.order)
				if conn != course.conns[c.winner] || course.conns[c.winner].closed.Load() {
					t.Error("the winner's connection is another one, or closed")
				}
			})
		})
	}
}

func TestDial_closesLosersThatConnectAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		course := newCourse(map[string]track{
			"2001:db8::1": {after: time.Second, deaf: true},
			"192.0.2.1":   {after: 100 * time.Millisecond},
		})
		_, to, err := Dial(t.Context(), addresses("2001:db8::1 192.0.2.1"), 80, course.dial)
		if err != nil || to.String() != "192.0.2.1:80" {
			t.Fatalf("got %s, %v", to, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if loser := course.conns["2001:db8::1"]; loser == nil || !loser.closed.Load() {
			t.Error("the loser's connection is open")
		}
		if course.conns["192.0.2.1"].closed.Load() {
			t.Error("the winner's connection is closed")
		}
	})
}

func TestDial_namesEveryAddressWhenAllAreDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := errors.New("reset")
		course := newCourse(map[string]track{"2001:db8::1": {err: errRefused}, "192.0.2.1": {err: reset, after: time.Second}})
		conn, _, err := Dial(t.Context(), addresses("2001:db8::1 192.0.2.1"), 80, course.dial)
		if conn != nil || !errors.Is(err, errRefused) || !errors.Is(err, reset) {
			t.Fatalf("got %v, %v", conn, err)
		}
		want(t, err.Error(), "[2001:db8::1]:80: connection refused\n192.0.2.1:80: reset")
	})
}

func TestDial_triesEightAddressesAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		course := newCourse(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		list := "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5 2001:db8::6 2001:db8::7 2001:db8::8 2001:db8::9 192.0.2.1 192.0.2.2"
		if _, _, err := Dial(ctx, addresses(list), 80, course.dial); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		want(t, strings.Join(course.order, " "), "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3 2001:db8::4 2001:db8::5 2001:db8::6")
		if began := course.began["2001:db8::6"]; began != 7*stagger {
			t.Errorf("the last began after %s", began)
		}
	})
}

func TestDial_endsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		course := newCourse(map[string]track{"2001:db8::1": {err: errRefused}, "192.0.2.1": {after: 2 * time.Second, deaf: true}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := Dial(ctx, addresses("2001:db8::1 192.0.2.1"), 80, course.dial)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "192.0.2.1:80: context") || time.Since(course.start) != time.Second {
			t.Errorf("got %v after %s", err, time.Since(course.start))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if late := course.conns["192.0.2.1"]; late == nil || !late.closed.Load() {
			t.Error("a connection that came too late is open")
		}
		cancel()
		course.order = nil
		_, _, err = Dial(ctx, addresses("2001:db8::1"), 80, course.dial)
		synctest.Wait()
		if err == nil || len(course.order) != 0 {
			t.Errorf("a caller who left before: %v, tried %v", err, course.order)
		}
	})
}

func TestDial_hasNowhereToGo(t *testing.T) {
	if _, _, err := Dial(t.Context(), nil, 80, nil); err == nil {
		t.Error("connected to nothing")
	}
}
