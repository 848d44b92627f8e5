package certs

import (
	"crypto/tls"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// named is a Source that is told apart by its name.
type named string

func (named) Certificate() (*tls.Certificate, error) { return nil, nil }

func TestIndex_prefersTheExactName(t *testing.T) {
	x := NewIndex()
	for _, name := range []string{"example.com", "*.example.com", "WWW.Example.com.", "*.sub.example.com"} {
		x.Add(name, named(name))
	}
	x.Add("example.com", named("later"))
	all := NewIndex()
	all.Add("*", named("first"))
	all.Add("*", named("*"))
	all.Add("example.com", named("example.com"))
	long := strings.Repeat("a.", 126) + "a" // 253 bytes
	for _, c := range []struct {
		index      *Index
		name, want string
	}{
		{x, "example.com", "later"}, {x, "EXAMPLE.com.", "later"},
		{x, "www.example.com", "WWW.Example.com."}, {x, "a_-9.example.com", "*.example.com"},
		{x, "sub.example.com", "*.example.com"}, {x, "a.sub.example.com", "*.sub.example.com"},
		{x, "a.b.sub.example.com", ""}, {x, ".example.com", ""}, {x, "com", ""}, {x, "", ""}, {x, ".", ""},
		{x, "*.example.com", ""}, {x, "a b.example.com", ""}, {x, "ä.example.com", ""},
		{all, "example.com", "example.com"}, {all, "example.org", "*"}, {all, "", "*"},
		{all, long, "*"}, {all, long + ".", "*"}, {all, "b" + long, ""},
		{all, "a/b", ""}, {all, "*", ""}, {all, "a\x00", ""}, {all, "[::1]", ""},
	} {
		got, _ := c.index.Find(c.name).(named)
		if string(got) != c.want {
			t.Errorf("Find(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestIndex_findsWithoutAllocating(t *testing.T) {
	x := NewIndex()
	x.Add("www.example.com", named("a"))
	x.Add("*.a-rather-long-name-that-fits-no-small-buffer.example.com", named("b"))
	for _, name := range []string{"www.example.com", "WWW.EXAMPLE.COM", "any.a-rather-long-name-that-fits-no-small-buffer.example.com", "none.example.org"} {
		if n := testing.AllocsPerRun(100, func() { x.Find(name) }); n != 0 {
			t.Errorf("Find(%q) allocates %v times", name, n)
		}
	}
}

func TestIndex_isSmall(t *testing.T) {
	const count = 100_000
	var before, after runtime.MemStats
	source := named("one")
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := NewIndex()
	for i := range count {
		x.Add(fmt.Sprintf("www.customer-%d.example.com", i), source)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > 15<<20 {
		t.Errorf("%d names use %d bytes", count, used)
	}
	runtime.KeepAlive(x)
}

// FuzzIndex_find compares the index with the plainest way to look.
func FuzzIndex_find(f *testing.F) {
	f.Add("example.com *.example.com *", "www.example.com")
	f.Add("*. . *.* a.b *.B", "A.b.")
	f.Add("*.com example.com", ".com")
	f.Fuzz(func(t *testing.T, names, name string) {
		x, plain := NewIndex(), map[string]Source{}
		for i, entry := range strings.Fields(names) {
			s := named(fmt.Sprint(i))
			x.Add(entry, s)
			plain[strings.ToLower(strings.TrimSuffix(entry, "."))] = s
		}
		if got, want := x.Find(name), plainFind(plain, name); got != want {
			t.Errorf("Find(%q) among %q = %v, want %v", name, names, got, want)
		}
	})
}

func plainFind(plain map[string]Source, name string) Source {
	name = strings.TrimSuffix(name, ".")
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", r) {
			return nil
		}
	}
	if len(name) > 253 {
		return nil
	}
	name = strings.ToLower(name)
	if s := plain[name]; s != nil {
		return s
	}
	if label, parent, ok := strings.Cut(name, "."); ok && label != "" && plain["*."+parent] != nil {
		return plain["*."+parent]
	}
	return plain["*"]
}
