package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// demoCommand is `seawall demo`: the daemon as it is, with defaults, in front
// of a sample site of its own.
type demoCommand struct {
	HTTP  string `name:"http" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where visitors come in (default ${default})."`
	HTTPS string `name:"https" default:"127.0.0.1:8443" placeholder:"ADDR" help:"Where they come in with TLS (default ${default})."`
}

// Run serves until Ctrl-C.
func (d demoCommand) Run(p *program) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	state, err := os.MkdirTemp("", "seawall-demo-")
	if err != nil {
		return fmt.Errorf("make a state directory for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(state) }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the sample site: %w", err)
	}
	site := &http.Server{Handler: sampleSite(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = site.Serve(listener) }()
	defer func() { _ = site.Close() }()

	_, port, err := net.SplitHostPort(d.HTTP)
	if err != nil {
		return usageError{fmt.Errorf("--http %s: %w", d.HTTP, err)}
	}
	_, securePort, err := net.SplitHostPort(d.HTTPS)
	if err != nil {
		return usageError{fmt.Errorf("--https %s: %w", d.HTTPS, err)}
	}
	origin := "http://" + listener.Addr().String()
	source := source{
		HTTP: d.HTTP, HTTPS: d.HTTPS, State: state, AccessLog: "-", AccessFormat: "plain",
		Zones: []string{"localhost=" + origin, "127.0.0.1=" + origin},
	}
	var level slog.LevelVar
	level.Set(slog.LevelWarn)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	started := func(cfg Config, log *slog.Logger) (daemon, error) {
		cfg.Events.Sample = 1 // so that seawall why knows every request
		daemon, err := startEdge(cfg, log)
		if err == nil {
			fmt.Fprintf(p.stdout, welcome, port, origin, state, securePort)
		}
		return daemon, err
	}
	err = serve(source, newLog(p.stderr, false, &level), &level, started, signals, ticker.C)
	if err == nil {
		fmt.Fprintln(p.stdout, "stopped; nothing is left behind")
	}
	return err
}

const welcome = `Seawall is running on this machine, with a sample site behind it.

  Open    http://localhost:%[1]s/          the sample site, through the edge
          https://localhost:%[4]s/         the same by TLS: bin/seawall trust --state %[3]s prints whom to trust
  Origin  %[2]s   the same site without the edge
  Then    curl -i http://localhost:%[1]s/cached            twice: the second answer is a hit
          curl -i http://localhost:%[1]s/dies              an origin that stops in the middle
          curl -i -H 'Host: unknown.example' http://localhost:%[1]s/   a site that is not served here
          bin/seawall why REQUEST-ID --state %[3]s

Each request is a line below. Ctrl-C ends the demo.

`
