package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// listen serves the origin, or what stands in its place, on loopback.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func openSockets(t *testing.T, address string, count int) []*socket {
	t.Helper()
	conns, err := openMany(t.Context(), plainSite(address), count, upgradeAll)
	t.Cleanup(func() {
		for _, conn := range conns {
			conn.Close()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var sockets []*socket
	for i, conn := range conns {
		sockets = append(sockets, newSocket(conn, i))
	}
	return sockets
}

func TestWebSockets_areEchoedAndCounted(t *testing.T) {
	o := newOrigin()
	sockets := openSockets(t, listen(t, func(conn net.Conn) {
		if o.answerAll(conn) {
			o.echo(conn)
		}
	}), 130)
	if err := echoEach(sockets); err != nil {
		t.Fatal(err)
	}
	if o.served.Load() != 130 {
		t.Errorf("the origin counted %d messages, want 130", o.served.Load())
	}
	l, err := echoFor(t.Context(), sockets, 8, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if l.Requests == 0 || l.Requests != o.served.Load()-130 || l.P50 <= 0 || l.P99 < l.P50 {
		t.Errorf("got %+v with %d counted by the origin", l, o.served.Load()-130)
	}
}

func TestWebSockets_noticeAWrongEcho(t *testing.T) {
	for name, spoil := range map[string]func(reply []byte){
		"number of another connection": func(reply []byte) { reply[serverHead] ^= 1 },
		"message of another time":      func(reply []byte) { reply[serverHead+7] ^= 1 },
		"another kind of frame":        func(reply []byte) { reply[0] = 0x81 },
	} {
		sockets := openSockets(t, listen(t, func(conn net.Conn) {
			if !newOrigin().answerAll(conn) {
				return
			}
			buffer := make([]byte, 1024)
			n, _ := conn.Read(buffer)
			reply, _, _ := turn(buffer[:n])
			spoil(reply)
			conn.Write(reply)
		}), 1)
		if err := echoEach(sockets); err == nil || !strings.Contains(err.Error(), "not the message sent") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := echoFor(t.Context(), sockets, 1, time.Second); err == nil {
			t.Errorf("%s: a load over a connection that ended has figures", name)
		}
	}
}

func TestWebSockets_needAHandshake(t *testing.T) {
	for name, answer := range map[string]string{
		"refused":         "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
		"for another key": "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
	} {
		address := listen(t, func(conn net.Conn) {
			conn.Read(make([]byte, 1024))
			conn.Write([]byte(answer))
		})
		conns, err := openMany(t.Context(), plainSite(address), 1, upgradeAll)
		for _, conn := range conns {
			conn.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "no WebSocket") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEchoFor_endsWhenTheRunIsInterrupted(t *testing.T) {
	o := newOrigin()
	sockets := openSockets(t, listen(t, func(conn net.Conn) {
		if o.answerAll(conn) {
			o.echo(conn)
		}
	}), 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := echoFor(ctx, sockets, 2, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the interruption", err)
	}
}

// The key and its answer are those of RFC 6455, section 1.3.
func TestAcceptValue_isThatOfTheStandard(t *testing.T) {
	if got := acceptValue("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s", got)
	}
}

// The frames are those of RFC 6455, section 5.7.
func TestTurn_waitsForAWholeFrame(t *testing.T) {
	masked := []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}
	for n := range masked {
		if _, size, err := turn(bytes.Clone(masked[:n])); size != 0 || err != nil {
			t.Errorf("%d bytes of a frame: size %d, %v", n, size, err)
		}
	}
	reply, size, err := turn(append(bytes.Clone(masked), 0x81))
	if err != nil || size != len(masked) || string(reply) != "\x81\x05Hello" {
		t.Errorf("got %q, %d, %v", reply, size, err)
	}
	for _, bad := range [][]byte{{0x81, 0x05, 'H', 'e', 'l', 'l', 'o'}, {0x81, 0xfe, 0, 126, 0, 0, 0}} {
		if _, _, err := turn(bad); err == nil {
			t.Errorf("no error for % x", bad)
		}
	}
}
