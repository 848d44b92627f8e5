package spec

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/prefix"
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
	list.origin(z.Origin)
	list.cache(z.Cache)
	list.compression(z.Compression)
	list.lists(z.Lists)
	conditions := list.conditions(z.Lists)
	list.access(z.Access, conditions)
	list.redirects(z, conditions)
	list.rewrites(z.Rewrite, conditions)
	list.ownAnswers(z.Answers, conditions)
	list.securityTxt(z.SecurityTxt)
	list.cacheRules(z.Cache.Rules, conditions)
	list.writtenKeys(z)
	list.hops(z.TrustedHops)
	list.tls(z.TLS)
	list.pages(z.Pages)
	list.prefixes("maintenance.allow", z.Maintenance.Allow)
	list.timeout("maintenance.retry_after", z.Maintenance.RetryAfter)
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
		for j, host := range z.AllHosts() {
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

func (l *mistakes) timeout(path string, d Duration) {
	if d < 0 || d > longestTimeout {
		l.add(path, "%s is outside of what can be waited: more than 0 and at most %s", d, longestTimeout)
	}
}

func (l *mistakes) prefixes(path string, texts []string) {
	_, wrong := prefix.Parse(texts)
	for _, w := range wrong {
		l.add(fmt.Sprintf("%s[%d]", path, w.Index), "%s", w.Text)
	}
}

func (l *mistakes) hops(h HopsSpec) {
	l.prefixes("trusted_hops.addresses", h.Addresses)
	if h.Field != "" && !strings.EqualFold(h.Field, "X-Forwarded-For") && !strings.EqualFold(h.Field, "Forwarded") {
		l.add("trusted_hops.field", "%q is not a field that can be read; use X-Forwarded-For or Forwarded", h.Field)
	}
}

// largestPage is the largest HTML of one page.
const largestPage = 256 << 10

func (l *mistakes) pages(p PagesSpec) {
	for _, page := range p.All() {
		path := "pages." + page.Class
		switch {
		case page.HTML != "" && page.Path != "":
			l.add(path, "html and path exclude each other; use one of them")
		case len(page.HTML) > largestPage:
			l.add(path+".html", "the page has %d bytes, more than %d", len(page.HTML), largestPage)
		}
		l.path(path+".path", page.Path)
	}
}

// path checks a path that the edge itself asks an origin for.
func (l *mistakes) path(path, text string) {
	switch {
	case text == "":
	case text[0] != '/':
		l.add(path, "%q does not begin with a slash", text)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }):
		l.add(path, "%q has a character that cannot stand in a path; percent-encode it", text)
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
