package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/prefix"
	"github.com/seawall-edge/seawall/internal/proxyproto"
	"github.com/seawall-edge/seawall/internal/resolve"
	"github.com/seawall-edge/seawall/internal/sock"
)

// asker is the visitor for whom a connection is made.
type asker struct {
	client, own netip.AddrPort // for the PROXY protocol
	host        []byte         // for TLS
}

// open connects to the server: name, TCP, PROXY header and TLS, all before
// one deadline.
func (s *server) open(a asker, deadline time.Time) (transport, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	conn, err := s.connect(ctx, a)
	if err != nil {
		s.pool.failed.Add(1)
		return nil, err
	}
	s.pool.opened.Add(1)
	return conn, nil
}

func (s *server) connect(ctx context.Context, a asker) (transport, error) {
	raw, err := s.dialTCP(ctx)
	if err != nil {
		return nil, err
	}
	socket, err := sock.New(raw, s.group.origin.IdleTimeout.Duration())
	if err != nil {
		_ = raw.Close()
		return nil, fail(seawall.ReasonOriginUnreachable, err)
	}
	if s.group.origin.ProxyProtocol {
		var header [64]byte
		if _, err := socket.Write(proxyproto.AppendV2(header[:0], a.client, a.own)); err != nil {
			_ = raw.Close()
			return nil, fail(seawall.ReasonOriginUnreachable, err)
		}
	}
	if !s.secure {
		return plain{socket}, nil
	}
	secure := tls.Client(raw, s.tlsFor(a.host))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		if sock.ErrTimeout(err) {
			return nil, fail(seawall.ReasonOriginConnectTimeout, fmt.Errorf("TLS: %w", err))
		}
		return nil, fail(seawall.ReasonOriginTLS, err)
	}
	return &encrypted{Conn: secure, socket: socket, patience: s.group.origin.IdleTimeout.Duration()}, nil
}

// dialTCP resolves the server's name and connects to the first of its
// addresses that answers (RFC 8305). Whether an address may be asked is
// decided here, with the very address that is connected to next: what a name
// means cannot change in between.
func (s *server) dialTCP(ctx context.Context) (*net.TCPConn, error) {
	answer, err := s.group.config.Shared.Resolver.Lookup(ctx, s.dial)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fail(seawall.ReasonOriginConnectTimeout, err)
		}
		return nil, fail(seawall.ReasonOriginName, err)
	}
	allowed := answer.Addrs[:0:0]
	for _, address := range answer.Addrs {
		if wrong := s.forbidden(address); wrong != "" {
			err = fmt.Errorf("%s is not an address to ask: %s", address, wrong)
			continue
		}
		allowed = append(allowed, address)
	}
	if len(allowed) == 0 {
		if err == nil {
			err = errors.New("the name has no address")
			return nil, fail(seawall.ReasonOriginName, err)
		}
		return nil, fail(seawall.ReasonOriginForbidden, err)
	}
	var dialer net.Dialer
	conn, _, err := resolve.Dial(ctx, allowed, s.port, func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, "tcp", to.String())
		return conn, bareError(err)
	})
	if err != nil {
		if sock.ErrTimeout(err) || ctx.Err() != nil {
			return nil, fail(seawall.ReasonOriginConnectTimeout, err)
		}
		return nil, fail(seawall.ReasonOriginUnreachable, err)
	}
	return conn.(*net.TCPConn), nil
}

// followEvery is how often it is seen whether a name still leads to the
// addresses that connections were made to.
const followEvery = time.Second

// follow closes unused connections to addresses that the server's name does
// not mean any more. Requests do not wait for it.
func (s *server) follow(now time.Time) {
	last := s.followed.Load()
	if now.Unix()-last < int64(followEvery/time.Second) || !s.followed.CompareAndSwap(last, now.Unix()) {
		return
	}
	g := s.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.work.Go(func() {
		ctx, cancel := context.WithTimeout(g.ctx, g.origin.ConnectTimeout.Duration())
		defer cancel()
		if answer, err := g.config.Shared.Resolver.Lookup(ctx, s.dial); err == nil {
			s.pool.keepOnly(func(a netip.Addr) bool { return slices.Contains(answer.Addrs, a) })
		}
	})
}

// bareError takes off what the address says already: who dialled what.
func bareError(err error) error {
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err
}

// forbidden says why an address may not be asked for a zone of others; "" if
// it may.
func (s *server) forbidden(address netip.Addr) string {
	if !s.group.origin.PublicOnly {
		return ""
	}
	if why := prefix.Reserved(address); why != "" {
		return why
	}
	if own := s.group.config.Shared.Own; own != nil && own(netip.AddrPortFrom(address, s.port)) {
		return "it is the edge itself"
	}
	return ""
}
