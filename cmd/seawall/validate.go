package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/edge"
	"github.com/seawall-edge/seawall/edge/pages"
	"github.com/seawall-edge/seawall/internal/prefix"
	"github.com/seawall-edge/seawall/spec"
)

// validate returns every mistake in a resolved configuration.
func (c Config) validate() []spec.Mistake {
	var list mistakes
	list.address("http", c.HTTP, false)
	if c.HTTPS != "" {
		list.address("https", c.HTTPS, false)
	}
	list.admin(c)
	if c.Debug != "" {
		list.address("debug", c.Debug, true)
	}
	if c.Metrics != "" {
		list.address("metrics", c.Metrics, false)
	}
	list.listeners(c)
	list.resolver(c.Resolver)
	list.twice(c)
	list.limits(c.Limits)
	list.size("cache.memory", c.Cache.Memory, 1<<20, 1<<44)
	list.among("access_log.format", c.AccessLog.Format, "json", "combined", "plain")
	list.among("access_log.what", c.AccessLog.What, "all", "sample", "errors")
	list.number("access_log.sample", c.AccessLog.Sample, 1, 1_000_000_000)
	list.size("events.refused_bytes", c.Events.RefusedBytes, 1<<20, 1<<44)
	list.size("events.passed_bytes", c.Events.PassedBytes, 1<<20, 1<<44)
	list.number("events.sample", c.Events.Sample, 1, 1_000_000_000)
	list.among("node.handshake.key_exchange", c.Node.Handshake.KeyExchange, keysHybrid, keysClassic)
	list.among("node.handshake.unknown_name", c.Node.Handshake.UnknownName, nameNeutral, nameIsAnAlert)
	for _, m := range spec.ValidateAccess(c.Node.Access, c.Node.Lists) {
		list.add("node."+m.Path, "%s", m.Text)
	}
	if len(c.Zones) == 0 {
		list.add("zones", "there is no zone, so nothing could be served; name one here or with --zone NAME=ORIGIN_URL")
	}
	zones := spec.ValidateZones(c.Zones)
	for _, m := range zones {
		list.add("zones"+m.Path, "%s", m.Text)
	}
	for i, z := range c.Zones {
		if len(zones) > 0 {
			break // rules can be put together when each is right
		}
		for _, m := range edge.CheckZone(z) {
			list.add(fmt.Sprintf("zones[%d].%s", i, m.Path), "%s", m.Text)
		}
	}
	list.page("unknown_host_page", c.UnknownHostPage)
	list.page("limits_page", c.LimitsPage)
	for i, z := range c.Zones {
		for _, page := range z.Pages.All() {
			list.page(fmt.Sprintf("zones[%d].pages.%s.html", i, page.Class), page.HTML)
		}
	}
	return list
}

type mistakes []spec.Mistake

// page checks the HTML of an own page.
func (l *mistakes) page(path, html string) {
	if html == "" {
		return
	}
	if _, err := pages.ParseTemplate([]byte(html)); err != nil {
		l.add(path, "%v", err)
	}
}

func (l *mistakes) listeners(c Config) {
	l.prefixes("proxy_protocol", c.ProxyProtocol)
	for i, listener := range c.Listeners {
		path := fmt.Sprintf("listeners[%d]", i)
		l.address(path+".address", listener.Address, false)
		l.prefixes(path+".proxy_protocol", listener.ProxyProtocol)
	}
}

func (l *mistakes) prefixes(path string, texts []string) {
	_, wrong := prefix.Parse(texts)
	for _, w := range wrong {
		l.add(fmt.Sprintf("%s[%d]", path, w.Index), "%s", w.Text)
	}
}

func (l *mistakes) resolver(servers []string) {
	for i, server := range servers {
		if _, err := resolverAddress(server); err != nil {
			l.add(fmt.Sprintf("resolver[%d]", i), "%v", err)
		}
	}
}

// resolverAddress completes the address of a DNS server. A name would have
// to be looked up first.
func resolverAddress(text string) (netip.AddrPort, error) {
	if address, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.AddrPortFrom(address, 53), nil
	}
	if full, err := netip.ParseAddrPort(text); err == nil && full.Port() != 0 {
		return full, nil
	}
	return netip.AddrPort{}, fmt.Errorf("%q is not the address of a DNS server; write one such as 192.0.2.53 or [2001:db8::53]:5353", text)
}

func (l *mistakes) add(path, format string, args ...any) {
	*l = append(*l, spec.Mistake{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (l *mistakes) limits(c Limits) {
	l.number("limits.connections", c.Connections, 0, 100_000_000)
	l.number("limits.connections_per_address", c.ConnectionsPerAddress, 1, 100_000_000)
	for _, timeout := range []struct {
		path  string
		value spec.Duration
	}{
		{"limits.head_timeout", c.HeadTimeout}, {"limits.body_timeout", c.BodyTimeout},
		{"limits.write_timeout", c.WriteTimeout}, {"limits.idle_timeout", c.IdleTimeout},
		{"limits.drain_timeout", c.DrainTimeout},
	} {
		if timeout.value < spec.Duration(time.Millisecond) || timeout.value > spec.Duration(24*time.Hour) {
			l.add(timeout.path, "%s is outside of 1ms to 24h", timeout.value)
		}
	}
	if c.Memory != 0 {
		l.size("limits.memory", c.Memory, 64<<20, 1<<50)
	}
	l.size("limits.max_head", c.MaxHead, 1<<10, 1<<20)
	l.size("limits.max_target", c.MaxTarget, 256, 1<<20)
	if c.MaxTarget > c.MaxHead && c.MaxHead > 0 {
		l.add("limits.max_target", "%s does not fit into max_head, which is %s", c.MaxTarget, c.MaxHead)
	}
}

// address checks host:port without asking the network. A name may resolve to
// anything, so what must be loopback is an address or localhost.
func (l *mistakes) address(path, text string, loopback bool) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		l.add(path, "%q is not an address; write host:port or :port, such as 127.0.0.1:8080", text)
		return
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 && port != "0" {
		l.add(path, "%q is not a port; ports are numbers from 1 to 65535, or 0 for any that is free", port)
	}
	address, err := netip.ParseAddr(host)
	if loopback && host != "localhost" && (err != nil || !address.IsLoopback()) {
		l.add(path, "%s can be reached from outside; this door is for loopback only, such as 127.0.0.1:%s", text, port)
	}
}

// longestSocket is what the kernel takes as a socket's path, its final NUL included.
const longestSocket = 108

func (l *mistakes) admin(c Config) {
	network, address := adminNetwork(c.Admin)
	if network == "tcp" {
		l.address("admin", address, true)
		return
	}
	if address == "" {
		l.add("admin", "the path of the socket is empty")
	}
	if len(address) < longestSocket {
		return
	}
	if c.Admin == adminSocket(c.State) {
		l.add("state", "the path is too long for the admin socket in it (%d of %d bytes); choose a shorter one or set admin", len(address), longestSocket-1)
	} else {
		l.add("admin", "the socket's path has %d bytes, more than %d", len(address), longestSocket-1)
	}
}

// twice finds one address for two doors.
func (l *mistakes) twice(c Config) {
	doors := []struct{ path, address string }{{"http", c.HTTP}, {"https", c.HTTPS}, {"admin", c.Admin}, {"debug", c.Debug}, {"metrics", c.Metrics}}
	for i, listener := range c.Listeners {
		doors = append(doors, struct{ path, address string }{fmt.Sprintf("listeners[%d].address", i), listener.Address})
	}
	for i, door := range doors {
		_, port, err := net.SplitHostPort(door.address)
		if err != nil || port == "0" {
			continue
		}
		j := slices.IndexFunc(doors[:i], func(d struct{ path, address string }) bool { return d.address == door.address })
		if j >= 0 {
			l.add(door.path, "%s is the address of %s, too", door.address, doors[j].path)
		}
	}
}

func (l *mistakes) number(path string, n, least, most int) {
	if n < least || n > most {
		l.add(path, "%d is outside of %d to %d", n, least, most)
	}
}

func (l *mistakes) size(path string, size, least, most spec.Bytes) {
	if size < least || size > most {
		l.add(path, "%s is outside of %s to %s", size, least, most)
	}
}

func (l *mistakes) among(path, word string, words ...string) {
	if !slices.Contains(words, word) {
		l.add(path, "%q is none of %s", word, join(words, "or"))
	}
}

// join lists words for a sentence: a, b or c.
func join(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
