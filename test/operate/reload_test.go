package operate_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestReload_touchesOnlyTheZonesThatChanged rewrites the configuration thirty
// times under load, by file alone and with SIGHUP.
func TestReload_touchesOnlyTheZonesThatChanged(t *testing.T) {
	t.Parallel()
	steady, first, second := newSite(t, "steady"), newSite(t, "first"), newSite(t, "second")
	lasting := "zones:\n" + zoneLine("steady.test", steady.url())
	p := start(t, setup{config: lasting}, steady, first, second)

	tunnel, stream := p.enter(t), p.enter(t)
	if err := tunnel.switchTo("steady.test"); err != nil {
		t.Fatalf("open the tunnel: %v", err)
	}
	events, err := stream.listen("steady.test")
	if err != nil {
		t.Fatalf("open the stream of events: %v", err)
	}
	crowd := newCrowd(p.http, "steady.test", "steady")
	crowd.come(32)
	prober := p.enter(t)

	mistakes := 0
	for round := range 30 {
		text := fmt.Sprintf("round %d", round)
		// The comment makes each round another text.
		config, want, mistake := lasting+"# "+text+"\n", "", ""
		switch round % 5 {
		case 0:
			config, want = config+zoneLine("moving.test", first.url()), "first"
		case 1:
			config, want = config+zoneLine("moving.test", second.url()), "second"
		case 2:
			config, want = config+"  - {name: moving.test, origin: {url: 'ftp://nowhere'}, colour: blue}\n", "second" // the old goes on
			mistake = "there is no setting called"
		case 3:
			config, want, mistake = config+"  - [\n", "second", "this is not YAML"
		}
		said := strings.Count(p.said.String(), mistake)
		p.write(t, config)
		if round%4 != 3 {
			p.signal(t, syscall.SIGHUP)
		} // else the change is noticed
		if mistake != "" {
			mistakes++
			p.awaitSaid(t, mistake, said+1)
			p.await(t, text, p.metricIs("seawall_configuration_last_reload_successful", 0))
		}
		p.await(t, text, func() error { return served(prober, want) })
		if err := errors.Join(tunnel.say(text), stream.hears(steady, events, text)); err != nil {
			t.Fatalf("%s: an open connection did not survive: %v", text, err)
		}
		p.await(t, "visitors to be served", crowd.asked(32))
	}
	crowd.leave(t)
	if n := crowd.again.Load(); n > 0 {
		t.Errorf("%d connections of the crowd were closed by a reload", n)
	}
	if mistakes != 12 {
		t.Errorf("%d rounds were broken, not 12", mistakes)
	}
	// Line and mistake: four lines of doors, "zones:", the lasting zone, a comment.
	for _, part := range []string{
		p.config + ":8:57: zones[1].colour: there is no setting", p.config + ":8:34: zones[1].origin.url: ftp is not a scheme", p.config + ":9:1: this is not YAML",
		"everything goes on as before",
	} {
		if !strings.Contains(p.said.String(), part) {
			t.Errorf("the log does not say %q\n%s", part, p.said)
		}
	}
	if err := p.metricIs("seawall_configuration_last_reload_successful", 1)(); err != nil {
		t.Error(err)
	}
	if n := steady.accepted.Load(); n > 100 {
		t.Errorf("the zone that never changed made %d connections to its origin: its pool did not survive", n)
	}
	steady.letGo() // the edge learns of a visitor who left when there is something to send
	p.checkWorld(t)
}

// served looks at what answers for the zone that changes: a site, or with
// no name nobody.
func served(v *visitor, want string) error {
	a, err := v.get("moving.test", "/where")
	switch {
	case err != nil:
		return fmt.Errorf("ask for the zone that changes: %w", err)
	case want == "" && a.status != http.StatusMisdirectedRequest:
		return fmt.Errorf("a zone that was removed answers with %d", a.status)
	case want != "" && (a.status != http.StatusOK || a.body != pageOf(want, "/where")):
		return fmt.Errorf("status %d and %.40q, but %s should answer", a.status, a.body, want)
	}
	return nil
}
