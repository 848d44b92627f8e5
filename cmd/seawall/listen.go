package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge"
	"github.com/seawall-edge/seawall/edge/certs"
	"github.com/seawall-edge/seawall/edge/origin"
	"github.com/seawall-edge/seawall/internal/prefix"
	"github.com/seawall-edge/seawall/internal/pressure"
	"github.com/seawall-edge/seawall/internal/resolve"
	"github.com/seawall-edge/seawall/spec"
)

// openEdge makes the edge and what its origins share.
func (d *dataPlane) openEdge(cfg Config, rings int) error {
	id, err := edgeID(cfg.State)
	if err != nil {
		return err
	}
	var servers []string
	for _, text := range cfg.Resolver {
		server, err := resolverAddress(text)
		if err != nil {
			return err
		}
		servers = append(servers, server.String())
	}
	if d.resolver, err = resolve.New(resolve.Config{Servers: servers, Logger: d.log}); err != nil {
		return fmt.Errorf("make resolver: %w", err)
	}
	d.openPlaces(cfg.Node.Places)
	d.identities = newIdentities(cfg.State, sync.OnceValues(func() (*certs.Sealer, error) {
		sealer, err := certs.OpenSealer(cfg.SealKey, cfg.SealKey == sealKey(cfg.State))
		if err != nil {
			return nil, fmt.Errorf("open the key that keys are sealed with: %w", err)
		}
		return sealer, nil
	}))
	d.edge, err = edge.New(edge.Config{
		Places: d.places,
		Events: d.journal, Logger: d.log, Rings: rings,
		CacheBytes: int64(cfg.Cache.Memory), CacheIsOff: cfg.Cache.Off,
		Origins: origin.Shared{Resolver: d.resolver, Own: d.own.has, LoopID: id, Identities: d.identities, Logger: d.log},
		Pages:   filepath.Join(cfg.State, "pages"),
		OwnPages: spec.PagesSpec{
			Misdirected: spec.PageSpec{HTML: cfg.UnknownHostPage},
			Limits:      spec.PageSpec{HTML: cfg.LimitsPage},
		},
	})
	return err
}

// visitorListener is an open address for visitors.
type visitorListener struct {
	net.Listener
	proxied *prefix.Set // who begins with a PROXY header
	secure  bool        // visitors speak TLS
}

// listen opens every address for visitors.
func listen(cfg Config) ([]visitorListener, error) {
	var list []visitorListener
	for _, l := range cfg.doors() {
		proxied, wrong := prefix.Parse(l.ProxyProtocol)
		listener, err := net.Listen("tcp", l.Address)
		if err != nil {
			err = listenError(l.name, l.Address, err)
		} else {
			list = append(list, visitorListener{listener, proxied, l.secure})
		}
		if len(wrong) > 0 {
			err = errors.Join(err, fmt.Errorf("%s: %s", l.name, wrong[0].Text))
		}
		if err != nil {
			for _, open := range list {
				_ = open.Close()
			}
			return nil, err
		}
	}
	return list, nil
}

// visitorDoor is an address where visitors are to come in.
type visitorDoor struct {
	Listener
	name   string // of the setting
	secure bool
}

func (c Config) doors() []visitorDoor {
	doors := []visitorDoor{{Listener{c.HTTP, c.ProxyProtocol}, "http", false}}
	if c.HTTPS != "" {
		doors = append(doors, visitorDoor{Listener{c.HTTPS, c.ProxyProtocol}, "https", true})
	}
	for i, l := range c.Listeners {
		doors = append(doors, visitorDoor{l, fmt.Sprintf("listeners[%d]", i), false})
	}
	return doors
}

// serve lets visitors in.
func (d *dataPlane) serve(listeners []visitorListener) {
	for _, l := range listeners {
		d.serving.Go(func() {
			serve := d.server.ServeProxied
			if l.secure {
				serve = d.server.ServeTLS
			}
			if err := serve(l.Listener, l.proxied.Contains); err != nil {
				d.log.Error("visitors are not served any more", "address", l.Addr().String(), "error", err)
			}
		})
	}
}

// watchPressure turns visitors away before memory or descriptors run out:
// new connections first, then those that only wait.
func (d *dataPlane) watchPressure(memory int64) error {
	const share = 10 // one idle connection in so many goes at each look
	var err error
	d.watch, err = pressure.New(pressure.Config{
		MemoryLimit: memory, Logger: d.log,
		OnChange: func(level pressure.Level, r pressure.Reading) {
			d.shedding.Store(level >= pressure.Shed)
			d.log.Warn("the pressure on this machine has changed", "pressure", level.String(),
				"memory", r.Memory, "memory_limit", r.MemoryLimit, "descriptors", r.Descriptors, "descriptor_limit", r.DescriptorLimit)
		},
		WhileDrop: func(pressure.Reading) {
			open, _ := d.server.Connections()
			d.server.DropIdle(open/share + 1)
		},
	})
	return err
}

// shed says why a new connection is turned away, if it is.
func (d *dataPlane) shed() seawall.Reason {
	if d.shedding.Load() {
		return seawall.ReasonShortage
	}
	return seawall.ReasonNone
}

// ownAddresses knows where this edge listens, so that no zone of others has
// the edge itself for its origin.
type ownAddresses struct {
	list atomic.Pointer[[]netip.AddrPort]
}

func (o *ownAddresses) set(listeners []visitorListener) {
	var list []netip.AddrPort
	for _, l := range listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); ok {
			own := tcp.AddrPort()
			list = append(list, netip.AddrPortFrom(own.Addr().Unmap(), own.Port()))
		}
	}
	o.list.Store(&list)
}

// has reports whether an address is one of this machine that the edge
// listens on.
func (o *ownAddresses) has(address netip.AddrPort) bool {
	list := o.list.Load()
	if list == nil {
		return false
	}
	for _, own := range *list {
		if own.Port() == address.Port() && (own.Addr() == address.Addr() || own.Addr().IsUnspecified() && isMine(address.Addr())) {
			return true
		}
	}
	return false
}

// isMine reports whether the machine has the address.
func isMine(address netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return true // one that cannot be told apart is not asked
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == address {
			return true
		}
	}
	return address.IsLoopback() || address.IsUnspecified()
}
