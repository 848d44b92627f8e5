package exchange

import (
	"testing"

	"github.com/seawall-edge/seawall"
)

func TestSetHost_makesOneFormOfAName(t *testing.T) {
	for _, c := range []struct {
		raw      string
		secure   bool
		host     string
		hostport string
	}{
		{"Example.COM", false, "example.com", "example.com"},
		{"example.com:80", false, "example.com", "example.com"},
		{"example.com:80", true, "example.com", "example.com:80"},
		{"example.com:443", true, "example.com", "example.com"},
		{"example.com:8080", false, "example.com", "example.com:8080"},
		{"example.com.", false, "example.com", "example.com"},
		{"example.com.:81", false, "example.com", "example.com:81"},
		{"example.com:", false, "example.com", "example.com"},
		{"127.0.0.1:8080", false, "127.0.0.1", "127.0.0.1:8080"},
		{"[::1]:8080", false, "[::1]", "[::1]:8080"},
		{"[2001:DB8::1]", false, "[2001:db8::1]", "[2001:db8::1]"},
		{"a_b.example", false, "a_b.example", "a_b.example"},
	} {
		var x Exchange
		if reason := x.SetHost([]byte(c.raw), c.secure); reason != seawall.ReasonNone {
			t.Errorf("%s: refused: %s", c.raw, reason)
			continue
		}
		if string(x.Host) != c.host || string(x.Hostport) != c.hostport {
			t.Errorf("%s: %q, %q; want %q, %q", c.raw, x.Host, x.Hostport, c.host, c.hostport)
		}
	}
}

func TestSetHost_refusesWhatIsNoHost(t *testing.T) {
	long := make([]byte, maxHost+1)
	for i := range long {
		long[i] = 'a'
	}
	for _, raw := range []string{
		"", "user@example.com", "a b", "a/b", "a,b", "example.com:abc", "example.com:99999", "example.com:0", "example.com:-1",
		"example.com:80:80", ":80", ".", "a..b", ".a", "[::1", "[::1]80", "[::1%25eth0]", "[127.0.0.1]", "::1", "a%41", "\xc3\xa4.example", string(long),
	} {
		var x Exchange
		if reason := x.SetHost([]byte(raw), false); reason != seawall.ReasonHostMalformed {
			t.Errorf("%q: %s, as %q", raw, reason, x.Hostport)
		}
	}
}

func FuzzHost_isItsOwnCanonicalForm(f *testing.F) {
	for _, seed := range []string{"Example.COM:8080", "[::1]:80", "a.", "127.0.0.1"} {
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, secure bool) {
		var x, again Exchange
		if x.SetHost(raw, secure) != seawall.ReasonNone {
			return
		}
		first := string(x.Hostport)
		if reason := again.SetHost([]byte(first), secure); reason != seawall.ReasonNone || string(again.Hostport) != first || string(again.Host) != string(x.Host) {
			t.Fatalf("%q: %q, then %q (%s)", raw, first, again.Hostport, reason)
		}
	})
}

func TestMethod_knowsWhatMayBeRepeated(t *testing.T) {
	for name, want := range map[string][2]bool{
		"GET": {true, true}, "HEAD": {true, true}, "OPTIONS": {true, true}, "PUT": {false, true}, "DELETE": {false, true},
		"POST": {false, false}, "PATCH": {false, false}, "get": {false, false}, "PROPFIND": {false, false}, "": {false, false},
	} {
		if m := ParseMethod([]byte(name)); m.Safe() != want[0] || m.Idempotent() != want[1] {
			t.Errorf("%s: safe %v, idempotent %v", name, m.Safe(), m.Idempotent())
		}
	}
}
