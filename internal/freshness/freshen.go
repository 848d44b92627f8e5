package freshness

import "bytes"

// Likeness is how well a 304 fits a stored answer.
type Likeness uint8

const (
	Unlike       Likeness = iota
	Nameless              // the 304 has no validator: it fits whatever was asked about
	SameDate              // the same Last-Modified
	WeaklySame            // a weak entity tag that is the same by weak comparison
	StronglySame          // the same strong entity tag
)

// Freshens tells which of several stored answers a 304 is about (RFC 9111,
// 4.3.4): those that are StronglySame, else the newest of the others with
// the best likeness. A cache that asked about one answer alone knows without
// this: a 304 says that the one it named is still good, whatever else it says.
func Freshens(notModified, stored Fields) Likeness {
	tag, tagged := first(notModified, nameETag)
	modified, dated := first(notModified, nameLastModified)
	have, haveTag := first(stored, nameETag)
	switch {
	case strong(notModified) != nil:
		if haveTag && bytes.Equal(tag, have) {
			return StronglySame
		}
		return Unlike // it is about another, even if that differs by its weakness alone
	case tagged && haveTag && bytes.Equal(opaque(tag), opaque(have)):
		return WeaklySame
	case tagged:
		return Unlike
	case dated:
		if since, ok := first(stored, nameLastModified); ok && bytes.Equal(since, modified) {
			return SameDate
		}
		return Unlike
	}
	return Nameless
}

// Updates reports whether a 304, or the answer to a HEAD, replaces the stored
// field with this name (RFC 9111, 3.2): all but those that describe the
// stored bytes and would be wrong about them.
func Updates(name []byte) bool {
	for _, fixed := range [...]string{"content-length", "content-encoding", "content-range", "content-md5", "content-digest", "etag"} {
		if is(name, fixed) {
			return false
		}
	}
	return true
}

// StillDescribes reports whether the answer to a HEAD fits a stored answer to
// GET (RFC 9111, 4.3.5): each of ETag, Last-Modified and Content-Length that
// it has is the stored one. length and stored length are -1 where unknown.
func StillDescribes(head, stored Fields, length, storedLength int64) bool {
	for _, name := range [...][]byte{nameETag, nameLastModified} {
		said, ok := first(head, name)
		have, _ := first(stored, name)
		if ok && !bytes.Equal(said, have) {
			return false
		}
	}
	return length < 0 || storedLength < 0 || length == storedLength
}

// Validators returns what a conditional request about a stored answer says:
// its ETag and its Last-Modified (RFC 9111, 4.3.1); nil where there is none.
func Validators(stored Fields) (tag, modified []byte) {
	tag, _ = first(stored, nameETag)
	modified, _ = first(stored, nameLastModified)
	return tag, modified
}
