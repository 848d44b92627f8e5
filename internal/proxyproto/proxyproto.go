// Package proxyproto reads and writes the PROXY protocol's header, versions 1
// and 2: the first bytes of a connection, in which a balancer says on whose
// behalf it opened it.
//
// It looks at bytes in a buffer and never at a connection, so that whoever
// owns the connection keeps raw reads and sendfile. The address that it
// returns decides about limits and bans. Hence the header is refused for
// everything that two readers could understand differently, and this package
// checks the frame itself before github.com/pires/go-proxyproto, whose one
// room it is, decodes the addresses.
//
// The source is "The PROXY protocol, Versions 1 & 2" by Willy Tarreau
// (HAProxy, doc/proxy-protocol.txt, 2020-03-05); section numbers are its own.
package proxyproto

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"

	guest "github.com/pires/go-proxyproto"
)

// Longest is the length in bytes of the longest header that Parse accepts: the
// 16 bytes at the start of version 2 and 4 KiB of addresses and additions,
// which has room for a client's certificate. A buffer of this size is always
// enough. Version 1 ends within 107 bytes (section 2.1).
const Longest = fixedV2 + maxBlock

const (
	longestV1 = 107
	fixedV2   = 16   // signature, command, family, length
	maxBlock  = 4096 // addresses and additions after that
	signature = "\r\n\r\n\x00\r\nQUIT\n"
)

// A Header is what a balancer said about a connection.
type Header struct {
	// Source is the visitor, Destination what the visitor connected to.
	// IPv4-mapped addresses are unmapped, also those with dots in a TCP6 line
	// of version 1: HAProxy writes them for mixed families. Both are invalid
	// when Local is set.
	Source, Destination netip.AddrPort
	// Local means that the header names no addresses to be used: the
	// connection's own are the right ones (LOCAL as sent by health checks,
	// UNKNOWN, families without IP addresses).
	Local bool
	// Version is 1 or 2.
	Version int
}

// An Error says in a sentence for the operator why there is no valid header.
type Error struct{ text string }

// Error returns the sentence.
func (e *Error) Error() string { return e.text }

func refuse(format string, values ...any) error {
	return &Error{"PROXY header: " + fmt.Sprintf(format, values...)}
}

// Parse reads the header at the start of b and returns its length n; bytes
// from b[n:] on belong to the visitor and are not looked at. n is 0 without an
// error when b is the beginning of a header and more bytes are needed. The
// error is an *Error, comes as soon as no further bytes could help, and then
// the connection must be closed (section 2.1: never guess).
//
// The header is complete within Longest bytes or refused.
func Parse(b []byte) (h Header, n int, err error) {
	start := b[:min(len(b), len(signature))]
	switch {
	case len(b) == 0:
		return Header{}, 0, nil
	case begins(signature, start):
		return parseV2(b)
	case begins("PROXY ", start):
		return parseV1(b)
	}
	return Header{}, 0, &Error{fmt.Sprintf("no PROXY header: the first bytes are %+q", b[:min(len(b), 16)])}
}

// begins reports whether b starts with text or is a beginning of it.
func begins(text string, b []byte) bool {
	n := min(len(b), len(text))
	return string(b[:n]) == text[:n]
}

// decode has the library read a header whose frame was checked; b is that
// header and nothing else.
func decode(b []byte) (Header, error) {
	// The library's reader of version 1 wants the line in one read, which 128
	// bytes have room for.
	read, err := guest.Read(bufio.NewReaderSize(bytes.NewReader(b), 128))
	if err != nil {
		return Header{}, refuse("%s", strings.TrimPrefix(err.Error(), "proxyproto: "))
	}
	h := Header{Version: int(read.Version), Local: read.Command.IsLocal() || read.TransportProtocol.IsUnix()}
	if h.Local {
		return h, nil
	}
	var known bool
	if h.Source, known = addrPort(read.SourceAddr); known {
		h.Destination, known = addrPort(read.DestinationAddr)
	}
	if !known {
		return Header{}, refuse("no IP addresses in family %#02x", byte(read.TransportProtocol))
	}
	return h, nil
}

// addrPort returns an address of the library as ours.
func addrPort(a net.Addr) (netip.AddrPort, bool) {
	var p netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		p = a.AddrPort()
	case *net.UDPAddr:
		p = a.AddrPort()
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), p.IsValid()
}
