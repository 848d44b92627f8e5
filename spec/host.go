package spec

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seawall-edge/seawall/internal/idna"
)

// checkHost says what is wrong with a host as it is compared with the
// canonical host of a request: lower case, A-labels, no port, no final dot.
// It returns "" when nothing is.
func checkHost(host string) string {
	if inside, found := strings.CutPrefix(host, "["); found {
		address, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		if err != nil || !address.Is6() || address.Zone() != "" {
			return fmt.Sprintf("%q is not an IPv6 address in brackets", host)
		}
		if canonical := "[" + address.String() + "]"; host != canonical {
			return fmt.Sprintf("write %s as %s", host, canonical)
		}
		return ""
	}
	switch {
	case host == "":
		return "a host name is empty"
	case !utf8.ValidString(host):
		return fmt.Sprintf("%q is not valid UTF-8", host)
	case strings.IndexFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) >= 0:
		return notASCII(host)
	case strings.Contains(host, "://"):
		return fmt.Sprintf("%q is a URL; a host name alone is needed here", host)
	case strings.Contains(host, ":"):
		return fmt.Sprintf("%q has a port; a zone answers on every port", host)
	case strings.HasSuffix(host, "."):
		return fmt.Sprintf("%q ends with a dot; leave it out", host)
	case host != strings.ToLower(host):
		return fmt.Sprintf("write %s in lower case: %s", host, strings.ToLower(host))
	case len(host) > 253:
		return fmt.Sprintf("a host name has %d characters, more than 253", len(host))
	}
	for label := range strings.SplitSeq(host, ".") {
		if wrong := checkLabel(host, label); wrong != "" {
			return wrong
		}
	}
	return ""
}

// checkLabel takes letters, digits and hyphens (RFC 1123, 2.1), and the
// underscore that names on private networks have.
func checkLabel(host, label string) string {
	switch {
	case label == "":
		return fmt.Sprintf("%q has an empty part between dots", host)
	case len(label) > 63:
		return fmt.Sprintf("%q has a part longer than 63 characters", host)
	case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
		return fmt.Sprintf("%q has a part that begins or ends with a hyphen", host)
	}
	for _, c := range label {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return fmt.Sprintf("%q is not a host name: it contains %q", host, c)
		}
	}
	return ""
}

// notASCII explains that browsers ask for the A-labels, and what those are.
func notASCII(host string) string {
	const text = "%s has characters beyond ASCII; browsers ask for its punycode form"
	name, err := idna.ToASCII(host)
	if err != nil {
		return fmt.Sprintf(text+", and this name has none", host)
	}
	return fmt.Sprintf(text+", so write %s", host, name)
}
