package spec

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

func (l *mistakes) origin(o OriginSpec) {
	switch {
	case o.URL == "" && len(o.Servers) == 0:
		l.add("origin.url", "a zone needs an origin: the address of the server that has the site, such as http://127.0.0.1:3000")
	case o.URL != "" && len(o.Servers) > 0:
		l.add("origin.servers", "url and servers exclude each other; give the url as the first of the servers")
	case o.URL != "":
		l.originURL("origin.url", o.URL)
	}
	l.servers(o.Servers)
	l.sentHost("origin.host", o.Host)
	l.hostName("origin.server_name", o.ServerName)
	l.roots(o.Roots)
	l.originTLS(o)
	for _, timeout := range []struct {
		name  string
		value Duration
	}{
		{"connect_timeout", o.ConnectTimeout}, {"first_byte_timeout", o.FirstByteTimeout}, {"idle_timeout", o.IdleTimeout},
		{"total_timeout", o.TotalTimeout}, {"keep_idle", o.KeepIdle}, {"queue.timeout", o.Queue.Timeout},
		{"check.interval", o.Check.Interval}, {"check.timeout", o.Check.Timeout},
		{"breaker.rest", o.Breaker.Rest}, {"breaker.longest_rest", o.Breaker.LongestRest}, {"breaker.return", o.Breaker.Return},
	} {
		l.timeout("origin."+timeout.name, timeout.value)
	}
	for _, count := range []struct {
		name        string
		value, most int
	}{
		{"max_idle", o.MaxIdle, 1_000_000}, {"max_requests", o.MaxRequests, 1_000_000}, {"queue.length", o.Queue.Length, 1_000_000},
		{"check.passes", o.Check.Passes, 1000}, {"check.failures", o.Check.Failures, 1000}, {"breaker.failures", o.Breaker.Failures, 1_000_000},
	} {
		l.count("origin."+count.name, count.value, count.most)
	}
	if o.Breaker.LongestRest > 0 && o.Breaker.LongestRest < o.Breaker.Rest {
		l.add("origin.breaker.longest_rest", "%s is shorter than the first rest, %s", o.Breaker.LongestRest, o.Breaker.Rest)
	}
	if o.Sticky != "" && o.Sticky != StickyCookie && o.Sticky != StickyAddress {
		l.add("origin.sticky", "%q is not a way to keep a visitor with one server; use cookie or address", o.Sticky)
	}
	if o.StickyCookie != "" && !isToken(o.StickyCookie) {
		l.add("origin.sticky_cookie", "%q cannot be the name of a cookie", o.StickyCookie)
	}
	l.check(o.Check)
	if o.ClientAddressField != "" {
		l.fieldNames("origin.client_address_field", true, o.ClientAddressField)
	}
	l.fieldNames("origin.pass", false, o.Pass...)
	l.fieldNames("origin.hide", false, o.Hide...)
	l.fieldNames("origin.show", false, o.Show...)
}

func (l *mistakes) servers(servers []ServerSpec) {
	const most = 256
	if len(servers) > most {
		l.add("origin.servers", "there are %d servers, more than %d", len(servers), most)
	}
	names, primary := map[string]bool{}, false
	for i, s := range servers {
		path := fmt.Sprintf("origin.servers[%d]", i)
		if s.URL == "" {
			l.add(path+".url", "a server needs an address, such as http://127.0.0.1:3000")
		} else {
			l.originURL(path+".url", s.URL)
		}
		name := s.Name
		if name == "" {
			name = defaultServerName(i)
		}
		switch {
		case !isServerName(name):
			l.add(path+".name", "%q cannot be the name of a server; use at most 32 letters, digits, - and _", s.Name)
		case names[name]:
			l.add(path+".name", "another server is called %s, too", name)
		}
		names[name] = true
		l.count(path+".weight", s.Weight, 1000)
		l.count(path+".max_requests", s.MaxRequests, 1_000_000)
		l.sentHost(path+".host", s.Host)
		l.hostName(path+".server_name", s.ServerName)
		primary = primary || !s.Backup
	}
	if len(servers) > 0 && !primary {
		l.add("origin.servers", "every server is a backup, and there is none that they could replace")
	}
}

func (l *mistakes) check(c CheckSpec) {
	if c.Type != "" && c.Type != CheckHTTP && c.Type != CheckTCP {
		l.add("origin.check.type", "%q is not a way to check; use http or tcp", c.Type)
	}
	l.path("origin.check.path", c.Path)
	l.sentHost("origin.check.host", c.Host)
	if c.Status != "" {
		if _, wrong := ParseStatuses(c.Status); wrong != "" {
			l.add("origin.check.status", "%s", wrong)
		}
	}
	if c.Timeout > 0 && c.Interval > 0 && c.Timeout > c.Interval {
		l.add("origin.check.timeout", "%s is longer than the interval, %s", c.Timeout, c.Interval)
	}
}

// ParseStatuses reads a list such as 200-299,401. It returns which status
// codes are in it, or what is wrong with it.
func ParseStatuses(text string) (in func(status int) bool, wrong string) {
	var ranges [][2]int
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || from < 100 || to > 599 || from > to {
			return nil, fmt.Sprintf("%q is not a list of status codes; write one such as 200-299,401", text)
		}
		ranges = append(ranges, [2]int{from, to})
	}
	return func(status int) bool {
		for _, r := range ranges {
			if status >= r[0] && status <= r[1] {
				return true
			}
		}
		return false
	}, ""
}

// sentHost checks what may be sent as Host: a keyword, or a host with or
// without a port.
func (l *mistakes) sentHost(path, text string) {
	if text == "" || text == HostVisitor || text == HostServer {
		return
	}
	host := text
	if before, port, found := strings.Cut(text, ":"); found && !strings.HasPrefix(text, "[") {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			l.add(path, "%q is not a port; ports are numbers from 1 to 65535", port)
			return
		}
		host = before
	}
	l.hostName(path, host)
}

func (l *mistakes) hostName(path, text string) {
	if text == "" {
		return
	}
	if wrong := checkHost(text); wrong != "" {
		l.add(path, "%s", wrong)
	}
}

func (l *mistakes) roots(text string) {
	if strings.TrimSpace(text) != "" {
		l.pemCertificates("origin.roots", text)
	}
}

// pemCertificates checks a list of at least one certificate.
func (l *mistakes) pemCertificates(path, text string) {
	rest := []byte(strings.TrimSpace(text))
	if len(rest) == 0 {
		l.add(path, "there is no certificate in it")
	}
	for len(rest) > 0 {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			l.add(path, "this is not a list of certificates in PEM")
			return
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			l.add(path, "a certificate cannot be read: %v", err)
			return
		}
		rest = []byte(strings.TrimSpace(string(after)))
	}
}

func (l *mistakes) count(path string, value, most int) {
	if value < 0 || value > most {
		l.add(path, "%d is outside of 1 to %d", value, most)
	}
}

// fieldNames checks names of header fields. Those that frame a message are
// nobody's to pass on, to hide or to set.
func (l *mistakes) fieldNames(path string, alone bool, names ...string) {
	for i, name := range names {
		at := path
		if !alone {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		switch {
		case !isToken(name) || len(name) > 64:
			l.add(at, "%q cannot be the name of a header field", name)
		case framing[strings.ToLower(name)]:
			l.add(at, "%s belongs to the connection and cannot be named here", name)
		}
	}
}

var framing = map[string]bool{
	"connection": true, "content-length": true, "host": true, "keep-alive": true, "proxy-connection": true,
	"te": true, "trailer": true, "transfer-encoding": true, "upgrade": true, "expect": true, "via": true, "cdn-loop": true,
}

// isToken reports whether text is a token (RFC 9110, 5.6.2).
func isToken(text string) bool {
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return text != ""
}

func isServerName(text string) bool {
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return text != "" && len(text) <= 32
}

func (l *mistakes) originURL(path, text string) {
	u, err := url.Parse(text)
	if before, _, found := strings.Cut(text, "://"); !found || before == "" {
		l.add(path, "%q does not begin with http:// or https://", withoutUser(text))
		return
	}
	if err != nil {
		var why *url.Error
		if errors.As(err, &why) && !strings.Contains(text, "@") { // else it may repeat a password
			l.add(path, "%q is not a URL: %v", text, why.Err)
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
	if u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
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
