package geo

import (
	"strconv"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2/mmdbdata"
)

// meaning is what a field of a record says.
type meaning int

const (
	nothing    meaning = iota
	country            // where the address is used
	registered         // where its owner is registered; counts when the former is missing
	network            // the number of the autonomous system
)

// fields are the names under which providers keep the facts, by the map that
// they stand in ("" is the record itself). They are looked for in each record
// of each file, whatever the file calls itself: types of databases are many
// and change, and the names below do not contradict each other. "country" is
// a map, a code or, beside "country_code", a name; only two letters count.
var fields = map[string]map[string]meaning{
	"": {
		"country_code":             country, // IPinfo Lite, IPLocate, ip-location-db
		"country":                  country, // IPinfo before Lite
		"autonomous_system_number": network, // GeoLite2-ASN, GeoIP2-ISP, DB-IP ASN Lite
		"asn":                      network, // IPinfo ("AS13335"), IPLocate ("13335")
	},
	"country":            {"iso_code": country, "AutonomousSystemNumber": network}, // GeoLite2, GeoIP2, DB-IP; Geo Open
	"registered_country": {"iso_code": registered},                                 // GeoLite2, GeoIP2
	"traits":             {"autonomous_system_number": network},                    // GeoIP2 Enterprise, DB-IP ISP
	"geo":                {"country_code": country, "country": country},            // IPinfo Core and up
	"as":                 {"asn": network, "autonomous_system_number": network},    // IPinfo Core and up
}

// record is what is taken from one record of a file.
type record struct {
	country, registered uint32 // two letters, the first in the higher byte
	network             uint32

	deadline time.Time // when the patience with the file is at its end
}

func (r *record) countryFact() uint32 {
	if r.country != 0 {
		return r.country
	}
	return r.registered
}

func (r *record) networkFact() uint32 { return r.network }

// UnmarshalMaxMindDBCursor is called by the library to decode a record.
func (r *record) UnmarshalMaxMindDBCursor(c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	*r = record{deadline: r.deadline}
	kind, err := c.Kind()
	if err != nil {
		return mmdbdata.Cursor{}, err
	}
	if kind != mmdbdata.KindMap {
		return c.Skip()
	}
	return r.readMap("", c)
}

// readMap looks at the clock, as a map costs no more than the file is long,
// but may be pointed at as often as somebody likes.
func (r *record) readMap(name string, c mmdbdata.Cursor) (next mmdbdata.Cursor, err error) {
	if time.Now().After(r.deadline) {
		return mmdbdata.Cursor{}, errPatience
	}
	entries, err := c.Map()
	if err != nil {
		return mmdbdata.Cursor{}, err
	}
	for {
		key, value, more := entries.Next(next)
		if !more {
			return entries.End()
		}
		if next, err = r.readField(name, key, value); err != nil {
			return mmdbdata.Cursor{}, err
		}
	}
}

// readField takes a field that means something, and steps over any other.
func (r *record) readField(inside string, key []byte, value mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	kind, err := value.Kind()
	if err != nil {
		return mmdbdata.Cursor{}, err
	}
	means := fields[inside][string(key)]
	switch {
	case kind == mmdbdata.KindMap && inside == "" && len(key) > 0 && fields[string(key)] != nil:
		return r.readMap(string(key), value)
	case kind == mmdbdata.KindString && means != nothing:
		text, next, err := value.ReadString()
		r.take(means, text)
		return next, err
	case means == network && (kind == mmdbdata.KindUint16 || kind == mmdbdata.KindUint32 || kind == mmdbdata.KindUint64):
		number, next, err := value.ReadUint()
		if uint64(uint32(number)) == number {
			r.network = uint32(number)
		}
		return next, err
	}
	return value.Skip()
}

// take keeps what a text says, if that is what it should be.
func (r *record) take(means meaning, text string) {
	switch means {
	case country:
		if code := countryCode(text); code != 0 {
			r.country = code
		}
	case registered:
		r.registered = countryCode(text)
	case network:
		number, err := strconv.ParseUint(strings.TrimPrefix(text, "AS"), 10, 32)
		if err == nil {
			r.network = uint32(number)
		}
	case nothing:
	}
}

// countryCode returns two letters as a number, in capitals, and 0 for
// anything else. "ZZ" is how some say that they do not know.
func countryCode(text string) uint32 {
	text = strings.ToUpper(text)
	if len(text) != 2 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || text == "ZZ" {
		return 0
	}
	return uint32(text[0])<<8 | uint32(text[1])
}
