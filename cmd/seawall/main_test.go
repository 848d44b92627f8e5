package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// typed runs a command line and returns what it says.
func typed(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = execute(args, &program{stdout: &out, stderr: &err})
	return code, out.String(), err.String()
}

func TestExecute_answersInOneSentence(t *testing.T) {
	dir := t.TempDir()
	mistaken := filepath.Join(dir, "mistaken.yaml")
	if err := os.WriteFile(mistaken, []byte("http: 80\nzones:\n- name: A\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "state")
	tests := []struct {
		line           string
		code           int
		stdout, stderr string
	}{
		{"version", 0, "seawall ", ""},
		{"--help", 0, "check --config=FILE", ""},
		{"run --help", 0, "--zone=NAME=ORIGIN_URL", ""},
		{"", 2, "", "expected one of"},
		{"fly", 2, "", "unexpected argument fly"},
		{"run --fly", 2, "", "unknown flag --fly"},
		{"run --role nurse", 2, "", "--role must be one of"},
		{"run --role control", 1, "", "not part of this version yet"},
		{"run", 1, "", "there is no zone"},
		{"run --zone a.com=htp://b", 1, "", "--zone a.com: origin.url: htp is not a scheme"},
		{"run --zone a.com=http://b --debug 192.0.2.1:80", 1, "", "--debug: 192.0.2.1:80 can be reached from outside"},
		{"run --config " + dir + "/none", 1, "", "the configuration " + dir + "/none cannot be read: no such file"},
		{"run --config " + dir, 1, "", "is a directory"},
		{"run --config " + mistaken, 1, "", "the configuration has 3 mistakes\n" + mistaken + ":1:7: http: "},
		{"run --zone a.com=http://b --state " + mistaken + " --admin " + dir + "/a.sock", 1, "", "cannot be used: not a directory"},
		{"check", 2, "", "missing flags: --config=FILE"},
		{"check --config " + mistaken, 1, "", mistaken + ":3:3: zones[0].name: write A in lower case"},
		{"check --config " + exampleFile, 0, "Zone example.com", ""},
		{"status --state " + empty, 1, "", "nothing answers at " + empty + "/admin.sock"},
		{"status --admin 127.0.0.1:1", 1, "", "nothing answers at 127.0.0.1:1"},
		{"why", 2, "", "expected \"<request-id>\""},
		{"why abc", 2, "", "\"abc\" is not a request ID"},
		{"why 00000000000000000000 --state " + empty, 1, "this request was not kept", ""},
		{"why 00000000000000000000 --json --state " + empty, 1, `"kept": false`, ""},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			code, stdout, stderr := typed(strings.Fields(test.line)...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			checkSaid(t, "standard output", stdout, test.stdout)
			checkSaid(t, "standard error", stderr, test.stderr)
		})
	}
}

// checkSaid fails unless text contains want; nothing may be said where nothing is wanted.
func checkSaid(t *testing.T, where, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) || want == "" && text != "" {
		t.Errorf("%s says %q, want %q", where, text, want)
	}
}

func TestServe_startsAndStopsEverything(t *testing.T) {
	dir := t.TempDir()
	s := source{State: filepath.Join(dir, "state"), Zones: []string{"a.com=http://a"}}
	signals := make(chan os.Signal, 1)
	var log bytes.Buffer
	start := func(c Config, _ *slog.Logger) (daemon, error) {
		if len(c.Zones) != 1 || c.Limits.MaxHead != 32<<10 {
			t.Errorf("started with %+v", c)
		}
		if _, err := openState(c.State); err == nil {
			t.Error("the state directory is not locked")
		}
		signals <- syscall.SIGTERM
		return &puppet{}, nil
	}
	if err := serve(s, newLog(&log, true, slog.LevelInfo), &slog.LevelVar{}, start, signals, nil); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"msg":"serving"`, `"door":"admin"`, `"msg":"draining`, `"msg":"stopped"`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log does not say %s:\n%s", part, &log)
		}
	}
	again, err := openState(s.State)
	if err != nil {
		t.Fatalf("the state directory is still locked: %v", err)
	}
	defer again.close()
	if _, err := os.Stat(adminSocket(s.State)); err == nil {
		t.Error("the admin socket is still there")
	}
}

func TestServe_givesEverythingBackWhenTheEdgeCannotStart(t *testing.T) {
	s := source{State: t.TempDir(), Zones: []string{"a.com=http://a"}}
	broken := func(Config, *slog.Logger) (daemon, error) { return nil, errors.New("no") }
	for range 2 { // the second would find the lock and the socket of the first
		err := serve(s, quiet, &slog.LevelVar{}, broken, nil, nil)
		checkError(t, err, "no")
	}
	if _, err := os.Stat(adminSocket(s.State)); err == nil {
		t.Error("the admin socket is still there")
	}
}

func TestServe_noticesAChangeDuringTheStart(t *testing.T) {
	for text, want := range map[string]int{oneZone: 0, twoZones: 1} {
		file := filepath.Join(t.TempDir(), "f.yaml")
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(oneZone)
		p, signals, ticks := &puppet{}, make(chan os.Signal), make(chan time.Time)
		start := func(Config, *slog.Logger) (daemon, error) {
			write(text)
			return p, nil
		}
		done := make(chan error, 1)
		go func() {
			done <- serve(source{File: file, State: t.TempDir()}, quiet, &slog.LevelVar{}, start, signals, ticks)
		}()
		ticks <- time.Time{}
		signals <- syscall.SIGINT
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(p.reloads) != want {
			t.Errorf("reloads %+v, want %d", p.reloads, want)
		}
	}
}
