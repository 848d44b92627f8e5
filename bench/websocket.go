package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// socket is the visitor's end of one WebSocket. Its number and a sequence are
// in every message, so that a mixture of two connections is seen.
type socket struct {
	conn     net.Conn
	sequence uint32
	message  [messageSize]byte
	frame    [clientHead + messageSize]byte
	reply    [serverHead + messageSize]byte
}

func newSocket(conn net.Conn, number int) *socket {
	s := &socket{conn: conn}
	for i := range s.message {
		s.message[i] = byte('a' + i%26)
	}
	binary.BigEndian.PutUint32(s.message[:], uint32(number))
	return s
}

// exchange sends a message and reads its echo.
func (s *socket) exchange() error {
	s.sequence++
	binary.BigEndian.PutUint32(s.message[4:], s.sequence)
	s.frame[0], s.frame[1] = binaryMessage, maskBit|messageSize
	mask := s.frame[2:clientHead]
	binary.BigEndian.PutUint32(mask, s.sequence*2654435761)
	for i, b := range s.message {
		s.frame[clientHead+i] = b ^ mask[i%4]
	}
	if _, err := s.conn.Write(s.frame[:]); err != nil {
		return fmt.Errorf("send message %d: %w", s.sequence, err)
	}
	if _, err := io.ReadFull(s.conn, s.reply[:]); err != nil {
		return fmt.Errorf("read echo %d: %w", s.sequence, err)
	}
	if s.reply[0] != binaryMessage || s.reply[1] != messageSize || !bytes.Equal(s.reply[serverHead:], s.message[:]) {
		return fmt.Errorf("echo %d is %.40q, not the message sent", s.sequence, s.reply[:])
	}
	return nil
}

// upgradeAll makes WebSockets of connections (RFC 6455, 4.1); all handshakes
// are sent before any answer is read.
func upgradeAll(conns []net.Conn) error {
	keys := make([]string, len(conns))
	for i, conn := range conns {
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		keys[i] = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%016x", i)[:16])
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", pathSocket, keys[i]); err != nil {
			return err
		}
	}
	buffer := make([]byte, 8<<10)
	for i, conn := range conns {
		filled := 0
		for !bytes.HasSuffix(buffer[:filled], []byte("\r\n\r\n")) {
			n, err := conn.Read(buffer[filled:])
			if err != nil {
				return fmt.Errorf("read answer to a handshake: %w", err)
			}
			filled += n
		}
		head := buffer[:filled]
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || string(field(head, "Sec-WebSocket-Accept")) != acceptValue(keys[i]) {
			return fmt.Errorf("no WebSocket: %.80q", head)
		}
	}
	return nil
}

// echoFor keeps so many messages under way for the given time. Each belongs
// to a worker, who goes round its share of the sockets. The load's requests
// are messages that came back.
func echoFor(ctx context.Context, sockets []*socket, underWay int, length time.Duration) (load, error) {
	underWay = min(underWay, len(sockets))
	limit := time.Now().Add(length + 10*time.Second)
	for _, s := range sockets {
		s.conn.SetDeadline(limit)
	}
	next := make([]int, underWay)
	return keepBusy(ctx, underWay, length, func(w int) error {
		i := w + next[w]*underWay
		if i >= len(sockets) {
			i, next[w] = w, 0
		}
		next[w]++
		return sockets[i].exchange()
	})
}

// echoEach exchanges one message on every socket, 64 under way.
func echoEach(sockets []*socket) error {
	failures := make([]error, min(64, len(sockets)))
	var workers sync.WaitGroup
	for w := range failures {
		workers.Go(func() {
			for i := w; i < len(sockets); i += len(failures) {
				sockets[i].conn.SetDeadline(time.Now().Add(10 * time.Second))
				if err := sockets[i].exchange(); err != nil {
					failures[w] = fmt.Errorf("WebSocket %d from %s: %w", i, sockets[i].conn.LocalAddr(), err)
					return
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(failures...)
}

// sockets measures a new server with an origin of its own, whose ports no
// other run has used up: what many WebSockets hold once they have been used
// and are idle, then what a message costs.
func (b *bench) sockets(ctx context.Context, c contender, sc scenario) (round, error) {
	own := *b
	end, err := own.startOrigin(ctx)
	if err != nil {
		return round{}, err
	}
	defer end()
	in, err := start(ctx, c, own.setup(sc), own.serverCore)
	if in != nil {
		defer in.stop()
	}
	if err != nil {
		return round{}, err
	}
	before, err := in.settledMemory(ctx)
	if err != nil {
		return round{}, err
	}
	conns, err := openMany(ctx, in.setup.site(), own.socketConnections, upgradeAll)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	if err != nil {
		return round{}, err
	}
	var sockets []*socket
	for i, conn := range conns {
		sockets = append(sockets, newSocket(conn, i))
	}
	if err := echoEach(sockets); err != nil {
		return round{}, err
	}
	idle, err := in.settledMemory(ctx)
	if err != nil {
		return round{}, err
	}
	if _, err := echoFor(ctx, sockets, sc.Connections, time.Second); err != nil {
		return round{}, fmt.Errorf("warm: %w", err)
	}
	one, err := own.observe(in, sc, func() (load, error) {
		return echoFor(ctx, sockets, sc.Connections, own.length)
	})
	if err != nil {
		return round{}, err
	}
	if err := echoEach(sockets); err != nil {
		return round{}, fmt.Errorf("after the load: %w", err)
	}
	one.hold(before, idle, len(sockets))
	return one, nil
}
