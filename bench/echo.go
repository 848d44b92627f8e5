package main

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
)

const (
	messageSize   = 64
	maskBit       = 0x80
	clientHead    = 6 // of a client's frame with up to 125 bytes: 2 and the mask (RFC 6455, 5.2)
	serverHead    = 2 // of a server's
	binaryMessage = 0x82
)

// accept answers the opening handshake of a WebSocket (RFC 6455, 4.2.2).
func accept(head []byte) (answer []byte, upgraded bool) {
	key := field(head, "Sec-WebSocket-Key")
	if len(key) == 0 || field(head, "Upgrade") == nil {
		return []byte("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n"), false
	}
	return fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		acceptValue(string(key))), true
}

// acceptValue is what a server makes of the client's key (RFC 6455, 1.3).
func acceptValue(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// echo sends every message back until the connection ends. It knows frames of
// up to 125 bytes; the generator sends no others.
func (o *origin) echo(conn net.Conn) {
	buffer := make([]byte, 4*(clientHead+messageSize))
	filled := 0
	for {
		n, err := conn.Read(buffer[filled:])
		if err != nil {
			return
		}
		filled += n
		for {
			reply, size, err := turn(buffer[:filled])
			if err != nil {
				return
			}
			if size == 0 {
				break
			}
			// Before it is sent: whoever has the echo may ask for the count at once.
			o.served.Add(1)
			if _, err := conn.Write(reply); err != nil {
				return
			}
			filled = copy(buffer, buffer[size:filled])
		}
	}
}

var errFrame = errors.New("not a masked frame of 125 bytes or fewer")

// turn makes a server's frame of the client's frame at the start of text, in
// place. A size of 0 means that it is not all there yet.
func turn(text []byte) (reply []byte, size int, err error) {
	if len(text) < clientHead {
		return nil, 0, nil
	}
	length := int(text[1] &^ maskBit)
	if text[1]&maskBit == 0 || length > 125 {
		return nil, 0, errFrame
	}
	if size = clientHead + length; len(text) < size {
		return nil, 0, nil
	}
	mask, payload := [4]byte(text[2:clientHead]), text[clientHead:size]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	reply = text[clientHead-serverHead : size]
	reply[0], reply[1] = text[0], byte(length)
	return reply, size, nil
}
