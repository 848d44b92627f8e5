package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seawall-edge/seawall/edge/metrics"
)

// runCommand is `seawall run`.
type runCommand struct {
	Config string   `placeholder:"FILE" help:"Configuration in YAML. Flags override it."`
	HTTP   string   `name:"http" placeholder:"ADDR" help:"Where visitors come in (default :8080)."`
	HTTPS  string   `name:"https" placeholder:"ADDR" help:"Where visitors come in with TLS (default off)."`
	State  string   `placeholder:"DIR" help:"State directory (default ${state})."`
	Zone   []string `sep:"none" placeholder:"NAME=ORIGIN_URL" help:"A site and the server that has it; may be repeated. *=ORIGIN_URL takes any host."`

	Resolver []string `placeholder:"ADDR" help:"DNS server for the names of origins; may be repeated (default those of /etc/resolv.conf)."`

	Admin   string `placeholder:"ADDR" help:"Where seawall status asks: a Unix socket or loopback host:port (default admin.sock in the state directory)."`
	Debug   string `placeholder:"ADDR" help:"Profiles and log level; loopback only (default off)."`
	Metrics string `placeholder:"ADDR" help:"/metrics, /healthz and /readyz (default off)."`

	AccessLog       string `placeholder:"FILE" help:"A line for each request; - is standard output (default off)."`
	AccessLogFormat string `placeholder:"FORMAT" help:"json, combined or plain (default json)."`
	AccessLogWhat   string `placeholder:"WHAT" help:"all, sample or errors (default all)."`

	Role    string `enum:"all,edge,control" default:"all" help:"all, edge or control."`
	LogJSON bool   `name:"log-json" help:"Log to standard error as JSON."`
}

func (r runCommand) source() source {
	return source{
		File: r.Config, HTTP: r.HTTP, HTTPS: r.HTTPS, State: r.State, Admin: r.Admin, Debug: r.Debug, Metrics: r.Metrics,
		AccessLog: r.AccessLog, AccessFormat: r.AccessLogFormat, AccessWhat: r.AccessLogWhat, Resolver: r.Resolver, Zones: r.Zone,
	}
}

// Run serves until a signal ends it.
func (r runCommand) Run(p *program) error {
	if r.Role == "control" {
		return errors.New("the control plane is not part of this version yet; start the edge with --role edge, or leave --role out")
	}
	var level slog.LevelVar
	log := newLog(p.stderr, r.LogJSON, &level)
	// From here on a signal waits until it can be handled in order.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	return serve(r.source(), log, &level, startEdge, signals, ticker.C)
}

func newLog(w io.Writer, asJSON bool, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// serve starts everything in an order in which each step can still fail
// without a visitor having noticed, and stops it in the reverse.
func serve(s source, log *slog.Logger, level *slog.LevelVar, start func(Config, *slog.Logger) (daemon, error),
	signals <-chan os.Signal, ticks <-chan time.Time) error {
	c, src, err := s.load()
	if err != nil {
		return startError(err)
	}
	held, err := openState(c.State)
	if err != nil {
		return err
	}
	defer held.close()
	doors, err := openDoors(c, log)
	if err != nil {
		return err
	}
	defer doors.close()
	d, err := start(c, log)
	if err != nil {
		return err
	}
	began := time.Now()
	boss := &supervisor{source: s, started: c, running: c, daemon: d, log: log, signals: signals, ticks: ticks,
		// The file counts as not yet seen, so the first look compares its content
		// and a change during the start is noticed.
		watch: watcher{source: s, last: src}}
	doors.serve(muxes(d, boss, level, began))
	log.Info("serving", "http", c.HTTP, "https", c.HTTPS, "zones", len(c.Zones), "state", c.State, "pid", os.Getpid())
	return boss.run()
}

// muxes are what the doors answer with.
func muxes(d daemon, boss *supervisor, level *slog.LevelVar, began time.Time) map[string]http.Handler {
	ready := func() bool { return d.Ready() && !boss.draining.Load() }
	status := func() Status {
		s := d.Status()
		s.Ready, s.Draining = ready(), s.Draining || boss.draining.Load()
		return fullStatus(s, began, time.Now())
	}
	return map[string]http.Handler{
		"admin":   adminMux(status, d.Bypass),
		"metrics": metrics.Mux(d.Metrics, ready),
		"debug":   debugMux(level),
	}
}

// startError says all that is wrong before the first visitor.
func startError(err error) error {
	var wrong complaints
	if errors.As(err, &wrong) && len(wrong) > 1 {
		return fmt.Errorf("the configuration has %d mistakes\n%w", len(wrong), err)
	}
	return err
}
