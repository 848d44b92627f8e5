package resolve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

func TestCache_livesAsLongAsTheSmallestTTL(t *testing.T) {
	for name, want := range map[string]time.Duration{
		"plain": 300 * time.Second,
		"chain": 20 * time.Second, // the alias in the middle
		"last":  10 * time.Second,
		"mixed": 40 * time.Second, // of both families
		"zero":  time.Second,
		"huge":  time.Hour,
		"minus": time.Hour, // RFC 8767, 4
	} {
		s := newServer(t,
			"plain.example.test. 300 A 192.0.2.1",
			"chain.example.test. 300 CNAME a.example.test.", "a.example.test. 20 CNAME plain.example.test.",
			"last.example.test. 300 CNAME short.example.test.", "short.example.test. 10 A 192.0.2.1",
			"mixed.example.test. 300 A 192.0.2.1", "mixed.example.test. 40 AAAA 2001:db8::1",
			"zero.example.test. 0 A 192.0.2.1",
			"huge.example.test. 2147483647 A 192.0.2.1",
			"minus.example.test. 4294967295 A 192.0.2.1")
		story(t, s, Config{}, func(t *testing.T, r *Resolver) {
			answer, err := r.Lookup(t.Context(), name+".example.test")
			if err != nil || answer.Source != "dns" || answer.Stale || !answer.Expires.Equal(time.Now().Add(want)) {
				t.Errorf("%s: got %+v, %v, lives %s, want %s", name, answer, err, time.Until(answer.Expires), want)
			}
		})
	}
	s := newServer(t, "a.example.test. 1 A 192.0.2.1", "b.example.test. 999 A 192.0.2.1")
	story(t, s, Config{Floor: 5 * time.Second, Ceiling: time.Minute}, func(t *testing.T, r *Resolver) {
		for name, want := range map[string]time.Duration{"a": 5 * time.Second, "b": time.Minute} {
			if answer, err := r.Lookup(t.Context(), name+".example.test"); err != nil || !answer.Expires.Equal(time.Now().Add(want)) {
				t.Errorf("%s lives %s (%v), want %s", name, time.Until(answer.Expires), err, want)
			}
		}
	})
}

func TestCache_goesByTheClockItIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "www.example.test. 60 A 192.0.2.1")
		now := time.Now()
		r := newResolver(t, Config{Servers: []string{firstServer}, Now: func() time.Time { return now }}, network{firstServer: s})
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		s.put(t, "www.example.test. 60 A 192.0.2.2")
		now = now.Add(50 * time.Second)
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		now = now.Add(10 * time.Second)
		answer, err := r.Lookup(t.Context(), "www.example.test")
		want(t, show(answer), "192.0.2.2")
		if err != nil || !answer.Expires.Equal(now.Add(time.Minute)) {
			t.Errorf("ends %s, want a minute after %s (%v)", answer.Expires, now, err)
		}
	})
}

func TestCache_asksOnceForManyCallers(t *testing.T) {
	s := dualServer(t)
	s.late[dns.TypeA] = 100 * time.Millisecond
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if answer, err := r.Lookup(t.Context(), "www.example.test"); err != nil || len(answer.Addrs) != 3 {
					t.Errorf("got %v, %v", answer, err)
				}
			})
		}
		callers.Wait()
		wantCount(t, s, "", 2)
	})
}

func TestCache_releasesOnlyTheCallerWhoLeaves(t *testing.T) {
	s := dualServer(t)
	s.late[dns.TypeA], s.late[dns.TypeAAAA] = 800*time.Millisecond, 800*time.Millisecond
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		began := time.Now()
		hurry, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		stays := make(chan string)
		go func() {
			_, err := r.Lookup(hurry, "www.example.test")
			var problem *NameError
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &problem) || problem.NotFound || time.Since(began) != 100*time.Millisecond {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
		}()
		synctest.Wait() // the one in a hurry is the one who asked first
		go func() {
			answer, _ := r.Lookup(t.Context(), "www.example.test")
			stays <- show(answer)
		}()
		want(t, <-stays, "2001:db8::1 192.0.2.1 192.0.2.2")
		wantCount(t, s, "", 2)
	})
}

func TestCache_keepsTheLastAnswerWhileServersAreAway(t *testing.T) {
	log := new(logbook)
	s := newServer(t, "www.example.test. 60 A 192.0.2.1")
	story(t, s, Config{Logger: log.logger()}, func(t *testing.T, r *Resolver) {
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		s.change(func() { s.silent = true })
		<-time.After(50 * time.Second)
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		<-time.After(9 * time.Second) // the refresh failed, the time is not up
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		<-time.After(time.Second)
		before := s.count("udp A ")
		for range 100 { // 100 seconds, in which nobody waits
			began := time.Now()
			answer, err := r.Lookup(t.Context(), "www.example.test")
			if err != nil || show(answer) != "stale 192.0.2.1" || time.Since(began) != 0 {
				t.Fatalf("got %v, %v after %s", answer, err, time.Since(began))
			}
			<-time.After(time.Second)
		}
		// Two seconds of asking (two rounds) and five of rest.
		if n := (s.count("udp A ") - before) / rounds; n < 10 || n > 100/5 {
			t.Errorf("asked %d times", n)
		}
		s.put(t, "www.example.test. 60 A 192.0.2.2") // first: a question may be under way
		s.change(func() { s.silent = false })
		<-time.After(2*time.Second + retryEvery) // the last failure may be two seconds ahead
		lookup(t, r, "www.example.test")         // stale, and asks in the background
		synctest.Wait()
		want(t, lookup(t, r, "www.example.test"), "192.0.2.2")
		if kept, again := log.count("no server answers"), log.count("resolves again"); kept != 1 || again != 1 {
			t.Errorf("told %d times that it is kept and %d times that it resolves again", kept, again)
		}
	})
}

func TestCache_answersStaleRatherThanSlowly(t *testing.T) {
	s := newServer(t, "www.example.test. 60 A 192.0.2.1")
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		<-time.After(10 * time.Minute)
		s.change(func() { s.late[dns.TypeA] = 900 * time.Millisecond })
		s.put(t, "www.example.test. 60 A 192.0.2.2")
		began := time.Now()
		want(t, lookup(t, r, "www.example.test"), "stale 192.0.2.1")
		if waited := time.Since(began); waited != 500*time.Millisecond {
			t.Errorf("waited for %s", waited)
		}
		hurry, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if answer, err := r.Lookup(hurry, "www.example.test"); err != nil || !answer.Stale {
			t.Errorf("in a hurry: %v, %v", answer, err)
		}
		<-time.After(time.Second)
		want(t, lookup(t, r, "www.example.test"), "192.0.2.2")
	})
}

func TestCache_keepsTheLastAnswerForAnHourWhenTheNameIsGone(t *testing.T) {
	for _, types := range [][]string{{"www.example.test. A"}, {"www.example.test. A", "www.example.test. TXT"}} {
		log := new(logbook)
		s := newServer(t, "www.example.test. 60 A 192.0.2.1", "www.example.test. 60 TXT x")
		story(t, s, Config{Logger: log.logger()}, func(t *testing.T, r *Resolver) {
			want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
			s.drop(types...)
			<-time.After(61 * time.Second) // the refresh was told seven seconds ago
			for range 3500 / 10 {
				want(t, lookup(t, r, "www.example.test"), "stale 192.0.2.1")
				<-time.After(10 * time.Second)
			}
			if n := s.count("udp A "); n < 80 || n > 3500/30+2 { // the SOA says 30 seconds
				t.Errorf("asked %d times", n)
			}
			if n := log.count("a name is gone;"); n != 1 {
				t.Errorf("told %d times that the name is gone", n)
			}
			s.change(func() { s.silent = true }) // an hour is an hour
			<-time.After(100 * time.Second)
			wantError(t, r, "www.example.test", false)
			s.change(func() { s.silent = false })
			<-time.After(10 * time.Second)
			wantError(t, r, "www.example.test", true)
			if n := log.count("given up"); n != 1 {
				t.Errorf("told %d times that the name is given up", n)
			}
		})
	}
}

func TestCache_takesANameBackThatWasGone(t *testing.T) {
	log := new(logbook)
	s := newServer(t, "www.example.test. 60 A 192.0.2.1")
	story(t, s, Config{Logger: log.logger()}, func(t *testing.T, r *Resolver) {
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		s.drop("www.example.test. A")
		<-time.After(5 * time.Minute)
		want(t, lookup(t, r, "www.example.test"), "stale 192.0.2.1")
		s.put(t, "www.example.test. 60 A 192.0.2.2")
		<-time.After(time.Minute)
		lookup(t, r, "www.example.test")
		synctest.Wait()
		want(t, lookup(t, r, "www.example.test"), "192.0.2.2")
		if n := log.count("resolves again"); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

func TestCache_refreshesWhatIsUsedBeforeItEnds(t *testing.T) {
	s := newServer(t, "www.example.test. 100 A 192.0.2.1")
	s.late[dns.TypeA] = 300 * time.Millisecond
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		<-time.After(90*time.Second - 1)
		wantCount(t, s, "udp A ", 1)
		<-time.After(1)
		synctest.Wait()
		wantCount(t, s, "udp A ", 2)
		lookup(t, r, "www.example.test")
		for i := range 20 {
			<-time.After(99 * time.Second)
			began := time.Now()
			lookup(t, r, "www.example.test")
			if waited := time.Since(began); waited != 0 {
				t.Fatalf("a visitor waited for %s", waited)
			}
			if i == 10 {
				s.put(t, "www.example.test. 100 A 192.0.2.2")
			}
		}
		want(t, lookup(t, r, "www.example.test"), "192.0.2.2")
		before := s.count("udp A ")
		<-time.After(time.Hour)
		if n := s.count("udp A ") - before; n > 2 {
			t.Errorf("asked %d times for a name that nobody wants", n)
		}
	})
}

func TestCache_refreshesForWhoComesInTheLastTenth(t *testing.T) {
	s := newServer(t, "www.example.test. 100 A 192.0.2.1")
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		lookup(t, r, "www.example.test")
		<-time.After(185 * time.Second)
		wantCount(t, s, "udp A ", 2) // after 90 seconds; after 180 nobody had asked for long
		s.change(func() { s.late[dns.TypeA] = 300 * time.Millisecond })
		for range 10 {
			began := time.Now()
			lookup(t, r, "www.example.test")
			if waited := time.Since(began); waited != 0 {
				t.Errorf("a visitor waited for %s", waited)
			}
			<-time.After(100 * time.Millisecond)
		}
		wantCount(t, s, "udp A ", 3)
	})
}

func TestCache_remembersThatANameDoesNotExist(t *testing.T) {
	for _, c := range []struct {
		soa  string
		want time.Duration
	}{
		{soa, 30 * time.Second},
		{"example.test. 7 IN SOA ns.example.test. root.example.test. 1 3600 600 86400 30", 7 * time.Second},
		{"example.test. 300 IN SOA ns.example.test. root.example.test. 1 3600 600 86400 0", 5 * time.Second},
		{"example.test. 86400 IN SOA ns.example.test. root.example.test. 1 3600 600 86400 86400", time.Minute},
	} {
		s := newServer(t, c.soa, "empty.example.test. 60 TXT x")
		story(t, s, Config{}, func(t *testing.T, r *Resolver) {
			if err := wantError(t, r, "gone.example.test", true); !errors.Is(err, errNoName) {
				t.Errorf("got %v", err)
			}
			if err := wantError(t, r, "empty.example.test", true); !errors.Is(err, errNoAddress) {
				t.Errorf("got %v", err)
			}
			s.put(t, "gone.example.test. 60 A 192.0.2.1", "empty.example.test. 60 A 192.0.2.1")
			<-time.After(c.want - 1)
			wantError(t, r, "gone.example.test", true)
			wantError(t, r, "empty.example.test", true)
			<-time.After(1)
			want(t, lookup(t, r, "gone.example.test"), "192.0.2.1")
			want(t, lookup(t, r, "empty.example.test"), "192.0.2.1")
		})
	}
	s := newServer(t)
	s.drop("example.test. SOA")
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		for range 4 {
			wantError(t, r, "gone.test", true)
			<-time.After(2 * time.Second)
		}
		wantCount(t, s, "", 4) // twice for both families: after 0 and 6 seconds
	})
}

func TestCache_forgetsTheNameThatNobodyAskedForLongest(t *testing.T) {
	var lines []string
	for i := range 5 {
		lines = append(lines, fmt.Sprintf("n%d.example.test. 60 A 192.0.2.%d", i, i))
	}
	s := newServer(t, lines...)
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		r.limit = 3
		for _, name := range []string{"n0", "n1", "n2", "n0", "n3", "n4"} {
			lookup(t, r, name+".example.test")
		}
		if len(r.names) != 3 || r.order.Len() != 3 {
			t.Errorf("%d names, %d in order", len(r.names), r.order.Len())
		}
		wantCount(t, s, "udp A ", 5)
		lookup(t, r, "n0.example.test") // was asked for since
		wantCount(t, s, "udp A ", 5)
		lookup(t, r, "n1.example.test")
		wantCount(t, s, "udp A ", 6)
		before := s.count("udp A ")
		<-time.After(55 * time.Second) // those forgotten are not refreshed
		wantCount(t, s, "udp A ", before+3)
	})
}

func TestCache_dropsALateFamilyWhenSomethingNewerCame(t *testing.T) {
	s := dualServer(t)
	s.put(t, "www.example.test. 1 A 192.0.2.1", "www.example.test. 1 AAAA 2001:db8::1")
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		s.late[dns.TypeAAAA] = 990 * time.Millisecond
		lookup(t, r, "www.example.test")     // without the late one, after 50 ms
		<-time.After(850 * time.Millisecond) // the refresh is due 50 ms from here
		s.change(func() { s.late[dns.TypeAAAA] = 0 })
		s.put(t, "www.example.test. 1 A 192.0.2.1", "www.example.test. 1 AAAA 2001:db8::2")
		<-time.After(95 * time.Millisecond)
		want(t, lookup(t, r, "www.example.test"), "2001:db8::2 192.0.2.1")
	})
}
