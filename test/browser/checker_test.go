package browser

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// TestChecker_seesWhatIsBroken feeds the checker what a browser would say.
// A checker that finds nothing wrong with anything lets every story pass.
func TestChecker_seesWhatIsBroken(t *testing.T) {
	const page = "http://wordpress.test/"
	asks := func(url string) any {
		return &network.EventRequestWillBeSent{RequestID: "1", Request: &network.Request{URL: url}}
	}
	gets := func(status int64, headers network.Headers) any {
		return &network.EventResponseReceived{RequestID: "1", Response: &network.Response{
			URL: page, Status: status, Headers: headers, RemotePort: 80,
		}}
	}
	miss := network.Headers{"cache-status": "seawall; fwd=uri-miss"}
	for name, c := range map[string]struct {
		events []any
		broken string // part of the only complaint; empty when there is none
	}{
		"a good answer":          {[]any{asks(page), gets(200, miss), &network.EventLoadingFinished{RequestID: "1"}}, ""},
		"an error page":          {[]any{asks(page), gets(502, miss)}, "status 502"},
		"a missing page":         {[]any{asks(page), gets(404, miss)}, "status 404"},
		"a connection that ends": {[]any{asks(page), &network.EventLoadingFailed{RequestID: "1", ErrorText: "net::ERR_EMPTY_RESPONSE"}}, "ERR_EMPTY_RESPONSE"},
		"no word from the cache": {[]any{asks(page), gets(200, nil)}, "no Cache-Status"},
		"another host":           {[]any{asks("http://elsewhere.test/")}, "not ours"},
		"an exception":           {[]any{&runtime.EventExceptionThrown{ExceptionDetails: &runtime.ExceptionDetails{Text: "Uncaught"}}}, "Uncaught"},
		"a refused socket":       {[]any{&network.EventWebSocketHandshakeResponseReceived{Response: &network.WebSocketResponse{Status: 403}}}, "refused with 403"},
		"a closed socket":        {[]any{&network.EventWebSocketCreated{RequestID: "2"}, &network.EventWebSocketClosed{RequestID: "2"}}, "closed under"},
	} {
		t.Run(name, func(t *testing.T) {
			if withoutEdge && name == "no word from the cache" {
				t.Skip("there is no edge to have a word")
			}
			r := newRecord([]string{"wordpress.test"})
			for _, event := range c.events {
				r.listen(event)
			}
			broken := r.takeBroken()
			if c.broken == "" && len(broken) > 0 {
				t.Errorf("complains about nothing: %q", broken)
			}
			if c.broken != "" && (len(broken) != 1 || !strings.Contains(broken[0], c.broken)) {
				t.Errorf("broken: %q, want one that has %q", broken, c.broken)
			}
		})
	}
}

func TestChecker_countsServerErrors(t *testing.T) {
	const good = "seawall_answers_total{class=\"2xx\"} 7\nseawall_answers_total{class=\"5xx\"} 0\n"
	if errors, samples := serverErrors(good); len(errors) != 0 || samples != 2 {
		t.Errorf("errors %q of %d samples, want none of 2", errors, samples)
	}
	if errors, _ := serverErrors(good + "seawall_answers_total{class=\"5xx\"} 3\n"); len(errors) != 1 {
		t.Errorf("errors %q, want one", errors)
	}
	if _, samples := serverErrors("seawall_connections_open 1\n"); samples != 0 {
		t.Errorf("%d samples, want none", samples)
	}
}

func TestChecker_findsAProcessThatWasLeft(t *testing.T) {
	folder := t.TempDir()
	left := exec.Command("sleep", "60")
	left.Dir = folder
	p := start(t, "a process", left)
	if found := remaining(folder); len(found) != 1 {
		t.Errorf("found %q, want the one process", found)
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Fatalf("end the process: %v", err)
	}
	<-p.exited
	if found := remaining(folder); len(found) != 0 {
		t.Errorf("found %q after its end", found)
	}
}

// TestSetup_installsWhatTheStoriesNeed holds test/setup to the packages that
// the stories ask for, so that a new machine has them all.
func TestSetup_installsWhatTheStoriesNeed(t *testing.T) {
	list, err := exec.Command(filepath.Join("..", "setup"), "--list").Output()
	if err != nil {
		t.Fatalf("ask test/setup: %v", err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		name, _, _ := strings.Cut(line, " ")
		listed[name] = true
	}
	for _, need := range needs {
		if !listed[need.debian] {
			t.Errorf("test/setup does not install %s", need.debian)
		}
	}
}
