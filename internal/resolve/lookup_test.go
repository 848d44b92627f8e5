package resolve

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLookup_readsLiteralsWithoutAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		r := newResolver(t, Config{Servers: []string{firstServer}}, network{firstServer: s})
		for name, addr := range map[string]string{
			"192.0.2.1":        "192.0.2.1",
			"2001:db8::1":      "2001:db8::1",
			"[2001:DB8::1]":    "2001:db8::1",
			"::ffff:192.0.2.1": "192.0.2.1",
			"fe80::1%eth0":     "fe80::1%eth0",
		} {
			answer, err := r.Lookup(t.Context(), name)
			if err != nil || show(answer) != addr || answer.Source != "literal" {
				t.Errorf("%s: got %v, %v, want %s", name, answer, err, addr)
			}
		}
		wantCount(t, s, "", 0)
	})
}

func TestLookup_refusesWhatIsNoName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		r := newResolver(t, Config{Servers: []string{firstServer}}, network{firstServer: s})
		for _, name := range []string{
			"", ".", "..", "a..b", ".a", "a b", "a/b", "a:80", "bücher.test", "a\x00b", "*.test", "127.1", "1", "0x7f.1", "a.0x7f", "0x",
			"a.1.", "[192.0.2.1]", "[", "[]", strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 127) + "test",
		} {
			if err := wantError(t, r, name, true); !errors.Is(err, errNotAName) {
				t.Errorf("%q: got %v", name, err)
			}
		}
		wantCount(t, s, "", 0)
	})
}

func TestLookup_prefersTheHostsFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "www.example.test. 60 A 192.0.2.1", "dns.example.test. 60 A 192.0.2.2")
		hosts := filepath.Join(t.TempDir(), "hosts")
		write(t, hosts, "# comment\n198.51.100.1\tWWW.example.test  www # and more\nnonsense www\n198.51.100.2 www.example.test.\n"+
			"2001:db8::9 www.EXAMPLE.test\n::ffff:198.51.100.1 www.example.test\n127.0.0.9")
		r := newResolver(t, Config{Servers: []string{firstServer}, Hosts: hosts}, network{firstServer: s})
		for _, name := range []string{"www.example.test", "Www.Example.TEST."} {
			answer, err := r.Lookup(t.Context(), name)
			if err != nil || answer.Source != "hosts" || answer.Stale || !answer.Expires.After(time.Now()) {
				t.Errorf("got %v, %v", answer, err)
			}
			want(t, show(answer), "2001:db8::9 198.51.100.1 198.51.100.2")
		}
		want(t, lookup(t, r, "www"), "198.51.100.1")
		wantCount(t, s, "", 0)
		want(t, lookup(t, r, "dns.example.test"), "192.0.2.2")
	})
}

func TestLookup_knowsLocalhostWithoutAnybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		hosts := filepath.Join(t.TempDir(), "hosts")
		r := newResolver(t, Config{Servers: []string{firstServer}, Hosts: hosts}, network{firstServer: s})
		for _, name := range []string{"localhost", "LocalHost.", "shop.localhost"} {
			want(t, lookup(t, r, name), "::1 127.0.0.1")
		}
		wantCount(t, s, "", 0)
		write(t, hosts, "127.0.0.2 localhost\n")
		r = newResolver(t, Config{Servers: []string{firstServer}, Hosts: hosts}, network{firstServer: s})
		want(t, lookup(t, r, "localhost"), "127.0.0.2")
	})
}

func TestLookup_noticesAChangedHostsFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		s := newServer(t)
		hosts := filepath.Join(t.TempDir(), "hosts")
		log := new(logbook)
		r := newResolver(t, Config{Servers: []string{firstServer}, Hosts: hosts, Logger: log.logger(), Now: func() time.Time { return now }}, network{firstServer: s})
		wantError(t, r, "www.example.test", true)
		write(t, hosts, "192.0.2.1 www.example.test")
		wantError(t, r, "www.example.test", true) // not looked at yet
		now = now.Add(lookEvery)
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")

		// The same size: only the time of the change tells.
		write(t, hosts, "192.0.2.2 www.example.test")
		if err := os.Chtimes(hosts, now, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(lookEvery)
		want(t, lookup(t, r, "www.example.test"), "192.0.2.2")

		// What cannot be read goes on saying what it said, and is told of once.
		if err := errors.Join(os.Remove(hosts), os.Mkdir(hosts, 0o700)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			now = now.Add(lookEvery)
			want(t, lookup(t, r, "www.example.test"), "192.0.2.2")
		}
		if n := log.count("cannot be read"); n != 1 {
			t.Errorf("told %d times that the file cannot be read", n)
		}
		if err := os.Remove(hosts); err != nil {
			t.Fatal(err)
		}
		now = now.Add(lookEvery)
		wantError(t, r, "www.example.test", true)
	})
}

func TestLookup_readsNoFileTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "192.0.2.1 a")
	seen, text, err := readChanged(path, stamp{})
	if err != nil || text == "" {
		t.Fatalf("got %q, %v", text, err)
	}
	if again, text, err := readChanged(path, seen); err != nil || again != seen || text != "" {
		t.Errorf("read again: %q, %v", text, err)
	}
	if err := os.Truncate(path, largestFile+1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readChanged(path, seen); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file without end is read: %v", err)
	}
}

func TestLookup_looksForShortNamesInSearchDomains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "db.example.test. 60 A 192.0.2.1", "a.b.example.test. 60 A 192.0.2.2", "only. 60 A 192.0.2.3")
		r := newResolver(t, Config{}, network{firstServer: s})
		want(t, lookup(t, r, "db"), "192.0.2.1")
		wantCount(t, s, "udp A db.corp.test.", 1)
		wantCount(t, s, "udp A db.example.test.", 1)
		wantCount(t, s, "udp A db.", 2)
		want(t, lookup(t, r, "only"), "192.0.2.3")
		wantError(t, r, "a.b", true)
		wantError(t, r, "db.", true)

		// A server that was named is asked for the name alone.
		r = newResolver(t, Config{Servers: []string{firstServer}}, network{firstServer: s})
		wantError(t, r, "db", true)
		// A failure on the way is no proof that the name does not exist.
		s.change(func() {
			s.bend = refuse("x.corp.test.")
		})
		r = newResolver(t, Config{}, network{firstServer: s})
		wantError(t, r, "x", false)
	})
}

func TestLookup_noticesAChangedResolvConf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newServer(t, "a.example.test. 60 A 192.0.2.1"), newServer(t, "a.example.test. 60 A 192.0.2.2")
		conf := filepath.Join(t.TempDir(), "resolv.conf")
		write(t, conf, "nameserver 192.0.2.53\n")
		r := newResolver(t, Config{ResolvConf: conf}, network{firstServer: first, secondServer: second})
		want(t, lookup(t, r, "a.example.test"), "192.0.2.1")
		write(t, conf, "options edns0\nnameserver   192.0.2.54 # new\n")
		time.Sleep(2 * time.Minute)
		want(t, lookup(t, r, "a.example.test"), "192.0.2.2")
	})
}

func TestLookup_asksTheSystemWhenNoServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "seen.example.test. 60 A 192.0.2.1")
		n := 0
		system := func(_ context.Context, name string) ([]netip.Addr, error) {
			n++
			return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7"), netip.MustParseAddr("2001:db8::7")}, nil
		}
		r := newResolver(t, Config{}, network{firstServer: s})
		r.system = system
		want(t, lookup(t, r, "seen.example.test"), "192.0.2.1")
		wantError(t, r, "never.example.test", true) // a server said so
		if n != 0 {
			t.Errorf("the system was asked %d times beside working servers", n)
		}
		s.change(func() { s.silent = true })
		answer, err := r.Lookup(t.Context(), "new.example.test")
		if err != nil || answer.Source != "system" || answer.Stale || !answer.Expires.Equal(time.Now().Add(30*time.Second)) {
			t.Errorf("got %+v, %v", answer, err)
		}
		want(t, show(answer), "2001:db8::7 192.0.2.7")
		time.Sleep(5 * time.Minute)
		want(t, lookup(t, r, "seen.example.test"), "stale 192.0.2.1")
		if n > 2 { // the first time and one refresh
			t.Errorf("the system was asked %d times", n)
		}
		want(t, lookup(t, r, "new.example.test"), "stale 2001:db8::7 192.0.2.7") // not to wait for five seconds
		r.Close()

		explicit := newResolver(t, Config{Servers: []string{firstServer}}, network{firstServer: s})
		explicit.system = system
		n = 0
		wantError(t, explicit, "new.example.test", false)
		if n != 0 {
			t.Error("the system was asked although servers are configured")
		}
	})
}

func TestLookup_doesNotAllocateOnAHit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "www.example.test. 60 A 192.0.2.1")
		r := newResolver(t, Config{Servers: []string{firstServer}}, network{firstServer: s})
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1")
		ctx := t.Context()
		if n := testing.AllocsPerRun(100, func() { r.Lookup(ctx, "www.example.test") }); n > 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestNew_takesAddressesOfServersOnly(t *testing.T) {
	for text, good := range map[string]string{"192.0.2.1": "192.0.2.1:53", "192.0.2.1:5353": "192.0.2.1:5353", "[::1]:53": "[::1]:53", "::1": "[::1]:53"} {
		r, err := New(Config{Servers: []string{text}})
		if err != nil || r.servers[0] != good {
			t.Errorf("%s: got %v, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "dns.example.test:53", "192.0.2.1:", "192.0.2.1:domain", "[::1]", ":53"} {
		if _, err := New(Config{Servers: []string{text}}); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestClose_endsEverythingAndIsSafeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a.example.test. 60 A 192.0.2.1")
		r := newResolver(t, Config{Servers: []string{firstServer}}, network{firstServer: s})
		want(t, lookup(t, r, "a.example.test"), "192.0.2.1")
		s.change(func() { s.silent = true })
		began := time.Now()
		failed := make(chan error)
		go func() {
			_, err := r.Lookup(t.Context(), "b.example.test")
			failed <- err
		}()
		synctest.Wait()
		go r.Close()
		r.Close()
		r.mu.Lock()
		if r.names["b.example.test"].flight != nil {
			t.Error("a question is still on its way after Close")
		}
		r.mu.Unlock()
		if err := <-failed; err == nil || time.Since(began) != 0 {
			t.Errorf("the one who waited got %v after %s", err, time.Since(began))
		}
		if err := wantError(t, r, "a.example.test", false); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
		r.Close()
	})
}
