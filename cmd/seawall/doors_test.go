package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
)

func ask(t *testing.T, handler http.Handler, method, url, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(method, url, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestMuxes_answerOnlyWhatIsTheirs(t *testing.T) {
	boss := &supervisor{}
	all := muxes(&puppet{}, boss, &slog.LevelVar{}, time.Now())
	drained := &supervisor{}
	drained.draining.Store(true)
	draining := muxes(&puppet{}, drained, &slog.LevelVar{}, time.Now())
	tests := []struct {
		name, door, method, path string
		muxes                    map[string]http.Handler
		status                   int
		body                     string
	}{
		{"alive", "metrics", "GET", "/healthz", all, 200, "alive"},
		{"ready", "metrics", "GET", "/readyz", all, 200, "ready"},
		{"metrics", "metrics", "GET", "/metrics", all, 200, "seawall_requests_total"},
		{"alive while draining", "metrics", "GET", "/healthz", draining, 200, "alive"},
		{"not ready while draining", "metrics", "GET", "/readyz", draining, 503, "not ready"},
		{"profiles", "debug", "GET", "/debug/pprof/", all, 200, "goroutine"},
		{"status", "admin", "GET", "/status", all, 200, `"connections":3`},
		{"status is not for metrics", "metrics", "GET", "/status", all, 404, ""},
		{"profiles are not for metrics", "metrics", "GET", "/debug/pprof/", all, 404, ""},
		{"profiles are not for admin", "admin", "GET", "/debug/pprof/", all, 404, ""},
		{"log level is not for admin", "admin", "GET", "/debug/log-level", all, 404, ""},
		{"only reading", "admin", "POST", "/status", all, 405, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, body := ask(t, test.muxes[test.door], test.method, test.path, "")
			if status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("%d %s, want %d with %q", status, body, test.status, test.body)
			}
		})
	}
}

func TestDebugMux_changesTheLogLevel(t *testing.T) {
	var level slog.LevelVar
	mux := debugMux(&level)
	if status, body := ask(t, mux, "PUT", "/debug/log-level", "debug\n"); status != 200 || level.Level() != slog.LevelDebug {
		t.Errorf("%d %s", status, body)
	}
	if status, body := ask(t, mux, "PUT", "/debug/log-level", "loud"); status != 400 || level.Level() != slog.LevelDebug {
		t.Errorf("%d %s", status, body)
	}
	if status, body := ask(t, mux, "GET", "/debug/log-level", ""); status != 200 || body != "DEBUG\n" {
		t.Errorf("%d %s", status, body)
	}
}

func TestThisMachineOnly_refusesHostsFromOutside(t *testing.T) {
	handler := thisMachineOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "in") }))
	for host, want := range map[string]int{
		"127.0.0.1:1": 200, "localhost:1": 200, "localhost": 200, "[::1]:1": 200, "[::1]": 200, "127.9.9.9": 200,
		"evil.example:1": 403, "evil.example": 403, "192.0.2.1:1": 403, "localhost.evil.example": 403,
	} {
		if status, _ := ask(t, handler, "GET", "http://"+host+"/", ""); status != want {
			t.Errorf("%s: %d, want %d", host, status, want)
		}
	}
}

// quiet is a logger for what nobody reads.
var quiet = slog.New(slog.DiscardHandler)

func TestDoors_statusComesOverTheSocket(t *testing.T) {
	dir := t.TempDir()
	c := Config{State: dir, Debug: "127.0.0.1:0", Metrics: "127.0.0.1:0"}.resolved()
	d, err := openDoors(c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(c.Admin); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v (%v), want 0600", info.Mode(), err)
	}
	began := time.Now().Add(-time.Minute)
	d.serve(muxes(&puppet{}, &supervisor{}, &slog.LevelVar{}, began))
	got, err := askStatus(context.Background(), c.Admin)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Started.Equal(began) || got.UptimeSeconds < 60 {
		t.Errorf("started %v, up %d s", got.Started, got.UptimeSeconds)
	}
	got.Started, got.UptimeSeconds = time.Time{}, 0
	want := Status{Version: seawall.Version, PID: os.Getpid(), Ready: true, Connections: 3, EventsDropped: 4, Zones: []ZoneStatus{{Zone: "example.com", Requests: 9, Hits: 5, Refused: 1, Failed: 2}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, door := range d.open {
		if door.name == "debug" {
			response, err := http.Get("http://" + door.listener.Addr().String() + "/debug/log-level")
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(response.Body); err != nil || string(body) != "INFO\n" {
				t.Errorf("%s (%v)", body, err)
			}
			response.Body.Close()
		}
	}
	d.close()
	if _, err := os.Stat(c.Admin); err == nil {
		t.Error("the socket is still there")
	}
	_, err = askStatus(context.Background(), c.Admin)
	checkError(t, err, "nothing answers at "+c.Admin, "is seawall running")
}

func TestDoors_takeOverTheSocketOfTheDead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	c := Config{Admin: path}
	_, err = openDoors(c, quiet)
	checkError(t, err, path, "in use by another program")
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := openDoors(c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	d.close()
}

func TestDoors_leaveFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDoors(Config{Admin: path}, quiet); err == nil {
		t.Error("a file became a socket")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "x" {
		t.Errorf("the file holds %q (%v)", text, err)
	}
}

func TestDoors_sayThatAPortIsTakenAndCloseTheOthers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken := listener.Addr().String()
	c := Config{Admin: filepath.Join(t.TempDir(), "admin.sock"), Metrics: taken}
	_, err = openDoors(c, quiet)
	checkError(t, err, "cannot listen on the metrics address "+taken+": another program is listening there")
	if _, err := os.Stat(c.Admin); err == nil {
		t.Error("the admin socket is still there")
	}
}

func TestListenError_isOneSentence(t *testing.T) {
	listen := func(err error) error {
		return &net.OpError{Op: "listen", Net: "tcp", Addr: &net.TCPAddr{Port: 80}, Err: os.NewSyscallError("bind", err)}
	}
	for _, test := range []struct {
		address string
		err     error
		want    string
	}{
		{":80", listen(syscall.EADDRINUSE), "another program is listening there"},
		{":80", listen(syscall.EACCES), "ports below 1024 need root"},
		{"/run/a.sock", listen(syscall.EACCES), "/run/a.sock: permission denied"},
		{":80", listen(syscall.EADDRNOTAVAIL), "does not have that address"},
		{":80", listen(syscall.EIO), ":80: input/output error"},
	} {
		checkError(t, listenError("debug", test.address, test.err), "cannot listen on the debug address "+test.address+": ", test.want)
	}
}

func TestAskStatus_knowsStrangers(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"not the admin address": http.NotFound,
		"sends no status":       func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "hello") },
	} {
		server := httptest.NewServer(handler)
		_, err := askStatus(context.Background(), server.Listener.Addr().String())
		checkError(t, err, name)
		server.Close()
	}
}

func TestStatus_keysInJSONStay(t *testing.T) {
	text, err := json.Marshal(fullStatus(Status{}, time.Unix(5, 0).UTC(), time.Unix(8, 0)))
	want := `"started":"1970-01-01T00:00:05Z","uptime_seconds":3,"ready":false,"draining":false,"connections":0,"events_dropped":0,"generation":0,"cache_bytes":0,"cache_objects":0,"pressure":"","zones":[]}`
	if err != nil || !strings.HasSuffix(string(text), want) || !strings.HasPrefix(string(text), `{"version":"`) {
		t.Errorf("%s (%v)", text, err)
	}
	text, err = json.Marshal(ZoneStatus{Zone: "a", Servers: []ServerStatus{}})
	if want := `{"zone":"a","requests":0,"hits":0,"refused":0,"failed":0,"waiting":0,"cache_bytes":0,"cache_waiting":0,"servers":[]}`; err != nil || string(text) != want {
		t.Errorf("%s (%v)", text, err)
	}
}

func TestAdmin_takesNoOrdersFromForms(t *testing.T) {
	var got []string
	mux := adminMux(func() Status { return Status{} }, func(zone string, parts []string, _ time.Duration) error {
		got = append(got, zone)
		if zone == "b" {
			return errors.New("there is no zone b")
		}
		return nil
	})
	for _, c := range []struct {
		contentType, body string
		status            int
	}{
		{"application/json", `{"zone":"a","parts":["cache"],"for":1000000000}`, 200},
		{"text/plain", `{"zone":"a","parts":["cache"],"for":1000000000}`, 415},
		{"application/x-www-form-urlencoded", `{"zone":"a"}`, 415},
		{"application/json", `{"zone":`, 400},
		{"application/json", `{"zone":"b"}`, 400},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/bypass", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		mux.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s: status %d, want %d: %s", c.contentType, c.body, w.Code, c.status, w.Body)
		}
	}
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("orders were given for %v", got)
	}
}
