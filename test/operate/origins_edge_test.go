package operate_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shortKeep has connections to origins close soon when nobody uses them, so
// that the checker finds none; restless makes breakers quick.
const (
	shortKeep = "keep_idle: 300ms"
	restless  = "breaker: {failures: 3, rest: 200ms, longest_rest: 1s, return: 3s}"
)

// siteZone is a zone in the configuration file; origin are the settings of
// its origin in braces, more what else the zone has.
func siteZone(name, origin string, more ...string) string {
	if !strings.Contains(origin, "keep_idle") {
		origin += ", " + shortKeep
	}
	text := fmt.Sprintf("  - {name: %s, origin: {%s}", name, origin)
	for _, m := range more {
		text += ", " + m
	}
	return text + "}\n"
}

// servers lists servers by their settings in braces.
func servers(list ...string) string { return "servers: [{" + strings.Join(list, "}, {") + "}]" }

// health is what the running program says about its servers.
type health struct {
	Zones []struct {
		Zone        string
		Waiting     int
		Failed      int64
		Maintenance bool
		Bypassed    map[string]int64
		Servers     []serverHealth
	}
}

type serverHealth struct {
	Name, State, Why string
	Backup           bool
	Requests         int64
	Idle             int
	Opened, Failures int64
	Since            time.Time
}

// health asks at the admin socket, as `seawall status` does.
func (p *program) health() (health, error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", p.state+"/admin.sock")
	}}
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://localhost/status")
	if err != nil {
		return health{}, err
	}
	defer response.Body.Close()
	var h health
	err = json.NewDecoder(response.Body).Decode(&h)
	return h, err
}

// serverIs makes a condition for poll: a zone's server is in a state.
func (p *program) serverIs(zone, server, state string) func() error {
	return func() error {
		h, err := p.health()
		if err != nil {
			return err
		}
		s, err := h.server(zone, server)
		if err == nil && s.State != state {
			err = fmt.Errorf("%s of %s is %s (%s), not %s", server, zone, s.State, s.Why, state)
		}
		return err
	}
}

func (h health) server(zone, server string) (serverHealth, error) {
	for _, z := range h.Zones {
		for _, s := range z.Servers {
			if z.Zone == zone && s.Name == server {
				return s, nil
			}
		}
	}
	return serverHealth{}, fmt.Errorf("the status knows no server %s of %s", server, zone)
}

// nothingIdle is a condition for poll: no server has a connection to spare.
func (p *program) nothingIdle() error {
	h, err := p.health()
	for _, z := range h.Zones {
		for _, s := range z.Servers {
			if s.Idle > 0 {
				return fmt.Errorf("%s of %s has %d idle connections", s.Name, z.Zone, s.Idle)
			}
		}
	}
	return err
}

// queueIs makes a condition for poll: so many requests of a zone wait.
func (p *program) queueIs(zone string, want int) func() error {
	return func() error {
		h, err := p.health()
		if err != nil {
			return err
		}
		for _, z := range h.Zones {
			if z.Zone == zone && z.Waiting == want {
				return nil
			}
		}
		return fmt.Errorf("not %d requests of %s wait: %+v", want, zone, h.Zones)
	}
}

// checkStatus compares what `seawall status` prints about a server, as text
// and as JSON, with its state and a part of the reason.
func (p *program) checkStatus(t *testing.T, server, state, why string) {
	t.Helper()
	code, text, wrong := run(t, "status", "--state", p.state)
	line := ""
	for l := range strings.Lines(text) {
		if strings.Contains(l, " "+server+" http") {
			line = l
		}
	}
	if code != 0 || !strings.Contains(line, state) || !strings.Contains(line, why) {
		t.Errorf("seawall status: exit code %d, for %s it says %q, not %s and %q %s", code, server, line, state, why, wrong)
	}
	code, text, wrong = run(t, "status", "--json", "--state", p.state)
	var h health
	if err := json.Unmarshal([]byte(text), &h); code != 0 || err != nil {
		t.Errorf("seawall status --json: exit code %d, %v %s", code, err, wrong)
		return
	}
	for _, z := range h.Zones {
		for _, s := range z.Servers {
			if s.Name == server && (s.State != state || !strings.Contains(s.Why, why) || state != "well" && s.Since.IsZero()) {
				t.Errorf("seawall status --json: %s is %s since %s: %q, not %s and %q", server, s.State, s.Since, s.Why, state, why)
			}
		}
	}
}

// asking is one request. A page of the edge comes as JSON, with its reason.
func asking(method, host, target string) string {
	text := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: application/problem+json\r\n"
	if method == "POST" {
		text += "Content-Length: 4\r\n\r\nbody"
		return text
	}
	return text + "\r\n"
}

func (v *visitor) ask(method, host, target string) (answer, error) {
	if err := v.send(asking(method, host, target)); err != nil {
		return answer{}, err
	}
	return v.receive()
}

// once asks on a connection of its own, from an address of this machine.
func (p *program) once(from, method, host, target string) (answer, error) {
	dialer := net.Dialer{Timeout: patience}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := dialer.Dial("tcp", p.http)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	v := &visitor{conn.(*net.TCPConn), bufio.NewReader(conn)}
	return v.ask(method, host, target)
}

var reasonInPage = regexp.MustCompile(`"reason": ?"([a-z-]+)"`)

// reason is why the edge refused, "" for an answer that is the origin's.
func (a answer) reason() string {
	if m := reasonInPage.FindStringSubmatch(a.body); m != nil {
		return m[1]
	}
	return ""
}

func (a answer) String() string { return fmt.Sprintf("%d %s %.60q", a.status, a.reason(), a.body) }

// throng is visitors who ask without a pause, each for targets of his own;
// every fourth request is a POST. What they got is kept by request.
type throng struct {
	p     *program
	host  string
	count atomic.Int64
	each  []atomic.Int64 // the same for each visitor
	stop  chan struct{}
	done  sync.WaitGroup

	mu  sync.Mutex
	got map[string]string // status and reason, or what went wrong, by method and target
}

func (p *program) throng(host string, n int) *throng {
	g := &throng{p: p, host: host, each: make([]atomic.Int64, n), stop: make(chan struct{}), got: map[string]string{}}
	for i := range n {
		g.done.Go(func() { g.stay(i) })
	}
	return g
}

func (g *throng) stay(number int) {
	var v *visitor
	for i := 0; ; i++ {
		select {
		case <-g.stop:
			if v != nil {
				_ = v.conn.Close()
			}
			return
		default:
		}
		method, target := "GET", fmt.Sprintf("/%s/%d/%d", g.host, number, i)
		if i%4 == 3 {
			method = "POST"
		}
		said := g.one(&v, method, target)
		g.mu.Lock()
		g.got[method+" "+target] = said
		g.mu.Unlock()
		g.count.Add(1)
		g.each[number].Add(1)
	}
}

func (g *throng) one(v **visitor, method, target string) string {
	if *v == nil {
		var err error
		if *v, err = visit(g.p.http); err != nil {
			return err.Error()
		}
	}
	a, err := (*v).ask(method, g.host, target)
	if err != nil || a.closes {
		_ = (*v).conn.Close()
		*v = nil
	}
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, a.reason()))
}

// asked makes a condition for poll: n more answers than now.
func (g *throng) asked(n int64) func() error {
	want := g.count.Load() + n
	return func() error {
		if got := g.count.Load(); got < want {
			return fmt.Errorf("%d answers, not %d", got, want)
		}
		return nil
	}
}

// everybody makes a condition for poll: each visitor got n more answers.
func (g *throng) everybody(n int64) func() error {
	want := make([]int64, len(g.each))
	for i := range g.each {
		want[i] = g.each[i].Load() + n
	}
	return func() error {
		for i := range g.each {
			if got := g.each[i].Load(); got < want[i] {
				return fmt.Errorf("visitor %d got %d answers, not %d", i, got, want[i])
			}
		}
		return nil
	}
}

// leave ends the visits and returns what was got: requests by answer.
func (g *throng) leave() map[string][]string {
	close(g.stop)
	g.done.Wait()
	by := map[string][]string{}
	for key, said := range g.got {
		by[said] = append(by[said], key)
	}
	return by
}

// checkSeen compares with what arrived: whoever got an answer had his request
// at a server, and no POST was there twice.
func checkSeen(t *testing.T, by map[string][]string, origins ...*origin) {
	t.Helper()
	for said, keys := range by {
		for _, key := range keys {
			n := 0
			for _, o := range origins {
				n += o.count(key)
			}
			if strings.HasPrefix(key, "POST ") && n > 1 || said == "200" && n == 0 {
				t.Errorf("%s was at the servers %d times, and answered with %s", key, n, said)
			}
		}
	}
}

// checkOnly complains about requests of a method that got another answer
// than the first; more names those that may be got by at most so many.
func checkOnly(t *testing.T, by map[string][]string, method string, may ...string) (others int) {
	t.Helper()
	for said, keys := range by {
		for _, key := range keys {
			if !strings.HasPrefix(key, method+" ") || said == "200" {
				continue
			}
			others++
			if !slices.Contains(may, said) {
				t.Errorf("%s: %s", key, said)
			}
		}
	}
	return others
}
