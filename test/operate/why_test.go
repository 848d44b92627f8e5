package operate_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// run is another command of the same program.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errors bytes.Buffer
	command := exec.Command(raceBinary, args...)
	command.Stdout, command.Stderr = &out, &errors
	command.Env = append(os.Environ(), raceOptions)
	if err := command.Run(); err != nil && command.ProcessState == nil {
		t.Fatalf("seawall %s: %v", strings.Join(args, " "), err)
	}
	if strings.Contains(errors.String(), "DATA RACE") || strings.Contains(errors.String(), "panic") {
		t.Errorf("seawall %s races or panics\n%s", strings.Join(args, " "), &errors)
	}
	return command.ProcessState.ExitCode(), out.String(), errors.String()
}

// TestWhy_saysWhatHappened to every kind of request, also after the program
// was killed and started again.
func TestWhy_saysWhatHappened(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	config := "events: {sample: 1}\nzones:\n" + zoneLine("site.test", s.url()) + zoneLine("dead.test", "http://"+freeAddress(t))
	given := setup{dir: shortDir(t), config: config}
	p := start(t, given, s)
	v := p.enter(t)
	cases := []struct {
		name, host, target string
		status             int
		phrases            []string
		id                 string
	}{
		{name: "stored", host: "site.test", target: "/kept", status: 200, phrases: []string{
			"was answered", "GET /kept of site.test", "status 200", "had nothing under this address (uri-miss)", "it was kept (stored)"}},
		{name: "hit", host: "site.test", target: "/kept", status: 200, phrases: []string{
			"was answered", "at the cache (rung cache)", "had the answer (hit)", "there was nothing to decide"}},
		{name: "not kept", host: "site.test", target: "/page?a=b", status: 200, phrases: []string{
			"GET /page?a=b of site.test", "not kept: the origin forbids it (Cache-Control: no-store)"}},
		{name: "refused", host: "other.test", target: "/", status: 421, phrases: []string{
			"was refused by the edge", "No site with this name is served here. (unknown-host)", "none: it ended before it had one", "127.0.0.1"}},
		{name: "failed", host: "dead.test", target: "/", status: 502, phrases: []string{
			"could not be answered", "The site's server could not be reached. (origin-unreachable)", "at the origin", "status 502"}},
	}
	shown := regexp.MustCompile(`[0-9a-hjkmnp-tv-z]{20}`)
	for i := range cases {
		c := &cases[i]
		a := v.mustGet(t, c.host, c.target, c.status)
		c.id = a.header.Get("Seawall-Request-ID")
		if len(c.id) != 20 {
			t.Fatalf("%s: the answer has the request ID %q", c.name, c.id)
		}
		if c.status >= 400 && shown.FindString(a.body) != c.id {
			t.Errorf("%s: the page shows another request ID than %s\n%s", c.name, c.id, a.body)
		}
	}
	check := func(when string) {
		for _, c := range cases {
			p.await(t, c.name, func() error { return why(p.state, c.id, append(c.phrases, c.id)) })
		}
		code, stdout, _ := run(t, "why", "--state", p.state, "00000000000000000000")
		if code != 1 || !strings.Contains(stdout, "this request was not kept") {
			t.Errorf("%s: an ID that was never given: exit code %d, %q", when, code, stdout)
		}
	}
	check("while it runs")
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exited
	p.launch(t, given)
	p.await(t, "the program to be ready again", p.ready)
	check("after it was killed")
	p.enter(t).mustGet(t, "site.test", "/again", http.StatusOK)
	p.checkWorld(t)
	for _, c := range cases {
		if err := why(p.state, c.id, c.phrases); err != nil {
			t.Errorf("after it has stopped: %v", err)
		}
	}
}

// why asks for a request and looks for phrases in what it says.
func why(state, id string, phrases []string) error {
	command := exec.Command(raceBinary, "why", "--state", state, id)
	command.Env = append(os.Environ(), raceOptions)
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("seawall why %s: %w\n%s", id, err, out)
	}
	for _, phrase := range phrases {
		if !strings.Contains(string(out), phrase) {
			return fmt.Errorf("seawall why %s does not say %q\n%s", id, phrase, out)
		}
	}
	return nil
}
