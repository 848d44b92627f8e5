package rewrite

import (
	"bytes"
	"strings"

	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// wellKnown begins the paths that other machines ask for exactly as they are
// (RFC 8615).
var wellKnown = []byte("/.well-known/")

// canonical makes the address that HTTPS, WWW and TrailingSlash want. moved:
// it is at another door; slashed: its end is another. slash says whether the
// end may become another.
func (r *Redirects) canonical(dst []byte, f *rule.Facts, hostport []byte, slash bool) (location []byte, moved, slashed bool) {
	path, query := f.Target, []byte(nil)
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		path, query = path[:i], path[i:]
	}
	toHTTPS := r.https && !f.Secure
	host, otherHost := r.otherHost(f.Host, hostport)
	suffix, cut := "", 0
	if m := string(f.Method); slash && (m == "GET" || m == "HEAD") && !bytes.HasPrefix(path, wellKnown) {
		last := path[bytes.LastIndexByte(path, '/')+1:]
		switch {
		case r.slash == spec.RedirectAdd && len(last) > 0 && bytes.IndexByte(last, '.') < 0:
			suffix = "/"
		case r.slash == spec.RedirectRemove && len(path) > 1 && len(last) == 0:
			cut = len(path) - len(bytes.TrimRight(path, "/"))
		}
	}
	moved, slashed = toHTTPS || otherHost, suffix != "" || cut > 0
	if !moved && !slashed {
		return nil, false, false
	}
	begin := len(dst)
	if moved {
		switch {
		case toHTTPS:
			dst = append(append(dst, "https://"...), withoutPort(host)...)
		case f.Secure:
			dst = append(append(dst, "https://"...), host...)
		default:
			dst = append(append(dst, "http://"...), host...)
		}
		begin = len(dst)
	}
	dst = append(dst, path[:len(path)-cut]...)
	if len(dst) == begin {
		dst = append(dst, '/')
	}
	dst = append(append(dst, suffix...), query...)
	if !moved {
		dst = safe(dst)
	}
	return dst, moved, slashed
}

// otherHost adds or removes "www.", where the other name is the zone's, too.
func (r *Redirects) otherHost(host, hostport []byte) (other []byte, changed bool) {
	const www = "www."
	switch has := bytes.HasPrefix(host, []byte(www)); {
	case r.www == spec.RedirectAdd && !has && r.claims(www+string(host)):
		return append([]byte(www), hostport...), true
	case r.www == spec.RedirectRemove && has && r.claims(string(host[len(www):])):
		return hostport[len(www):], true
	}
	return hostport, false
}

func withoutPort(hostport []byte) []byte {
	if i := bytes.LastIndexByte(hostport, ':'); i >= 0 && bytes.IndexByte(hostport[i:], ']') < 0 {
		return hostport[:i]
	}
	return hostport
}

// claimed returns which hosts are among a zone's own.
func claimed(hosts []string) func(string) bool {
	exact, below := map[string]bool{}, []string{}
	for _, host := range hosts {
		if rest, wild := strings.CutPrefix(host, "*"); wild {
			below = append(below, rest) // of "*" that is everything
		} else {
			exact[host] = true
		}
	}
	return func(host string) bool {
		if exact[host] {
			return true
		}
		for _, end := range below {
			if strings.HasSuffix(host, end) {
				return true
			}
		}
		return false
	}
}
