package cache

import (
	"testing"

	"github.com/seawall-edge/seawall/internal/wire"
)

func TestLookup_allocatesNothingForAHit(t *testing.T) {
	for _, c := range []struct {
		name            string
		vary            string
		stored, request *wire.Fields
	}{
		{"without Vary", "", fields(), fields("Accept-Encoding", "gzip")},
		{"the same bytes", "Accept-Encoding", fields("Accept-Encoding", "gzip"), fields("Accept-Encoding", "gzip")},
		{"the same meaning", "Accept-Encoding", fields("Accept-Encoding", "br, gzip;q=0.5"), fields("Accept-Encoding", "GZIP;q=0.50,br")},
		{"a name that is not known", "X-Shade", fields("X-Shade", "dark, 1"), fields("X-Shade", "dark", "X-Shade", "1")},
		{"the language it is in", "Accept-Language", fields("Accept-Language", "de"), fields("Accept-Language", "de, en;q=0.5")},
		{"absent", "Cookie, Accept", fields(), fields()},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, z := open(t, 0)
			answer := lasting("Content-Language", "de")
			if c.vary != "" {
				answer = lasting("Content-Language", "de", "Vary", c.vary)
			}
			object := store(t, z, page, answer, c.stored, "x")
			if n := testing.AllocsPerRun(1000, func() {
				if found, _ := z.Lookup(page, c.request); found != object {
					t.Fatal("not found")
				}
				if !object.Selects(c.request) {
					t.Fatal("not selected")
				}
			}); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestRead_allocatesNothingWhereThereAreBytes(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields())
	begin(t, z, f, offerOf(lasting(), fields()))
	f.Attach()
	_ = f.Add([]byte("hello"))
	if n := testing.AllocsPerRun(1000, func() {
		if data, _, _ := f.Read(2); string(data) != "llo" {
			t.Fatal("not there")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	f.Detach()
	_ = f.Finish(nil, nil, func(*Object) bool { return true })
	f.Leave(true)
}
