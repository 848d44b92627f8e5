package origin

import (
	"bytes"
	"strconv"

	"github.com/seawall-edge/seawall/internal/wire"
)

// rewrite returns the value of an answer's field with the servers' own names
// replaced by the one that the visitor knows. It is valid until the next call.
func (r *Response) rewrite(known wire.Name, value []byte) []byte {
	switch known {
	case wire.Location, wire.ContentLocation, wire.Refresh, wire.Link:
		return r.rewriteURLs(value)
	case wire.SetCookie:
		return r.rewriteDomain(value)
	}
	return value
}

// rewriteURLs replaces the authority of every absolute URL, and of those that
// begin with "//", where it is a server's own.
func (r *Response) rewriteURLs(value []byte) []byte {
	if len(r.x.Hostport) == 0 {
		return value
	}
	out, done := r.value[:0], 0
	for at := 0; ; {
		slashes := bytes.Index(value[at:], []byte("//"))
		if slashes < 0 {
			break
		}
		from := at + slashes + 2
		to := from
		for to < len(value) && !bytes.ContainsRune([]byte("/?#>\"' ,;\\"), rune(value[to])) {
			to++
		}
		at = to
		scheme, begin := schemeBefore(value, from-2)
		next, ok := r.authorityFor(scheme, value[from:to])
		if !ok || begin > 0 && !bytes.ContainsRune([]byte("<\"'=,;( \t"), rune(value[begin-1])) && scheme == "" {
			continue // "//" in the middle of a path begins no URL
		}
		out = append(out, value[done:begin]...)
		out = append(out, next...)
		done = to
	}
	if done == 0 {
		return value
	}
	r.value = append(out, value[done:]...)
	return r.value
}

// schemeBefore returns the scheme of the URL whose "//" begins at i, and where
// the URL begins. A URL without one has the scheme of its context.
func schemeBefore(value []byte, i int) (scheme string, begin int) {
	for _, s := range []string{"https", "http"} {
		start := i - len(s) - 1
		if start >= 0 && value[i-1] == ':' && wire.EqualFold(value[start:i-1], []byte(s)) {
			return s, start
		}
	}
	return "", i
}

// authorityFor returns scheme and authority to put in place of an authority
// that is a server's own name.
//
// A URL of the very door the edge came in by leads to the visitor's door. One
// with the same name and another scheme's usual port keeps its scheme: an
// application that sends visitors to https means it. One with another port
// leads elsewhere and is left alone. And a server that was asked by the
// visitor's name may add the port it listens on itself.
func (r *Response) authorityFor(scheme string, authority []byte) (next []byte, ok bool) {
	x := r.x
	host, port := splitAuthority(authority)
	secure := scheme == "https" || scheme == "" && r.server.secure
	if port == 0 {
		port = usualPort(secure)
	}
	for _, s := range r.group.servers {
		switch {
		case wire.EqualFold(host, []byte(s.own)) && secure == s.secure && port == s.port:
			return r.visitorsURL(scheme), true
		case wire.EqualFold(host, []byte(s.own)) && port == usualPort(secure):
			memory := append(r.authority[:0], scheme...)
			if scheme != "" {
				memory = append(memory, ':')
			}
			r.authority = append(append(memory, '/', '/'), x.Host...)
			return r.authority, true
		case wire.EqualFold(host, x.Host) && secure == s.secure && port == s.port && port != usualPort(secure) && !wire.EqualFold(authority, x.Hostport):
			return r.visitorsURL(scheme), true
		}
	}
	return nil, false
}

// visitorsURL is scheme and authority of what the visitor asked for.
func (r *Response) visitorsURL(scheme string) []byte {
	memory := r.authority[:0]
	switch {
	case scheme == "":
	case r.x.Event.Secure:
		memory = append(memory, "https:"...)
	default:
		memory = append(memory, "http:"...)
	}
	r.authority = append(append(memory, '/', '/'), r.x.Hostport...)
	return r.authority
}

// splitAuthority takes the port off; a malformed authority has no host.
func splitAuthority(authority []byte) (host []byte, port uint16) {
	colon := bytes.LastIndexByte(authority, ':')
	if colon < 0 || bytes.IndexByte(authority[colon:], ']') >= 0 {
		return authority, 0
	}
	number, err := strconv.ParseUint(string(authority[colon+1:]), 10, 16)
	if err != nil || number == 0 {
		return nil, 0
	}
	return authority[:colon], uint16(number)
}

// rewriteDomain replaces a cookie's Domain that is a server's own name; the
// visitor's browser would refuse it. Where the visitor asked an address the
// attribute goes (RFC 6265, 5.2.3).
func (r *Response) rewriteDomain(value []byte) []byte {
	out, done := r.value[:0], 0
	for at := bytes.IndexByte(value, ';'); at >= 0 && at < len(value); {
		end := len(value)
		if next := bytes.IndexByte(value[at+1:], ';'); next >= 0 {
			end = at + 1 + next
		}
		key, domain, found := bytes.Cut(value[at+1:end], []byte("="))
		if found && wire.EqualFold(bytes.TrimSpace(key), []byte("Domain")) && r.isOwn(bytes.TrimPrefix(bytes.TrimSpace(domain), []byte("."))) {
			out = append(out, value[done:at]...)
			if len(r.x.Host) > 0 && !isAddress(string(r.x.Host)) {
				out = append(append(out, "; Domain="...), r.x.Host...)
			}
			done = end
		}
		at = end
	}
	if done == 0 {
		return value
	}
	r.value = append(out, value[done:]...)
	return r.value
}

func (r *Response) isOwn(host []byte) bool {
	for _, s := range r.group.servers {
		if wire.EqualFold(host, []byte(s.own)) {
			return true
		}
	}
	return false
}
