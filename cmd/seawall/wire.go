package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge"
	"github.com/seawall-edge/seawall/edge/http1"
	"github.com/seawall-edge/seawall/edge/journal"
	"github.com/seawall-edge/seawall/internal/geo"
	"github.com/seawall-edge/seawall/internal/pressure"
	"github.com/seawall-edge/seawall/internal/resolve"
)

// dataPlane is the edge with its listeners and its journal.
type dataPlane struct {
	log      *slog.Logger
	started  time.Time
	journal  *journal.Journal
	edge     *edge.Edge
	server   *http1.Server
	own      ownAddresses
	resolver *resolve.Resolver
	places   *geo.Files // nil: there are none

	certificates *certificates // nil: nobody speaks TLS
	identities   *identities

	closePlaces func()         // nil: there is nothing to close
	serving     sync.WaitGroup // the listeners
	watch       *pressure.Watch
	draining    atomic.Bool
	shedding    atomic.Bool // new connections are turned away

	generation atomic.Int64 // of the configuration, from 1
	reloaded   atomic.Int64 // Unix seconds of the last one that took effect whole
	broken     atomic.Bool  // the last one did not
}

// startEdge starts the data plane.
func startEdge(cfg Config, log *slog.Logger) (daemon, error) {
	rings := runtime.GOMAXPROCS(0)
	opened, err := journal.Open(journalConfig(cfg, rings, log))
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	d := &dataPlane{log: log, started: time.Now(), journal: opened}
	if err := d.openEdge(cfg, rings); err != nil {
		return nil, errors.Join(err, opened.Close(context.Background()))
	}
	var secure *tls.Config
	if cfg.HTTPS != "" {
		if secure, err = d.openCertificates(cfg); err != nil {
			return nil, errors.Join(err, d.stop(context.Background()))
		}
	}
	listeners, err := listen(cfg)
	if err != nil {
		return nil, errors.Join(err, d.stop(context.Background()))
	}
	d.own.set(listeners)
	if err := d.Reload(cfg); err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return nil, errors.Join(err, d.stop(context.Background()))
	}
	d.server = http1.New(http1.Config{
		Handler: d.edge, Logger: log, Rings: rings, Shed: d.shed, TLS: secure,
		Connections:           connectionLimit(cfg.Limits.Connections),
		ConnectionsPerAddress: cfg.Limits.ConnectionsPerAddress,
		HeadTimeout:           cfg.Limits.HeadTimeout.Duration(),
		BodyTimeout:           cfg.Limits.BodyTimeout.Duration(),
		WriteTimeout:          cfg.Limits.WriteTimeout.Duration(),
		IdleTimeout:           cfg.Limits.IdleTimeout.Duration(),
		MaxHead:               int(cfg.Limits.MaxHead),
		MaxTarget:             int(cfg.Limits.MaxTarget),
	})
	if err := d.watchPressure(int64(cfg.Limits.Memory)); err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return nil, errors.Join(err, d.stop(context.Background()))
	}
	setMemory(int64(cfg.Cache.Memory), d.watch.Reading().MemoryLimit)
	d.serve(listeners)
	return d, nil
}

// setMemory trades memory for fewer collections, as far as the environment
// does not say otherwise: what the cache holds is large, old and without
// pointers, and need not be looked at as often as the default does. The limit
// makes up for it when the cache is full, and before visitors would be turned
// away for want of memory.
func setMemory(cache, limit int64) {
	const growth, room = 200, 512 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
	soft := 2*cache + room
	if limit > 0 {
		soft = min(soft, limit/5*4)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(soft)
	}
}

// connectionLimit keeps so many descriptors free that every visitor can have
// a connection to an origin too, and files can still be opened.
func connectionLimit(configured int) int {
	const spare = 128
	var limit syscall.Rlimit
	if configured > 0 || syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return configured
	}
	const most = 1 << 20
	return max(spare, (int(min(limit.Cur, most))-spare)/2)
}

var (
	formats = map[string]journal.Format{"json": journal.JSON, "combined": journal.Combined, "plain": journal.Plain}
	whats   = map[string]journal.What{"all": journal.All, "sample": journal.Sample, "errors": journal.Errors}
)

func journalConfig(cfg Config, rings int, log *slog.Logger) journal.Config {
	return journal.Config{
		Rings: rings,
		AccessLog: journal.AccessLog{
			Path: cfg.AccessLog.File, Format: formats[cfg.AccessLog.Format],
			What: whats[cfg.AccessLog.What], Sample: cfg.AccessLog.Sample,
		},
		Dir:          journalDir(cfg.State),
		RefusedBytes: int64(cfg.Events.RefusedBytes),
		PassedBytes:  int64(cfg.Events.PassedBytes),
		Sample:       cfg.Events.Sample,
		Logger:       log,
	}
}

// Reload implements daemon.
func (d *dataPlane) Reload(cfg Config) error {
	err := d.edge.SetAccess(cfg.Node.Access, cfg.Node.Lists)
	if err != nil {
		d.broken.Store(true)
		return err
	}
	d.edge.SetTLS(edge.TLSPolicy{Classic: cfg.Node.Handshake.KeyExchange == keysClassic, Alert: cfg.Node.Handshake.UnknownName == nameIsAnAlert})
	if err := d.identities.replace(cfg.Zones); err != nil {
		d.broken.Store(true)
		return err
	}
	if err := d.certificates.replaceECH(); err != nil {
		d.log.Error("the keys that visitors hide names with are those of before", "error", err)
	}
	d.certificates.replace(cfg.Zones) // those of a zone that does not compile are no worse than before
	done, err := d.edge.Apply(cfg.Zones)
	if err != nil {
		d.broken.Store(true)
		return err
	}
	d.broken.Store(false)
	d.reloaded.Store(time.Now().Unix())
	generation := d.generation.Add(1)
	if generation > 1 && d.places != nil {
		go d.places.Reload() // it may take a second, and visitors need not wait
	}
	d.log.Info("configuration in effect", "generation", generation, "zones", len(cfg.Zones),
		"added", done.Added, "changed", done.Changed, "removed", done.Removed)
	return nil
}

// ReopenLogs implements daemon.
func (d *dataPlane) ReopenLogs() { d.journal.Reopen() }

// Ready implements daemon.
func (d *dataPlane) Ready() bool { return !d.draining.Load() }

// Drain implements daemon.
func (d *dataPlane) Drain(ctx context.Context) error {
	d.draining.Store(true)
	cut := d.server.Drain(ctx)
	d.serving.Wait()
	err := d.stop(context.WithoutCancel(ctx))
	if cut > 0 {
		err = errors.Join(fmt.Errorf("%d connections were cut at the end of the drain timeout", cut), err)
	}
	return err
}

// stop ends everything but the listener.
func (d *dataPlane) stop(ctx context.Context) error {
	const flushTime = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	if d.watch != nil {
		d.watch.Close()
	}
	d.edge.Close()
	d.resolver.Close()
	if d.closePlaces != nil {
		d.closePlaces()
	}
	return d.journal.Close(ctx)
}

// Status implements daemon.
func (d *dataPlane) Status() Status {
	open, _ := d.server.Connections()
	stats := d.journal.Stats()
	totals := d.edge.Totals()
	s := Status{
		Version: seawall.Version, Started: d.started, Ready: d.Ready(), Draining: d.draining.Load(),
		Connections: int64(open), EventsDropped: stats.Dropped[0] + stats.Dropped[1] + stats.Dropped[2],
		Generation: d.generation.Load(), CacheBytes: totals.Memory.Bytes, CacheObjects: int64(totals.Memory.Objects), Pressure: d.watch.Level().String(),
	}
	s.Places = d.placeStatus()
	for _, z := range d.edge.ZoneTotals() {
		zone := ZoneStatus{
			Zone: z.Name, Requests: z.Requests, Hits: z.Hits, Refused: z.Refused, Failed: z.Failed, Waiting: z.Waiting, Maintenance: z.Maintenance,
			CacheBytes: z.CacheBytes, CacheWaiting: z.Collapsed,
		}
		for part, left := range z.Bypassed {
			if zone.Bypassed == nil {
				zone.Bypassed = map[string]int64{}
			}
			zone.Bypassed[part.String()] = int64(left / time.Second)
		}
		for _, one := range z.Servers {
			zone.Servers = append(zone.Servers, ServerStatus(one))
		}
		s.Zones = append(s.Zones, zone)
	}
	return s
}

// Bypass implements daemon.
func (d *dataPlane) Bypass(zone string, parts []string, wait time.Duration) error {
	if len(parts) == 0 {
		return errors.New("no part is named; use cache, rewrite or maintenance")
	}
	var which []edge.Switch
	for _, part := range parts {
		one, known := edge.ParseSwitch(part)
		if !known {
			return fmt.Errorf("%q is not a part that can be switched off; use cache, rewrite or maintenance", part)
		}
		which = append(which, one)
	}
	until := time.Now().Add(min(wait, 24*time.Hour))
	for _, one := range which {
		if !d.edge.Bypass(zone, one, until) {
			return fmt.Errorf("there is no zone %s; `seawall status` lists them", zone)
		}
		d.log.Warn("an operator has switched a part on or off", "zone", zone, "part", one.String(), "off_for", wait)
	}
	return nil
}
