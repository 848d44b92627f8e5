package freshness

import (
	"bytes"
	"time"
)

// NotModified reports whether a 304 may stand for a stored 200 (RFC 9110,
// 13.2.2; RFC 9111, 4.3.2): If-None-Match by weak comparison, else
// If-Modified-Since. received is when the stored answer came.
func NotModified(request, stored Fields, received time.Time) bool {
	if i := request.NextNamed(nameIfNoneMatch, -1); i >= 0 {
		tag, _ := first(stored, nameETag)
		for ; i >= 0; i = request.NextNamed(nameIfNoneMatch, i) {
			if listed(request.Value(i), tag) {
				return true
			}
		}
		return false
	}
	since, ok := first(request, nameIfModifiedSince)
	if !ok {
		return false
	}
	limit, valid := ParseDate(since, received)
	if !valid || repeated(request, nameIfModifiedSince) {
		return false // as if it were not there (RFC 9110, 13.1.3)
	}
	modified, ok := first(stored, nameLastModified)
	if !ok {
		// Without Last-Modified, Date counts, else when it came (4.3.2).
		return !generated(stored, received).After(limit)
	}
	at, ok := ParseDate(modified, received)
	return ok && !at.After(limit)
}

// InNotModified reports whether a 304 says the stored field with this name:
// all but those that describe the body it does not have. tagged: there is an
// ETag, so Last-Modified is one of them (RFC 9110, 15.4.5).
func InNotModified(name []byte, tagged bool) bool {
	for _, describes := range [...]string{"content-type", "content-encoding", "content-language", "content-range", "content-md5", "content-digest", "repr-digest"} {
		if is(name, describes) {
			return false
		}
	}
	return !tagged || !is(name, "last-modified")
}

// listed compares a list of entity tags with one, weakly (RFC 9110, 8.8.3.2).
// A tag that lacks its quotes equals only itself.
func listed(list, tag []byte) bool {
	if len(list) == 1 && list[0] == '*' {
		return true
	}
	tag = opaque(tag)
	for len(tag) > 0 && len(list) > 0 {
		end := tagEnd(list)
		if bytes.Equal(opaque(trim(list[:end])), tag) {
			return true
		}
		list = list[min(end+1, len(list)):]
	}
	return false
}

// tagEnd returns where the first entity tag of a list ends. Within quotes a
// comma and a backslash are characters like others (RFC 9110, 8.8.3).
func tagEnd(list []byte) int {
	quoted := false
	for i, c := range list {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return i
		}
	}
	return len(list)
}

// opaque takes the weakness off an entity tag.
func opaque(tag []byte) []byte { return bytes.TrimPrefix(tag, weak) }

var weak = []byte("W/")

// strong returns an answer's strong entity tag; nil when it has none.
func strong(f Fields) []byte {
	tag, ok := first(f, nameETag)
	if !ok || len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return nil
	}
	return tag
}

// StrongTag returns an answer's entity tag if it is a strong one.
func StrongTag(f Fields) (tag []byte, ok bool) {
	tag = strong(f)
	return tag, tag != nil
}

// RangeApplies reports whether a request's If-Range lets its Range count for
// the stored answer (RFC 9110, 13.1.5): a strong entity tag, or a date that
// is exactly that of a Last-Modified which can be trusted to tell versions
// apart. Without If-Range it does.
func RangeApplies(request, stored Fields, received time.Time) bool {
	condition, ok := first(request, nameIfRange)
	if !ok {
		return true
	}
	if repeated(request, nameIfRange) {
		return false
	}
	if tag := strong(stored); tag != nil && bytes.Equal(condition, tag) {
		return true
	}
	modified, ok := first(stored, nameLastModified)
	return ok && bytes.Equal(condition, modified) && trusted(stored, received)
}

// trusted reports whether Last-Modified is a strong validator: the answer's
// Date, which is by the same clock, is at least a second after it (RFC 9110,
// 8.8.2.2).
func trusted(f Fields, received time.Time) bool {
	value, _ := first(f, nameLastModified)
	at, ok := ParseDate(value, received)
	value, _ = first(f, nameDate)
	date, dated := ParseDate(value, received)
	return ok && dated && date.Sub(at) >= time.Second
}

// SameVersion reports whether two answers are parts of the very same
// representation: they share a strong validator (RFC 9111, 3.4). Where one
// has an entity tag, the tags alone decide.
func SameVersion(a, b Fields, received time.Time) bool {
	tagA, hasA := first(a, nameETag)
	tagB, hasB := first(b, nameETag)
	if hasA || hasB {
		return strong(a) != nil && bytes.Equal(tagA, tagB)
	}
	modifiedA, hasA := first(a, nameLastModified)
	modifiedB, hasB := first(b, nameLastModified)
	return hasA && hasB && bytes.Equal(modifiedA, modifiedB) && trusted(a, received) && trusted(b, received)
}

// Certain reports whether an answer has a validator that SameVersion could
// recognise it by.
func Certain(f Fields, received time.Time) bool {
	return strong(f) != nil || !has(f, nameETag) && has(f, nameLastModified) && trusted(f, received)
}
