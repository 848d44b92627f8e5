package servers_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// The opcodes of RFC 6455, 5.2.
const (
	textFrame   = 1
	binaryFrame = 2
	closeFrame  = 8
	pingFrame   = 9
	pongFrame   = 10
)

// frame builds one as a client sends it: masked (RFC 6455, 5.3).
func frame(opcode byte, content []byte) []byte {
	head := []byte{0x80 | opcode}
	switch n := len(content); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	b := append(head, mask[:]...)
	for i, c := range content {
		b = append(b, c^mask[i&3])
	}
	return b
}

// readFrame reads one as a server sends it.
func readFrame(r *bufio.Reader) (opcode byte, content []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1])
	var more [8]byte
	switch length {
	case 126:
		_, err = io.ReadFull(r, more[6:])
		length = binary.BigEndian.Uint64(more[:])
	case 127:
		_, err = io.ReadFull(r, more[:])
		length = binary.BigEndian.Uint64(more[:])
	}
	if err != nil || length > 16<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes: %w", length, err)
	}
	content = make([]byte, length)
	_, err = io.ReadFull(r, content)
	return head[0] & 15, content, err
}

// TestWebSocket_saysEverythingBack: text, a ping, a message of 1 MiB, one in
// small pieces, and the close of both sides.
func TestWebSocket_saysEverythingBack(t *testing.T) {
	large := pattern(1 << 20)
	story(t, []string{"node.test"}, func(t *testing.T, s *server) {
		eachWay(t, s, func(v *visitor) {
			conn, r := v.upgrade("/app/echo")
			talk := func(opcode byte, content []byte, back byte) {
				t.Helper()
				sent := make(chan error, 1)
				go func() {
					_, err := conn.Write(frame(opcode, content))
					sent <- err
				}()
				got, echo, err := readFrame(r)
				if err != nil || got != back || !bytes.Equal(echo, content) {
					t.Errorf("%s: frame %d of %d bytes came back as %d of %d: %v", v.way(), opcode, len(content), got, len(echo), err)
				}
				if err := <-sent; err != nil {
					t.Errorf("%s: send: %v", v.way(), err)
				}
			}
			talk(textFrame, []byte("grüße"), textFrame)
			talk(pingFrame, []byte("are you there"), pongFrame)
			talk(binaryFrame, large, binaryFrame)
			talk(textFrame, nil, textFrame)
			for _, b := range frame(textFrame, []byte("byte by byte")) {
				if _, err := conn.Write([]byte{b}); err != nil {
					t.Fatal(err)
				}
			}
			if opcode, echo, err := readFrame(r); err != nil || opcode != textFrame || string(echo) != "byte by byte" {
				t.Errorf("%s: byte by byte: %d %q: %v", v.way(), opcode, echo, err)
			}
			talk(closeFrame, []byte{0x03, 0xe8}, closeFrame) // 1000, a normal end
			if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("%s: after the close: %v", v.way(), err)
			}
		})
	})
}

// TestWebSocket_endsWithEitherSide: a visitor that goes without a word leaves
// nothing behind, which the checker sees.
func TestWebSocket_endsWithEitherSide(t *testing.T) {
	story(t, []string{"node.test"}, func(t *testing.T, s *server) {
		conn, r := enter(t, s, true).upgrade("/app/echo")
		if _, err := conn.Write(frame(textFrame, []byte("hello"))); err != nil {
			t.Fatal(err)
		}
		if _, echo, err := readFrame(r); err != nil || string(echo) != "hello" {
			t.Errorf("%q: %v", echo, err)
		}
		_ = conn.Close() // without a close frame, as a browser that crashes
	})
}

// connect opens a connection that is ours alone.
func (v *visitor) connect() net.Conn {
	v.t.Helper()
	conn, err := net.DialTimeout("tcp", v.door, patience)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		v.t.Fatal(err)
	}
	return conn
}

// upgrade opens a WebSocket (RFC 6455, 4.1).
func (v *visitor) upgrade(target string) (net.Conn, *bufio.Reader) {
	v.t.Helper()
	conn := v.connect()
	key := base64.StdEncoding.EncodeToString([]byte("sixteen letters."))
	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		target, v.server.host, key)
	if err != nil {
		v.t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		v.t.Fatalf("%s: upgrade: %v", v.way(), err)
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if want := base64.StdEncoding.EncodeToString(sum[:]); response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Sec-WebSocket-Accept") != want {
		v.t.Fatalf("%s: upgrade: %s, accepted %q", v.way(), response.Status, response.Header.Get("Sec-WebSocket-Accept"))
	}
	return conn, r
}
