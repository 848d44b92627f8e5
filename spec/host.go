package spec

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
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

// notASCII explains that browsers ask for the A-label and, where no
// normalisation is in doubt, what that is.
func notASCII(host string) string {
	const text = "%s has characters beyond ASCII; browsers ask for its punycode form"
	var labels []string
	for label := range strings.SplitSeq(strings.ToLower(host), ".") {
		encoded, ok := punycode(label)
		if !ok || checkLabel(host, encoded) != "" {
			return fmt.Sprintf(text+" (xn--...), so write that", host)
		}
		labels = append(labels, encoded)
	}
	return fmt.Sprintf(text+", so write %s", host, strings.Join(labels, "."))
}

// punycode makes the A-label of a label (RFC 3492, 6.3). It does not know the
// mapping tables of IDNA and leaves labels alone that may need them.
func punycode(label string) (string, bool) {
	const base, tMin, tMax, skew, damp, firstBias, firstN = 36, 1, 26, 38, 700, 72, 128
	var runes []rune
	out := []byte("xn--")
	for _, r := range label {
		if r > unicode.MaxASCII && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return "", false // a combining mark, a joiner, a sign: tables decide
		}
		if r <= unicode.MaxASCII {
			out = append(out, byte(r))
		}
		runes = append(runes, r)
	}
	basic := len(out) - len("xn--")
	if basic == len(runes) {
		return label, true
	}
	if len(runes) > 63 {
		return "", false
	}
	if basic > 0 {
		out = append(out, '-')
	}
	delta, bias := 0, firstBias
	for handled, n := basic, rune(firstN); handled < len(runes); n++ {
		next := rune(unicode.MaxRune)
		for _, r := range runes {
			if r >= n {
				next = min(next, r)
			}
		}
		delta += int(next-n) * (handled + 1)
		n = next
		for _, r := range runes {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tMin), tMax)
				if q < t {
					break
				}
				out = append(out, digit(t+(q-t)%(base-t)))
				q = (q - t) / (base - t)
			}
			out = append(out, digit(q))
			// Adapt the bias (RFC 3492, 6.1).
			if handled == basic {
				delta /= damp
			} else {
				delta /= 2
			}
			delta += delta / (handled + 1)
			k := 0
			for ; delta > (base-tMin)*tMax/2; k += base {
				delta /= base - tMin
			}
			bias = k + (base-tMin+1)*delta/(delta+skew)
			delta = 0
			handled++
		}
		delta++
	}
	return string(out), true
}

func digit(value int) byte {
	if value < 26 {
		return byte('a' + value)
	}
	return byte('0' + value - 26)
}
