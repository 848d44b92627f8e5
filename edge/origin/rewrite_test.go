package origin

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/internal/resolve"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// answerOf is a Response of the first of several servers to a visitor who
// asked for hostport.
func answerOf(t testing.TB, hostport string, secure bool, urls ...string) *Response {
	t.Helper()
	o := spec.OriginSpec{}
	for _, url := range urls {
		o.Servers = append(o.Servers, spec.ServerSpec{URL: url})
	}
	resolver, err := resolve.New(resolve.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{Zone: "a.test", Origin: spec.ZoneSpec{Name: "a.test", Origin: o}.Resolved().Origin, Shared: Shared{Resolver: resolver}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(); resolver.Close() })
	x, _ := request("GET")
	x.Host, x.Hostport, x.Event.Secure = []byte(hostOf(hostport)), []byte(hostport), secure
	return &Response{group: g, server: g.servers[0], x: x}
}

func TestRewrite_replacesTheServersOwnName(t *testing.T) {
	plain := answerOf(t, "a.test", false, "http://127.0.0.1:3000", "http://[::1]:3000", "https://second.test:8443")
	secure := answerOf(t, "a.test", true, "http://127.0.0.1:3000", "http://origin.test")
	door := answerOf(t, "a.test:8443", true, "http://origin.test")
	direct := answerOf(t, "192.0.2.1", false, "http://origin.test")
	inTLS := answerOf(t, "a.test", false, "https://origin.test")
	nameless := answerOf(t, "", false, "http://origin.test")
	for _, c := range []struct {
		r           *Response
		name        wire.Name
		value, want string
	}{
		{plain, wire.Location, "http://127.0.0.1:3000/x?y#z", "http://a.test/x?y#z"},
		{secure, wire.Location, "http://127.0.0.1:3000/x", "https://a.test/x"},
		{door, wire.Location, "http://origin.test/x", "https://a.test:8443/x"},
		{plain, wire.Location, "HTTP://127.0.0.1:3000", "http://a.test"},
		{plain, wire.Location, "http://127.0.0.1:3000?x", "http://a.test?x"},
		{plain, wire.Location, "http://[::1]:3000/x", "http://a.test/x"},
		{plain, wire.Location, "https://second.test:8443/x", "http://a.test/x"},
		{plain, wire.Location, "https://SECOND.test:8443/x", "http://a.test/x"},
		{plain, wire.Location, "//127.0.0.1:3000/x", "//a.test/x"},
		{inTLS, wire.Location, "//origin.test/x", "//a.test/x"},
		{inTLS, wire.Location, "https://origin.test/x", "http://a.test/x"},
		// The other scheme's usual door is meant.
		{secure, wire.Location, "https://origin.test/x", "https://a.test/x"},
		{door, wire.Location, "https://origin.test/x", "https://a.test/x"},
		{inTLS, wire.Location, "http://origin.test/x", "http://a.test/x"},
		// The server's own port with the visitor's name.
		{plain, wire.Location, "http://a.test:3000/x/", "http://a.test/x/"},
		{secure, wire.Location, "http://a.test:3000/x/", "https://a.test/x/"},
		// Others.
		{plain, wire.Location, "/x", "/x"},
		{plain, wire.Location, "", ""},
		{plain, wire.Location, "http://127.0.0.1:3001/x", "http://127.0.0.1:3001/x"},
		{plain, wire.Location, "ftp://127.0.0.1:3000/x", "ftp:" + "//127.0.0.1:3000/x"},
		{plain, wire.Location, "http://127.0.0.1:3000.evil.test/x", "http://127.0.0.1:3000.evil.test/x"},
		{secure, wire.Location, "http://origin.test.evil.test/x", "http://origin.test.evil.test/x"},
		{secure, wire.Location, "http://evil.test@origin.test/x", "http://evil.test@origin.test/x"},
		{secure, wire.Location, "http://origin.test@evil.test/x", "http://origin.test@evil.test/x"},
		{secure, wire.Location, "http://notorigin.test/x", "http://notorigin.test/x"},
		{secure, wire.Location, "http://origin.test:/x", "http://origin.test:/x"},
		{secure, wire.Location, "http://origin.test:99999/x", "http://origin.test:99999/x"},
		{secure, wire.Location, "http://a.test/x", "http://a.test/x"},
		{secure, wire.Location, "/a//origin.test/b", "/a//origin.test/b"},
		{secure, wire.Location, "///origin.test/b", "///origin.test/b"},
		{secure, wire.Location, "https://login.test/?next=http://origin.test/x", "https://login.test/?next=https://a.test/x"},
		{nameless, wire.Location, "http://origin.test/x", "http://origin.test/x"},
		{secure, wire.ETag, "http://origin.test/x", "http://origin.test/x"},
		{secure, wire.ContentLocation, "http://origin.test/x", "https://a.test/x"},
		{secure, wire.Refresh, "5; url=http://origin.test/x", "5; url=https://a.test/x"},
		{secure, wire.Refresh, "5; url='http://origin.test/x'", "5; url='https://a.test/x'"},
		{secure, wire.Link, `<http://origin.test/a>; rel=next, <//origin.test/b>; rel="prev", <http://other.test/c>, <http://origin.test>`,
			`<https://a.test/a>; rel=next, <//a.test/b>; rel="prev", <http://other.test/c>, <https://a.test>`},
		// Cookies.
		{secure, wire.SetCookie, "a=b; Domain=origin.test; Path=/", "a=b; Domain=a.test; Path=/"},
		{secure, wire.SetCookie, "a=b;domain = .ORIGIN.test", "a=b; Domain=a.test"},
		{secure, wire.SetCookie, "a=b; Domain=other.test; Domain=origin.test; HttpOnly", "a=b; Domain=other.test; Domain=a.test; HttpOnly"},
		{secure, wire.SetCookie, "a=b; Domain=origin.test; Domain=origin.test", "a=b; Domain=a.test; Domain=a.test"},
		{secure, wire.SetCookie, "a=b; Domain=sub.origin.test", "a=b; Domain=sub.origin.test"},
		{secure, wire.SetCookie, "a=b; Domain=", "a=b; Domain="},
		{secure, wire.SetCookie, "Domain=origin.test; Path=/", "Domain=origin.test; Path=/"}, // its name
		{secure, wire.SetCookie, "a=http://origin.test/", "a=http://origin.test/"},
		{direct, wire.SetCookie, "a=b; Domain=origin.test; Path=/", "a=b; Path=/"},
		{direct, wire.SetCookie, "a=b; Domain=origin.test", "a=b"},
		{secure, wire.SetCookie, "a=b;", "a=b;"},
		{secure, wire.SetCookie, ";;;", ";;;"},
	} {
		value := []byte(c.value)
		if got := string(c.r.rewrite(c.name, value)); got != c.want || string(value) != c.value {
			t.Errorf("%s: %s becomes %s, want %s", c.name.Text(), c.value, got, c.want)
		}
	}
}

func TestRewrite_copiesNothingThatStays(t *testing.T) {
	r := answerOf(t, "a.test", true, "http://origin.test")
	for name, text := range map[wire.Name]string{wire.Location: "https://other.test//x", wire.SetCookie: "a=b; Domain=other.test; Path=/", wire.Link: "<//a.test/x>"} {
		value := []byte(text)
		if got := r.rewrite(name, value); &got[0] != &value[0] || len(got) != len(value) {
			t.Errorf("%s: copied", name.Text())
		}
		if n := testing.AllocsPerRun(100, func() { r.rewrite(name, value) }); n != 0 {
			t.Errorf("%s: %v allocations", name.Text(), n)
		}
	}
	value := []byte("http://origin.test/x")
	r.rewrite(wire.Location, value)
	if n := testing.AllocsPerRun(100, func() { r.rewrite(wire.Location, value) }); n != 0 {
		t.Errorf("%v allocations for what is replaced", n)
	}
}

func FuzzRewrite_changesOnlyNames(f *testing.F) {
	answers := []*Response{
		answerOf(f, "a.test", true, "http://127.0.0.1:3000", "https://origin.test:8443"),
		answerOf(f, "a.test:3000", false, "http://a.test:3000", "http://origin.test"),
		answerOf(f, "192.0.2.1:8080", true, "http://[::1]:3000", "https://origin.test"),
		answerOf(f, "origin.test", false, "http://origin.test:3000", "https://a.test"),
	}
	for _, seed := range []string{"http://origin.test/", "//a.test:3000/x", "<https://origin.test:8443>; rel=x, </y>", "a=b; Domain=origin.test; Path=/", "//xhttp://origin.test", "http:////127.0.0.1:3000", "https:http://[::1]:3000/"} {
		f.Add([]byte(seed))
	}
	names := regexp.MustCompile(`(?i)(https?:)?//(127\.0\.0\.1|origin\.test|a\.test|192\.0\.2\.1|\[::1\])(:[0-9]+)?`)
	domains := regexp.MustCompile(`(?i); *domain *= *\.?(127\.0\.0\.1|origin\.test|a\.test|192\.0\.2\.1|\[::1\]) *`)
	f.Fuzz(func(t *testing.T, value []byte) {
		for i, r := range answers {
			for _, name := range []wire.Name{wire.Location, wire.SetCookie} {
				before := bytes.Clone(value)
				once := bytes.Clone(r.rewrite(name, value))
				if !bytes.Equal(value, before) {
					t.Fatalf("%d %s: %q was written to", i, name.Text(), before)
				}
				rest := names
				if name == wire.SetCookie {
					rest = domains
				}
				if got, want := rest.ReplaceAll(once, nil), rest.ReplaceAll(value, nil); !bytes.Equal(once, value) && !bytes.Equal(spaceless(got), spaceless(want)) {
					t.Errorf("%d %s: %q becomes %q", i, name.Text(), value, once)
				}
				if twice := r.rewrite(name, once); !bytes.Equal(twice, once) {
					t.Errorf("%d %s: %q becomes %q, then %q", i, name.Text(), value, once, twice)
				}
			}
		}
	})
}

// spaceless takes out what may stand around an attribute.
func spaceless(b []byte) []byte {
	return []byte(strings.Map(func(c rune) rune {
		if c == ' ' || c == '\t' {
			return -1
		}
		return c
	}, string(b)))
}
