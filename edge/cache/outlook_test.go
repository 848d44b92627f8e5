package cache

import (
	"testing"

	"github.com/seawall-edge/seawall/internal/wire"
)

// inFolder is a key in a folder.
func inFolder(rest string) []byte { return []byte("a\x00hexample.com:80/folder/" + rest) }

// waits reports whether requests for a key that is not stored wait for each other.
func waits(z *Zone, key []byte) bool {
	f, leads := z.Join(key, fields(), then, true)
	if f != nil {
		f.Leave(leads)
	}
	return f != nil
}

// unshared lets the answer for a key be for one visitor alone.
func unshared(t *testing.T, z *Zone, key []byte) {
	t.Helper()
	f := lead(t, z, key, fields())
	f.Release(then)
	f.Leave(true)
}

func TestOutlook_nobodyWaitsAmongAnswersThatAreNotShared(t *testing.T) {
	_, z := open(t, 0)
	if !waits(z, inFolder("1.html")) {
		t.Fatal("nothing is known yet")
	}
	unshared(t, z, inFolder("1.html"))
	for _, rest := range []string{"1.html", "2.html", "3.html?a=/b/c.gif", "x.y.html"} {
		if waits(z, inFolder(rest)) {
			t.Errorf("%s: they wait", rest)
		}
	}
	for _, key := range []string{
		"a\x00hexample.com:80/folder/1.gif", "a\x00hexample.com:80/folder/1", "a\x00hexample.com:80/other/1.html", "a\x00hexample.com:80/folder/sub/1.html",
		"a\x00hexample.org:80/folder/1.html", "a\x00sexample.com:80/folder/1.html", "b\x00hexample.com:80/folder/1.html", "a\x00hexample.com:80/1.html",
	} {
		if !waits(z, []byte(key)) {
			t.Errorf("%q: nobody waits", key)
		}
	}
}

func TestOutlook_recoversAfterAnAnswerThatIsShared(t *testing.T) {
	for name, share := range map[string]func(z *Zone){
		"it is stored": func(z *Zone) { store(t, z, inFolder("2.html"), lasting(), fields(), "x") },
		"a part is stored": func(z *Zone) {
			z.StorePart(inFolder("2.html"), preparedPart(t, "bytes 0-1/9", "01", "ETag", `"a"`), fields(), asked(t, z, inFolder("2.html")), 1<<20)
		},
		"many have had it": func(z *Zone) {
			shareStored(t, z, func(f *Flight, _ *Object) { begin(t, z, f, offerOf(lasting(), fields())) })
		},
		"many were served": func(z *Zone) { shareStored(t, z, func(f *Flight, object *Object) { f.Serve(object) }) },
	} {
		_, z := open(t, 0)
		for range 20 {
			z.cache.outlook.was(inFolder("1.html"), false)
		}
		if waits(z, inFolder("3.html")) {
			t.Fatal("they wait")
		}
		share(z)
		if !waits(z, inFolder("3.html")) {
			t.Errorf("%s: nobody waits", name)
		}
	}
}

// shareStored lets a flight for a key that is stored, and of which nothing was
// learned so far, end in a way.
func shareStored(t *testing.T, z *Zone, end func(*Flight, *Object)) {
	t.Helper()
	key := inFolder("2.html")
	object := prepared(t, offerOf(lasting(), fields()), "x")
	store(t, z, key, lasting(), fields(), "x")
	for z.cache.outlook.good(key) {
		z.cache.outlook.was(key, false)
	}
	f := lead(t, z, key, fields())
	end(f, object)
	f.Leave(true)
	if outcome, _, _ := f.Outcome(); outcome != Answered {
		t.Errorf("outcome %d", outcome)
	}
	if f.account != nil {
		_ = f.Finish([]byte("x"), nil, func(*Object) bool { return true })
	}
}

func TestOutlook_remembersMoreThanTheLast(t *testing.T) {
	_, z := open(t, 0)
	key := inFolder("1.html")
	for range 10 {
		z.cache.outlook.was(key, true)
	}
	for i := range longMemory {
		z.cache.outlook.was(key, false)
		if !waits(z, key) {
			t.Errorf("nobody waits after %d of many", i+1)
		}
	}
	z.cache.outlook.was(key, false)
	if waits(z, key) {
		t.Error("they wait all the same")
	}
}

func TestOutlook_keepsNobodyFromWaitingForWhatIsStored(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, inFolder("1.html"), lasting(), fields(), "x")
	z.cache.outlook.was(inFolder("1.html"), false)
	z.cache.outlook.was(inFolder("1.html"), false)
	if !waits(z, inFolder("1.html")) {
		t.Error("nobody waits")
	}
}

func TestOutlook_anAnswerThatIsNotKeptTeachesNothing(t *testing.T) {
	_, z := open(t, 0)
	key := inFolder("1.html")
	z.cache.outlook.was(key, false)
	when := asked(t, z, key)
	z.Invalidate(key)
	z.Store(key, prepared(t, offerOf(lasting(), fields()), "x"), &wire.Fields{}, when)
	if waits(z, key) {
		t.Error("they wait")
	}
}
