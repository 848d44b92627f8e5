package cache

import (
	"bytes"

	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// NotModified reports whether the request's conditions let a 304 stand for
// the stored answer (RFC 9110, 13.2.2; RFC 9111, 4.3.2): If-None-Match by
// weak comparison, else If-Modified-Since.
func (o *Object) NotModified(request *wire.Fields) bool {
	if o.Status != 200 {
		return false
	}
	if first := request.Next(wire.IfNoneMatch, -1); first >= 0 {
		tag, ok := o.Fields.Get(wire.ETag)
		if !ok {
			value := request.Value(first)
			return len(value) == 1 && value[0] == '*'
		}
		for i := first; i >= 0; i = request.Next(wire.IfNoneMatch, i) {
			if matches(request.Value(i), tag) {
				return true
			}
		}
		return false
	}
	since, ok := request.Get(wire.IfModifiedSince)
	if !ok {
		return false
	}
	modified, ok := o.Fields.Get(wire.LastModified)
	if !ok {
		return false
	}
	if bytes.Equal(since, modified) {
		return true
	}
	limit, ok := freshness.ParseDate(since)
	if !ok {
		return false
	}
	at, ok := freshness.ParseDate(modified)
	return ok && !at.After(limit)
}

// matches compares a list of entity tags with one, weakly (RFC 9110, 8.8.3.2).
func matches(list, tag []byte) bool {
	tag = bytes.TrimPrefix(tag, []byte("W/"))
	if len(list) == 1 && list[0] == '*' {
		return true
	}
	for len(list) > 0 {
		switch list[0] {
		case ' ', '\t', ',':
			list = list[1:]
			continue
		}
		list = bytes.TrimPrefix(list, []byte("W/"))
		if len(list) == 0 || list[0] != '"' {
			return false
		}
		end := bytes.IndexByte(list[1:], '"')
		if end < 0 {
			return false
		}
		if bytes.Equal(list[:end+2], tag) {
			return true
		}
		list = list[end+2:]
	}
	return false
}
