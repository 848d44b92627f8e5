package proxyproto

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

const (
	local = 0x20 // version 2, command LOCAL
	proxy = 0x21 // version 2, command PROXY

	unspec = 0x00
	tcp4   = 0x11
	tcp6   = 0x21

	typeCRC32C = 0x03
)

// block returns how many bytes the addresses of a family take; ok is false
// when the family is none that section 2.2 lists.
func block(family byte) (length int, ok bool) {
	switch family {
	case unspec:
		return 0, true
	case 0x11, 0x12: // TCP, UDP over IPv4
		return 2*4 + 2*2, true
	case 0x21, 0x22: // TCP, UDP over IPv6
		return 2*16 + 2*2, true
	case 0x31, 0x32: // Unix stream, datagram
		return 2 * 108, true
	}
	return 0, false
}

// parseV2 reads the header of version 2; b starts like its signature.
//
// Each of the bytes after the signature is judged as soon as it is there. Of
// LOCAL the family is ignored and everything skipped, as section 2.2 asks;
// the library would refuse families that it does not know even then. PROXY
// with family UNSPEC, which receivers may accept and the library refuses,
// means the connection's own addresses. A vector of additions that is out of
// step is refused; the library only looks at it when asked.
func parseV2(b []byte) (h Header, n int, err error) {
	if len(b) <= 12 {
		return Header{}, 0, nil
	}
	command := b[12]
	if command != local && command != proxy {
		return Header{}, 0, refuse("version and command are %#02x, neither %#02x (LOCAL) nor %#02x (PROXY)", command, local, proxy)
	}
	if len(b) <= 13 {
		return Header{}, 0, nil
	}
	family := b[13]
	addresses, known := block(family)
	if command == local {
		addresses = 0
	} else if !known {
		return Header{}, 0, refuse("unknown address family and protocol %#02x", family)
	}
	if len(b) < fixedV2 {
		return Header{}, 0, nil
	}
	length := int(binary.BigEndian.Uint16(b[14:]))
	switch {
	case length > maxBlock:
		return Header{}, 0, refuse("%d bytes of addresses and additions, more than %d", length, maxBlock)
	case length < addresses:
		return Header{}, 0, refuse("%d bytes of addresses, family %#02x has %d", length, family, addresses)
	}
	n = fixedV2 + length
	if len(b) < n {
		return Header{}, 0, nil
	}
	if command == local || family == unspec {
		return Header{Local: true, Version: 2}, n, nil
	}
	if err := checkAdditions(b[:n], fixedV2+addresses); err != nil {
		return Header{}, 0, err
	}
	if h, err = decode(b[:n]); err != nil {
		return Header{}, 0, err
	}
	return h, n, nil
}

// checkAdditions walks the vector of type, length and value at the end of a
// header, and checks the checksum when there is one (section 2.2.3). All
// other types are skipped.
func checkAdditions(header []byte, at int) error {
	summed := false
	for at < len(header) {
		if len(header)-at < 3 {
			return refuse("%d bytes left over after the additions", len(header)-at)
		}
		kind, length := header[at], int(binary.BigEndian.Uint16(header[at+1:]))
		value := at + 3
		if length > len(header)-value {
			return refuse("addition %#02x of %d bytes reaches beyond the header", kind, length)
		}
		if kind == typeCRC32C {
			if length != 4 || summed {
				return refuse("a second checksum, or one that has not 4 bytes")
			}
			summed = true
			if binary.BigEndian.Uint32(header[value:]) != checksum(header, value) {
				return refuse("the checksum is wrong")
			}
		}
		at = value + length
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the CRC32c of the header (RFC 4960, appendix B) with zeros in
// place of the 4 bytes at the given place, where the sum itself stands.
func checksum(header []byte, at int) uint32 {
	sum := crc32.Update(0, castagnoli, header[:at])
	sum = crc32.Update(sum, castagnoli, []byte{0, 0, 0, 0})
	return crc32.Update(sum, castagnoli, header[at+4:])
}

// AppendV2 appends a header of version 2 for a stream (TCP) between the two
// addresses and returns the longer slice: 28 bytes for IPv4, 52 for IPv6.
// IPv4-mapped addresses are written as IPv4. When one is IPv4 and the other
// IPv6, the former is written IPv4-mapped, as section 2.2 knows one family
// for both. A zone is not written. When an address is invalid the header
// says LOCAL, in 16 bytes: use the connection's own.
func AppendV2(dst []byte, source, destination netip.AddrPort) []byte {
	from, to := source.Addr().Unmap(), destination.Addr().Unmap()
	dst = append(dst, signature...)
	switch {
	case !from.IsValid() || !to.IsValid():
		return append(dst, local, unspec, 0, 0)
	case from.Is4() && to.Is4():
		a, b := from.As4(), to.As4()
		dst = append(dst, proxy, tcp4, 0, 2*4+2*2)
		dst = append(append(dst, a[:]...), b[:]...)
	default:
		a, b := from.As16(), to.As16()
		dst = append(dst, proxy, tcp6, 0, 2*16+2*2)
		dst = append(append(dst, a[:]...), b[:]...)
	}
	dst = binary.BigEndian.AppendUint16(dst, source.Port())
	return binary.BigEndian.AppendUint16(dst, destination.Port())
}
