package https_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// scanned are the parts of testssl.sh that can find something: what is left out
// tries every cipher again and plays old browsers, and only tells.
var scanned = []string{"--protocols", "--standard", "--pfs", "--server-preference", "--server-defaults", "--headers", "--vulnerable", "--rc4"}

// finding is one line of what testssl.sh says.
type finding struct{ ID, Severity, Finding string }

// A scanner finds nothing above LOW, but for what testdata says, where each
// line is one that is still needed.
func TestScan_findsNothingAboveLow(t *testing.T) {
	require(t, "testssl.sh")
	t.Parallel()
	found := map[string]finding{}
	for _, f := range scan(t) {
		found[f.ID] = f
	}
	// A scan that was cut short, or saw something else, finds nothing either.
	for id, want := range map[string]string{
		"scanTime": "INFO ", "TLS1_2": "OK offered", "TLS1_3": "OK offered", "cert_chain_of_trust": "OK passed", "cert_trust": "OK Ok via SAN",
		"HSTS_time": "OK 365 days", "HSTS_subdomains": "OK includes subdomains", "BREACH": "OK not vulnerable", "secure_client_renego": "OK not vulnerable", "LUCKY13": "",
	} {
		if f, known := found[id]; !known || !strings.HasPrefix(f.Severity+" "+f.Finding, want) {
			t.Errorf("%s: %q, want %q", id, f, want)
		}
	}
	accepted := acceptedFindings(t)
	for id, f := range found {
		low := f.Severity == "OK" || f.Severity == "INFO" || f.Severity == "LOW"
		if accepted[id] && low {
			t.Errorf("%s need not be accepted any more: %s, %s", id, f.Severity, f.Finding)
		}
		if !accepted[id] && !low {
			t.Errorf("%s: %s, %s", id, f.Severity, f.Finding)
		}
		delete(accepted, id)
	}
	for id := range accepted {
		t.Errorf("%s is accepted, and nobody finds it", id)
	}
}

// acceptedFindings reads the list: an identifier and why, three at most.
func acceptedFindings(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "accepted-findings"))
	if err != nil {
		t.Fatal(err)
	}
	accepted := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		id, why, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if accepted[id] = true; why == "" || len(accepted) > 3 {
			t.Fatalf("three findings are accepted, each with its why; not %q", line)
		}
	}
	return accepted
}

// scan has testssl.sh look at a site as somebody runs it in public.
func scan(t *testing.T) (findings []finding) {
	t.Helper()
	n := newNotary(t)
	s := begin(t, func(dir string) string {
		n.certify(t, dir, "scanned", newKey(t, "P-256"), time.Now().Add(quarter), "scanned.example.com")
		replaceFile(t, filepath.Join(dir, "root.pem"), certificatePEM(n.root))
		return `
  - {name: scanned.example.com, origin: {url: '%[1]s'}, compression: {off: true},
     tls: {certificates: [{chain: scanned.pem, key: scanned.key}], hsts: {for: 8760h, subdomains: true}}}
`
	})
	dir := filepath.Dir(s.config)
	address, port, err := net.SplitHostPort(s.https)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(dir, "report.json")
	arguments := append(scanned, "--warnings", "batch", "--color", "0", "--nodns", "none", "--ip", address, "--connect-timeout", "20",
		"--openssl-timeout", "20", "--add-ca", filepath.Join(dir, "root.pem"), "--jsonfile", report, "scanned.example.com:"+port)
	command := exec.Command("testssl", arguments...)
	// Engines are for ciphers that nobody offers, and it warns where there are none.
	command.Dir, command.Env = dir, append(os.Environ(), "NO_ENGINE=true")
	p, err := program.Start("testssl", command)
	if err != nil {
		t.Fatal(err)
	}
	select { // it takes a minute
	case <-p.Exited:
	case <-time.After(5 * time.Minute):
		t.Errorf("testssl.sh does not end: %v", p.Stop(patience))
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("%v; it said\n%s", err, p.Said())
	}
	if err := json.Unmarshal(text, &findings); err != nil {
		t.Fatalf("read the report: %v\n%s", err, text)
	}
	return findings
}
