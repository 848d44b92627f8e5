package spec

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seawall-edge/seawall"
)

// The largest values that are not taken for a slip of the pen.
const (
	longestTimeout = Duration(24 * time.Hour)
	largestObject  = Bytes(1 << 40)
)

// Mistake is one thing that is wrong in what somebody wrote.
type Mistake struct {
	Path string // which setting: origin.url, hosts[2], or [3].name in a list of zones
	Text string // what is wrong, and where it helps what to write instead
}

// String returns "path: text".
func (m Mistake) String() string { return m.Path + ": " + m.Text }

// Validate returns every mistake in the zone; none means that it can be
// compiled.
func (z ZoneSpec) Validate() []Mistake {
	var list mistakes
	list.name(z.Name)
	list.hosts(z)
	list.origin("origin", z.Origin)
	list.timeout("origin.connect_timeout", z.Origin.ConnectTimeout)
	list.timeout("origin.first_byte_timeout", z.Origin.FirstByteTimeout)
	list.timeout("origin.idle_timeout", z.Origin.IdleTimeout)
	if size := z.Cache.MaxObject; size < 0 || size > largestObject {
		list.add("cache.max_object", "%s is outside of 1B to %s", size, largestObject)
	}
	return list
}

// ValidateZones returns every mistake in each zone and between them. Paths
// begin with the zone's place in the list: [2].origin.url.
func ValidateZones(zones []ZoneSpec) []Mistake {
	var list mistakes
	names, claims := map[string]int{}, map[string]int{}
	for i, z := range zones {
		for _, m := range z.Validate() {
			list.add(fmt.Sprintf("[%d].%s", i, m.Path), "%s", m.Text)
		}
		if first, taken := names[z.Name]; taken && z.Name != "" {
			list.add(fmt.Sprintf("[%d].name", i), "zone %d in the list is called %s, too", first+1, z.Name)
			continue // that its host is claimed twice as well is the same mistake
		}
		names[z.Name] = i
		for j, host := range z.Resolved().Hosts {
			first, taken := claims[host]
			if !taken {
				claims[host] = i
			}
			if !taken || first == i || host == "" {
				continue
			}
			path := fmt.Sprintf("[%d].hosts[%d]", i, j)
			if len(z.Hosts) == 0 {
				path = fmt.Sprintf("[%d].name", i)
			}
			list.add(path, "%s is already a host of zone %s", host, zones[first].Name)
		}
	}
	return list
}

type mistakes []Mistake

func (l *mistakes) add(path, format string, args ...any) {
	*l = append(*l, Mistake{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (l *mistakes) name(name string) {
	switch {
	case name == "":
		l.add("name", "a zone needs a name: its host name, such as example.com, or * for every host")
	case name == AnyHost:
	case name == seawall.ZoneNone:
		l.add("name", "%s is how requests without a zone are called; choose another name", name)
	case strings.Contains(name, "*"):
		l.add("name", "%s is no host name; wildcards belong into hosts", name)
	default:
		if wrong := checkHost(name); wrong != "" {
			l.add("name", "%s", wrong)
		}
	}
}

func (l *mistakes) hosts(z ZoneSpec) {
	seen := map[string]bool{}
	for i, host := range z.Hosts {
		path := fmt.Sprintf("hosts[%d]", i)
		if seen[host] {
			l.add(path, "%s is in the list twice", host)
			continue
		}
		seen[host] = true
		below, wildcard := strings.CutPrefix(host, "*.")
		switch {
		case host == AnyHost:
		case strings.Contains(below, "*"):
			l.add(path, "%s: a * may only stand alone or for everything before a name, as in *.example.com", host)
		case wildcard && isAddress(below):
			l.add(path, "%s: nothing is below an address", host)
		default:
			if wrong := checkHost(below); wrong != "" {
				l.add(path, "%s", wrong)
			}
		}
	}
}

func (l *mistakes) origin(path string, o OriginSpec) {
	path += ".url"
	if o.URL == "" {
		l.add(path, "a zone needs an origin: the address of the server that has the site, such as http://127.0.0.1:3000")
		return
	}
	u, err := url.Parse(o.URL)
	if before, _, found := strings.Cut(o.URL, "://"); !found || before == "" {
		l.add(path, "%q does not begin with http:// or https://", withoutUser(o.URL))
		return
	}
	if err != nil {
		var why *url.Error
		if errors.As(err, &why) && !strings.Contains(o.URL, "@") { // else it may repeat a password
			l.add(path, "%q is not a URL: %v", o.URL, why.Err)
		} else {
			l.add(path, "this is not a URL; write one such as http://127.0.0.1:3000")
		}
		return
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		l.add(path, "%s is not a scheme that can be spoken to an origin; use http or https", u.Scheme)
	}
	if u.User != nil {
		l.add(path, "a user or password cannot be part of the address")
	}
	if u.Path != "" && u.Path != "/" {
		l.add(path, "the address ends with the path %s, which cannot be added to visitors' paths; leave it out", u.EscapedPath())
	}
	if u.RawQuery != "" || u.ForceQuery || strings.Contains(o.URL, "#") {
		l.add(path, "the address has a query or a fragment; leave it out")
	}
	l.originHost(path, u)
}

func (l *mistakes) originHost(path string, u *url.URL) {
	name := u.Hostname()
	switch {
	case name == "":
		l.add(path, "the address names no host")
	case strings.HasPrefix(u.Host, "["):
		if address, err := netip.ParseAddr(name); err != nil || !address.Is6() || address.Zone() != "" {
			l.add(path, "%s is not an IPv6 address", name)
		}
	default:
		if wrong := checkHost(strings.ToLower(name)); wrong != "" {
			l.add(path, "%s", wrong)
		}
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			l.add(path, "%q is not a port; ports are numbers from 1 to 65535", port)
		}
	}
}

func (l *mistakes) timeout(path string, d Duration) {
	if d < 0 || d > longestTimeout {
		l.add(path, "%s is outside of what can be waited: more than 0 and at most %s", d, longestTimeout)
	}
}

// withoutUser cuts what stands before the last @, which may be a password.
func withoutUser(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return "...@" + text[i+1:]
	}
	return text
}

// isAddress reports whether a host is an address, IPv6 in brackets.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}
