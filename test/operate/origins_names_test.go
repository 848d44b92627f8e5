package operate_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// newOriginAt starts a server on the same port as another, at an address of
// its own.
func newOriginAt(t *testing.T, name, ip, port string) *origin {
	t.Helper()
	o := prepareOrigin(t, name)
	o.address = net.JoinHostPort(ip, port)
	o.rise(t)
	return o
}

// TestOrigins_theNameMoves to another address: visitors follow; when the name server dies, the
// last answer goes on; and when the name is back, so is what it says.
func TestOrigins_theNameMoves(t *testing.T) {
	t.Parallel()
	before := newOrigin(t, "before")
	_, port, _ := net.SplitHostPort(before.address)
	after := newOriginAt(t, "after", "127.0.0.42", port)
	names := newNameServer(t)
	names.set("moving.example", "127.0.0.40")
	p := start(t, setup{flags: []string{"--resolver", names.address}, config: "zones:\n" +
		siteZone("site.test", "url: 'http://moving.example:"+port+"'") + siteZone("nowhere.test", "url: 'http://never.example:"+port+"'")})
	v := p.enter(t)
	answeredBy := func(name string) func() error {
		n := 0
		return func() error {
			n++
			target := fmt.Sprintf("/%s/%d", name, n)
			a, err := v.ask("GET", "site.test", target)
			if err == nil && (a.status != http.StatusOK || a.body != name+" "+target) {
				err = fmt.Errorf("%v", a)
			}
			return err
		}
	}
	p.await(t, "the first address", answeredBy("before"))
	names.set("moving.example", "127.0.0.42")
	before.die()
	p.await(t, "the second address", answeredBy("after"))

	names.die()
	after.die()
	after.rise(t) // no connection is left, each one needs the name
	for range 3 {
		if err := answeredBy("after")(); err != nil {
			t.Errorf("without a name server: %v", err)
		}
	}
	if a, err := v.ask("GET", "nowhere.test", "/"); err != nil || a.status != http.StatusBadGateway || a.reason() != "origin-name" ||
		strings.Contains(a.body, "never.example") {
		t.Errorf("a name that never was: %v, %v", a, err)
	}
	p.checkWorld(t)
}

// TestOrigins_theNameMovesWhileTheOldServerAnswers: connections that are open
// to the old address are no reason to go on asking there.
func TestOrigins_theNameMovesWhileTheOldServerAnswers(t *testing.T) {
	t.Parallel()
	before := newOrigin(t, "before")
	_, port, _ := net.SplitHostPort(before.address)
	newOriginAt(t, "after", "127.0.0.42", port)
	names := newNameServer(t)
	names.set("moving.example", "127.0.0.40")
	p := start(t, setup{flags: []string{"--resolver", names.address}, config: "zones:\n" +
		siteZone("site.test", "url: 'http://moving.example:"+port+"'")})
	v := p.enter(t)
	v.mustGet(t, "site.test", "/", http.StatusOK)
	names.set("moving.example", "127.0.0.42")
	n := 0
	p.await(t, "the second address", func() error {
		n++
		a, err := v.ask("GET", "site.test", fmt.Sprintf("/%d", n))
		if err == nil && a.body != fmt.Sprintf("after /%d", n) {
			err = fmt.Errorf("%v", a)
		}
		return err
	})
	p.checkWorld(t)
}

// TestOrigins_bothFamilies: IPv6 is asked where it answers, IPv4 where it
// does not (RFC 8305).
func TestOrigins_bothFamilies(t *testing.T) {
	t.Parallel()
	four := newOrigin(t, "four")
	_, port, _ := net.SplitHostPort(four.address)
	names := newNameServer(t)
	names.set("both.example", "127.0.0.40", "::1")
	names.set("four.example", "127.0.0.40")
	p := start(t, setup{flags: []string{"--resolver", names.address}, config: "zones:\n" +
		siteZone("site.test", "url: 'http://both.example:"+port+"'") + siteZone("four.test", "url: 'http://four.example:"+port+"'") +
		siteZone("nowhere.test", "url: 'http://never.example:"+port+"'")})
	v := p.enter(t)
	for host, want := range map[string]string{"site.test": "four /", "four.test": "four /"} {
		if a := v.mustGet(t, host, "/", http.StatusOK); a.body != want {
			t.Errorf("%s: %v", host, a)
		}
	}
	if a, err := v.ask("GET", "nowhere.test", "/"); err != nil || a.status != http.StatusBadGateway || a.reason() != "origin-name" {
		t.Errorf("a name that does not exist: %v, %v", a, err)
	}
	four.die()
	if l, err := net.Listen("tcp", net.JoinHostPort("::1", port)); err != nil {
		t.Logf("this machine has no IPv6, or the port is taken there: %v", err)
	} else {
		_ = l.Close()
		six := newOriginAt(t, "six", "::1", port)
		if a := v.mustGet(t, "site.test", "/six", http.StatusOK); a.body != "six /six" {
			t.Errorf("with IPv6 alone: %v", a)
		}
		if six.total() != 1 {
			t.Errorf("the request was sent %d times", six.total())
		}
	}
	p.checkWorld(t)
}

// TestOrigins_publicOnly keeps zones of others from this machine and its
// network, by address and by name; the page does not tell which.
func TestOrigins_publicOnly(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "private")
	_, port, _ := net.SplitHostPort(o.address)
	names := newNameServer(t)
	names.set("inside.example", "127.0.0.40")
	names.set("cloud.example", "169.254.169.254")
	public := ", public_only: true, breaker: {off: true}"
	zones := "zones:\n" + siteZone("name.test", "url: 'http://inside.example:"+port+"'"+public) + siteZone("cloud.test", "url: 'http://cloud.example'"+public) +
		siteZone("checked.test", "url: 'http://inside.example:"+port+"', check: {type: http, interval: 1s, timeout: 1s}"+public) +
		siteZone("own.test", "url: 'http://inside.example:"+port+"'")
	hosts := []string{"name.test", "cloud.test", "checked.test", "literal.test"}
	literal := siteZone("literal.test", "url: '"+o.url()+"'"+public)
	p := start(t, setup{flags: []string{"--resolver", names.address}, config: zones + literal})
	v := p.enter(t)
	for _, host := range hosts {
		a, err := v.ask("GET", host, "/secret")
		if err != nil || a.status != http.StatusBadGateway || a.reason() != "origin-forbidden" {
			t.Errorf("%s: %v, %v", host, a, err)
		}
		for _, part := range []string{"127.0.0", "169.254", "inside.example", "cloud.example", port} {
			if strings.Contains(a.body, part) {
				t.Errorf("%s: the page tells %q: %s", host, part, a.body)
			}
		}
	}
	if n := o.connections(); n != 0 {
		t.Errorf("the server got %d connections", n)
	}
	v.mustGet(t, "own.test", "/", http.StatusOK) // the operator's own zone may
	p.checkWorld(t)
}
