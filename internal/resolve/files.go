package resolve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	lookEvery   = 5 * time.Second // between two looks at a file
	largestFile = 16 << 20        // bytes of a hosts file; lists of advertisers have a few million
	mostServers = 3               // of resolv.conf, as resolv.conf(5) has it
	mostSearch  = 6               // search domains
)

// watched is a small file that is read again when it changed. Nobody waits
// for another's look at it: they go on with what was there.
type watched[T any] struct {
	path  string
	parse func(text string) T
	log   *slog.Logger
	value atomic.Pointer[T] // never nil

	mu     sync.Mutex // held by whoever looks; guards what follows
	looked time.Time
	stamp  stamp
}

// stamp is what tells one version of a file from another.
type stamp struct {
	modified time.Time
	size     int64
	problem  string // why it could not be read
}

func watch[T any](path string, parse func(string) T, log *slog.Logger, now time.Time) *watched[T] {
	w := &watched[T]{path: path, parse: parse, log: log}
	nothing := parse("")
	w.value.Store(&nothing)
	w.look(now)
	return w
}

// get returns what the file says, as of the last few seconds.
func (w *watched[T]) get(now time.Time) *T {
	if w.mu.TryLock() {
		if since := now.Sub(w.looked); since >= lookEvery || since < 0 {
			w.look(now)
		}
		w.mu.Unlock()
	}
	return w.value.Load()
}

// look reads the file if it changed. A file that is gone says nothing; one
// that cannot be read goes on saying what it said.
func (w *watched[T]) look(now time.Time) {
	first := w.looked.IsZero()
	w.looked = now
	seen, text, err := readChanged(w.path, w.stamp)
	if seen == w.stamp {
		return
	}
	w.stamp = seen
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.log.Warn("a file of names cannot be read; what it said before holds", "file", w.path, "error", err)
		return
	}
	value := w.parse(text)
	w.value.Store(&value)
	if !first {
		w.log.Info("a file of names changed and was read again", "file", w.path)
	}
}

// readChanged returns the file's stamp, and its text when that differs from
// the last one. The stamp is taken before reading, so that what is written
// meanwhile is found at the next look.
func readChanged(path string, last stamp) (seen stamp, text string, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err == nil && info.Size() > largestFile {
		err = fmt.Errorf("larger than %d bytes", largestFile)
	}
	if err != nil {
		return stamp{problem: err.Error()}, "", err
	}
	seen = stamp{modified: info.ModTime(), size: info.Size()}
	if seen == last {
		return seen, "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return stamp{problem: err.Error()}, "", err
	}
	defer f.Close()
	all, err := io.ReadAll(io.LimitReader(f, largestFile))
	if err != nil {
		return stamp{problem: err.Error()}, "", err
	}
	return seen, string(all), nil
}

// hostsTable is a hosts file: addresses by canonical name, in the order in
// which they are answered.
type hostsTable map[string][]netip.Addr

// parseHosts reads hosts(5): an address, a name, further names. Lines that
// are none of it are left out, as everybody does.
func parseHosts(text string) hostsTable {
	table := hostsTable{}
	for fields := range lines(text, "#") {
		addr, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, name := range fields[1:] {
			if key, err := canonical(name); err == nil {
				key = strings.TrimSuffix(key, ".")
				table[key] = append(table[key], addr)
			}
		}
	}
	for key, addrs := range table {
		table[key] = interleave(addrs)
	}
	return table
}

var loopback = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}

// fromHosts returns the addresses that need no server.
func (r *Resolver) fromHosts(key string, now time.Time) []netip.Addr {
	key = strings.TrimSuffix(key, ".")
	if addrs := (*r.hosts.get(now))[key]; len(addrs) > 0 {
		return addrs
	}
	if key == "localhost" || strings.HasSuffix(key, ".localhost") {
		return slices.Clip(loopback)
	}
	return nil
}

// serverList is what is used of resolv.conf.
type serverList struct {
	servers []string // "address:port"
	search  []string // canonical names
}

// parseResolvConf reads resolv.conf(5): nameserver, search and domain, the
// last of the latter two counts. Options are left out: waits and rounds are
// ours, and search domains are only for names without a dot. Without a
// server, this machine is asked.
func parseResolvConf(text string) (list serverList) {
	for fields := range lines(text, "#;") {
		switch {
		case fields[0] == "nameserver" && len(fields) > 1 && len(list.servers) < mostServers:
			if addr, err := netip.ParseAddr(fields[1]); err == nil {
				list.servers = append(list.servers, netip.AddrPortFrom(addr, 53).String())
			}
		case fields[0] == "search" || fields[0] == "domain":
			list.search = nil
			for _, domain := range fields[1:] {
				domain, err := canonical(domain)
				if err == nil && len(list.search) < mostSearch {
					list.search = append(list.search, strings.TrimSuffix(domain, "."))
				}
			}
		}
	}
	if len(list.servers) == 0 {
		list.servers = []string{"127.0.0.1:53", "[::1]:53"}
	}
	return list
}

// lines yields the fields of each line that has any, comments left out.
func lines(text, comment string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(text) {
			if i := strings.IndexAny(line, comment); i >= 0 {
				line = line[:i]
			}
			if fields := strings.Fields(line); len(fields) > 0 && !yield(fields) {
				return
			}
		}
	}
}
