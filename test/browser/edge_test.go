package browser

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// binary is the real program, built once with the race detector; empty when
// the stories play without an edge.
var binary string

var withoutEdge = os.Getenv("SEAWALL_BROWSER_WITHOUT_EDGE") != ""

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun is apart from TestMain so that the folder is removed before the exit.
func buildAndRun(m *testing.M) int {
	if withoutEdge {
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "seawall-browser-binary-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the binary:", err)
		return 1
	}
	defer os.RemoveAll(folder)
	if binary = os.Getenv("SEAWALL_BINARY"); binary == "" {
		binary = filepath.Join(folder, "seawall")
		build := exec.Command("go", "build", "-race", "-o", binary, "../../cmd/seawall")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
			return 1
		}
	}
	// The program runs as an unprivileged user.
	if err := os.Chmod(folder, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "open the folder of the binary:", err)
		return 1
	}
	return m.Run()
}

// edge is where visitors connect: Seawall, or the origins themselves.
type edge struct {
	origins       map[string]string // zone to the address of its origin
	http, metrics string
	process       *process // nil without an edge
}

// planEdge chooses the addresses; origins may want to know them.
func planEdge(t *testing.T, origins map[string]string) *edge {
	t.Helper()
	return &edge{origins: origins, http: freeAddress(t), metrics: freeAddress(t)}
}

// door is the address at which visitors reach a zone.
func (e *edge) door(zone string) string {
	if withoutEdge {
		return e.origins[zone]
	}
	return e.http
}

func (e *edge) start(t *testing.T, s *stage) {
	t.Helper()
	if withoutEdge {
		t.Log("without an edge: the browser talks to the origins")
		return
	}
	arguments := []string{"run", "--http", e.http, "--metrics", e.metrics, "--state", filepath.Join(s.room(t, "edge"), "state")}
	for zone, origin := range e.origins {
		arguments = append(arguments, "--zone", zone+"=http://"+origin)
	}
	// Registered first and so run last: when the program has ended.
	t.Cleanup(func() { e.ended(t) })
	program := s.path("edge", "seawall")
	run(t, nil, exec.Command("cp", binary, program))
	e.process = start(t, "seawall", s.command(program, arguments...))
	e.process.await(t, func() error {
		_, err := read("http://" + e.metrics + "/readyz")
		return err
	})
}

// ended looks at how the program ended; 66 is the race detector's status.
func (e *edge) ended(t *testing.T) {
	if e.process == nil {
		return
	}
	if e.process.err != nil {
		t.Errorf("seawall ended with: %v", e.process.err)
	}
	for _, trouble := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(e.process.said.String(), trouble) {
			t.Errorf("seawall says %s", trouble)
		}
	}
}

// serverErrors are the samples of the edge's metrics that count answers of
// class 5xx. The second result counts the samples that are about a class at
// all, so that a renamed metric does not pass for a good one.
var (
	statusSample = regexp.MustCompile(`(?m)^seawall_\w+\{[^}]*(?:status|code|class)\w*="([1-5])(?:xx|\d\d)"[^}]*\} (\S+)$`)
	hitField     = regexp.MustCompile(`;\s*hit\b`)
)

func serverErrors(metrics string) (errors []string, samples int) {
	for _, sample := range statusSample.FindAllStringSubmatch(metrics, -1) {
		samples++
		if sample[1] == "5" && sample[2] != "0" {
			errors = append(errors, sample[0])
		}
	}
	return errors, samples
}

// checkEdge asks the edge itself whether anything broke.
func (e *edge) check(t *testing.T, step string) {
	t.Helper()
	if e.process == nil {
		return
	}
	text, err := read("http://" + e.metrics + "/metrics")
	if err != nil {
		t.Errorf("%s: read the metrics: %v", step, err)
		return
	}
	errors, samples := serverErrors(text)
	if samples == 0 {
		t.Errorf("%s: no metric counts answers by their status", step)
	}
	for _, line := range errors {
		t.Errorf("%s: the edge counts a failure: %s", step, line)
	}
}

// stranger fetches a URL as somebody the site has never seen: no cookie, no
// cache of their own, redirects not followed.
func (e *edge) stranger(rawURL string) (*http.Response, string, error) {
	client := http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				zone, _, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				return (&net.Dialer{}).DialContext(ctx, network, e.door(zone))
			},
		},
	}
	request, err := http.NewRequest(http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, "", err
	}
	// As the browser says it, or a cache would have another variant for us.
	request.Header.Set("Accept-Encoding", "gzip, deflate")
	answer, err := client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	var plain io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if plain, err = gzip.NewReader(answer.Body); err != nil {
			return nil, "", fmt.Errorf("unpack the page: %w", err)
		}
	}
	body, err := io.ReadAll(plain)
	return answer, string(body), err
}

func read(rawURL string) (string, error) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(rawURL)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", rawURL, answer.Status)
	}
	return string(body), err
}
