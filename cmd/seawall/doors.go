package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/seawall-edge/seawall"
)

// doors are the addresses for operators: admin, metrics and debug. Each has
// a mux of its own, so that nothing of one can be reached through another.
type doors struct {
	log     *slog.Logger
	open    []door
	servers []*http.Server
}

type door struct {
	name     string
	listener net.Listener
	loopback bool // asked by a name that is not this machine's, it does not answer
}

// openDoors listens everywhere, so that an address that is taken is noticed
// before a visitor is.
func openDoors(c Config, log *slog.Logger) (*doors, error) {
	d := &doors{log: log}
	network, address := adminNetwork(c.Admin)
	if network == "unix" {
		if err := removeStale(address); err != nil {
			return nil, err
		}
	}
	for _, door := range []struct {
		name, network, address string
		loopback               bool
	}{
		{"admin", network, address, network == "tcp"},
		{"metrics", "tcp", c.Metrics, false},
		{"debug", "tcp", c.Debug, true},
	} {
		if door.address == "" {
			continue
		}
		if err := d.listen(door.name, door.network, door.address, door.loopback); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

func (d *doors) listen(name, network, address string, loopback bool) error {
	listener, err := net.Listen(network, address)
	if err != nil {
		return listenError(name, address, err)
	}
	d.open = append(d.open, door{name, listener, loopback})
	if network == "unix" {
		if err := os.Chmod(address, 0o600); err != nil {
			return listenError(name, address, err)
		}
	}
	return nil
}

// listenError says in one sentence why an address cannot be listened on.
func listenError(name, address string, err error) error {
	why := rootCause(err).Error()
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		why = "another program is listening there; stop it, or choose another address"
	case errors.Is(err, syscall.EACCES) && !strings.Contains(address, "/"):
		why = "the system does not let this user; ports below 1024 need root or CAP_NET_BIND_SERVICE"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		why = "this machine does not have that address"
	}
	return fmt.Errorf("cannot listen on the %s address %s: %s", name, address, why)
}

// removeStale deletes the socket of a program that is gone. One that answers
// is left alone, and so is everything that is not a socket.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Mode()&os.ModeSocket == 0 {
		return nil // listening says what is wrong
	}
	if err != nil {
		return listenError("admin", path, err)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(fmt.Errorf("the admin socket %s is in use by another program", path), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return listenError("admin", path, err)
	}
	if err := os.Remove(path); err != nil {
		return listenError("admin", path, err)
	}
	return nil
}

// serve answers at every door until close.
func (d *doors) serve(muxes map[string]http.Handler) {
	for _, door := range d.open {
		handler := muxes[door.name]
		if door.loopback {
			handler = thisMachineOnly(handler)
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
			ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug)}
		d.servers = append(d.servers, server)
		go func() {
			if err := server.Serve(door.listener); !errors.Is(err, http.ErrServerClosed) {
				d.log.Error("a door for operators has closed", "door", door.name, "error", err)
			}
		}()
		d.log.Info("open for operators", "door", door.name, "address", door.listener.Addr().String())
	}
}

// close ends every door; the admin socket's file goes with its listener.
func (d *doors) close() {
	for _, server := range d.servers {
		_ = server.Close() // its listener is closed below
	}
	for _, door := range d.open {
		_ = door.listener.Close() // an error says that it is closed already
	}
}

// thisMachineOnly keeps web pages out that a browser of this machine has
// open: their requests name a host of theirs.
func thisMachineOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		address, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if host != "localhost" && (err != nil || !address.IsLoopback()) {
			http.Error(w, "ask with the address of this machine", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// adminMux answers `seawall status` and `seawall bypass`.
func adminMux(status func() Status, bypass func(zone string, parts []string, wait time.Duration) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(status()) // whoever asked is gone
	})
	mux.HandleFunc("POST /bypass", func(w http.ResponseWriter, r *http.Request) {
		// A web page that a browser of this machine has open can post forms to a
		// loopback address, but not this type without being asked first.
		if r.Header.Get("Content-Type") != "application/json" {
			answer(w, http.StatusUnsupportedMediaType, "send application/json")
			return
		}
		var order bypassOrder
		err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&order)
		if err == nil {
			err = bypass(order.Zone, order.Parts, order.For)
		}
		if err != nil {
			answer(w, http.StatusBadRequest, err.Error())
			return
		}
		answer(w, http.StatusOK, "done")
	})
	return mux
}

// fullStatus fills in what the process knows of itself.
func fullStatus(s Status, started, now time.Time) Status {
	orElse(&s.Version, seawall.Version)
	orElse(&s.PID, os.Getpid())
	orElse(&s.Started, started.Round(0))
	orElse(&s.UptimeSeconds, int64(now.Sub(started)/time.Second))
	if s.Zones == nil {
		s.Zones = []ZoneStatus{}
	}
	return s
}

// debugMux has the profiles, and the log level to read and to PUT.
func debugMux(level *slog.LevelVar) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/log-level", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, level.Level().String())
	})
	mux.HandleFunc("PUT /debug/log-level", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(io.LimitReader(r.Body, 32))
		if err == nil {
			err = level.UnmarshalText([]byte(strings.TrimSpace(string(text))))
		}
		if err != nil {
			answer(w, http.StatusBadRequest, "send debug, info, warn or error")
			return
		}
		answer(w, http.StatusOK, level.Level().String())
	})
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // whoever asked is gone
}

// askAdmin asks a running program and returns what it answers.
func askAdmin(ctx context.Context, admin, method, path string, order any) ([]byte, error) {
	network, address := adminNetwork(admin)
	var dialer net.Dialer
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}}
	var body bytes.Buffer
	if order != nil {
		if err := json.NewEncoder(&body).Encode(order); err != nil {
			return nil, fmt.Errorf("write the order: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, &body)
	if err != nil {
		return nil, fmt.Errorf("ask the running program: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("nothing answers at %s; is seawall running, and is this its address? (%w)", admin, rootCause(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	switch {
	case response.StatusCode == http.StatusBadRequest:
		return nil, errors.New(strings.TrimSpace(string(text)))
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answers %s; this is not the admin address of seawall", admin, response.Status)
	case err != nil:
		return nil, fmt.Errorf("%s breaks off its answer: %w", admin, err)
	}
	return text, nil
}

// askStatus asks a running program how it is.
func askStatus(ctx context.Context, admin string) (Status, error) {
	var status Status
	text, err := askAdmin(ctx, admin, http.MethodGet, "/status", nil)
	if err != nil {
		return status, err
	}
	if err := json.Unmarshal(text, &status); err != nil {
		return status, fmt.Errorf("%s sends no status: %w", admin, err)
	}
	return status, nil
}
