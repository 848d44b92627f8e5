package seawall

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
	"time"
)

// RequestID names one request. The first four bytes are the Unix second it
// arrived in (big endian, so IDs sort by time), the other eight are random.
type RequestID [12]byte

// RequestIDLen is the length of a RequestID in its text form.
const RequestIDLen = 20

// idText is Crockford's alphabet in lower case: no i, l, o or u, so an ID
// can be read over the phone.
var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// MakeRequestID joins a Unix second and 64 random bits.
func MakeRequestID(unix int64, random uint64) RequestID {
	var id RequestID
	binary.BigEndian.PutUint32(id[:4], uint32(unix))
	binary.BigEndian.PutUint64(id[4:], random)
	return id
}

// ParseRequestID reads the text form.
func ParseRequestID(text string) (RequestID, error) {
	var id RequestID
	if len(text) != RequestIDLen {
		return id, errors.New("a request ID has 20 characters")
	}
	if n, err := idText.Decode(id[:], []byte(text)); err != nil || n != len(id) {
		return RequestID{}, errors.New("a request ID has only digits and the letters a to z without i, l, o and u")
	}
	return id, nil
}

// AppendTo appends the text form to dst without allocating.
func (id RequestID) AppendTo(dst []byte) []byte {
	var text [RequestIDLen]byte
	idText.Encode(text[:], id[:])
	return append(dst, text[:]...)
}

// String returns the text form.
func (id RequestID) String() string { return string(id.AppendTo(nil)) }

// Time returns the second in which the request arrived.
func (id RequestID) Time() time.Time {
	return time.Unix(int64(binary.BigEndian.Uint32(id[:4])), 0)
}
