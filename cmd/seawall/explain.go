package main

import (
	"fmt"
	"strings"

	"github.com/seawall-edge/seawall/spec"
)

// explainZone says in sentences what a resolved zone is set to.
func explainZone(z spec.ZoneSpec, c Config) string {
	var b strings.Builder
	shared := c.Cache
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	fmt.Fprintf(&b, "Zone %s\n", z.Name)
	hosts := make([]string, len(z.Hosts))
	for i, host := range z.Hosts {
		hosts[i] = explainHost(host)
	}
	line("Hosts: %s.", join(hosts, "and"))
	explainTLS(line, z, c)
	explainOrigin(line, z.Origin)
	explainOriginTLS(line, z, c)
	switch {
	case shared.Off:
		line("Cache: off, as for every zone.")
	case z.Cache.Off:
		line("Cache: off.")
	case z.Cache.MaxObject > shared.Memory:
		line("Cache: objects up to %s, of which none above the cache's %s will fit.", z.Cache.MaxObject, shared.Memory)
	default:
		line("Cache: objects up to %s.", z.Cache.MaxObject)
		explainCache(line, z.Cache)
	}
	if until := z.Cache.BypassUntil; !until.IsZero() && !z.Cache.Off {
		line("  In development until %s: the cache is neither asked nor filled.", until.Time().Format("2006-01-02 15:04 MST"))
	}
	explainRules(line, z)
	if hops := z.TrustedHops; len(hops.Addresses) > 0 {
		line("Visitors are who %s says they are, when it comes from %s.", hops.Field, join(hops.Addresses, "or"))
	}
	var own []string
	for _, page := range z.Pages.All() {
		switch {
		case page.Path != "":
			own = append(own, fmt.Sprintf("%s (the origin's %s)", page.Class, page.Path))
		case page.HTML != "":
			own = append(own, page.Class)
		}
	}
	if len(own) > 0 {
		line("Own pages for %s.", join(own, "and"))
	}
	if m := z.Maintenance; m.On {
		guests := "nobody is let in"
		if len(m.Allow) > 0 {
			guests = "only " + join(m.Allow, "and") + " are let in"
		}
		line("Closed for maintenance: %s, the others are asked to come back after %s.", guests, m.RetryAfter)
	}
	for _, remark := range z.Remarks(c.Node.Places != PlaceSettings{}) {
		line("Note: %s: %s.", remark.Path, remark.Text)
	}
	return b.String()
}

// explainRules says which rules there are, in the order in which they are
// asked.
func explainRules(line func(string, ...any), z spec.ZoneSpec) {
	list := func(what string, count int, name func(int) string) {
		if count == 0 {
			return
		}
		names := make([]string, 0, min(count, 20)+1)
		for i := range min(count, 20) {
			if n := name(i); n != "" {
				names = append(names, n)
			} else {
				names = append(names, fmt.Sprintf("number %d", i+1))
			}
		}
		if count > 20 {
			names = append(names, fmt.Sprintf("%d more", count-20))
		}
		line("%s: %s.", what, join(names, "and"))
	}
	list("Let in, in this order", len(z.Access.Allow), func(i int) string { return z.Access.Allow[i].Name })
	list("Turned away or noted, in this order", len(z.Access.Block), func(i int) string { return z.Access.Block[i].Name })
	r := z.Redirects
	var canonical []string
	if r.HTTPS {
		canonical = append(canonical, "to https")
	}
	if r.WWW != "" {
		canonical = append(canonical, map[string]string{spec.RedirectAdd: "to www.", spec.RedirectRemove: "away from www."}[r.WWW])
	}
	if r.TrailingSlash != "" {
		canonical = append(canonical, map[string]string{spec.RedirectAdd: "to a slash at the end", spec.RedirectRemove: "away from a slash at the end"}[r.TrailingSlash])
	}
	if len(canonical) > 0 {
		line("Visitors are sent %s, in one step.", join(canonical, "and"))
	}
	list("Then redirects, in this order", len(r.Rules), func(i int) string { return r.Rules[i].Name })
	list("Then lists of redirects", len(r.Lists), func(i int) string { return r.Lists[i].Name })
	list("The edge answers itself", len(z.Answers), func(i int) string { return z.Answers[i].Name })
	list("Requests are changed, in this order", len(z.Rewrite.Requests), func(i int) string { return z.Rewrite.Requests[i].Name })
	list("Rules about the cache; of two that say something about the same the first counts", len(z.Cache.Rules), func(i int) string { return z.Cache.Rules[i].Name })
	list("Answers are changed, in this order", len(z.Rewrite.Answers), func(i int) string { return z.Rewrite.Answers[i].Name })
	if z.Rewrite.SecurityHeaders {
		line("Answers get X-Content-Type-Options, X-Frame-Options and Referrer-Policy where the origin says nothing about them.")
	}
	if c := z.Rewrite.CORS; len(c.Origins) > 0 {
		line("Pages of %s may use the site.", join(c.Origins, "and"))
	}
	if c := z.Compression; c.Off {
		line("Nothing is compressed.")
	} else {
		line("Compression: %s at level %d, from %s.", join(c.Codings, "or"), c.Level, c.MinSize)
	}
}

// explainCache says what differs from the usual.
func explainCache(line func(string, ...any), c spec.CacheSpec) {
	switch {
	case c.NeverStale:
		line("  Nothing is served after its lifetime, also while the origin is away.")
	default:
		line("  While the origin cannot be reached, copies serve for %s after their lifetime unless the origin forbids it.", c.WhenDown)
	}
	if c.NoHeuristic {
		line("  Answers that name no lifetime are asked about each time.")
	}
	switch c.SetCookie {
	case spec.SetCookieRemove:
		line("  Answers that set a cookie are kept without it.")
	case spec.SetCookieRefuse:
		line("  Answers that set a cookie are not kept.")
	}
	switch {
	case c.Visitors.IgnoreDirectives:
		line("  Visitors' own Cache-Control does not count.")
	case c.Visitors.ReloadInterval > 0:
		line("  Visitors' own Cache-Control counts for copies that are older than %s.", c.Visitors.ReloadInterval)
	}
	if c.Bounds.Ceiling > 0 {
		line("  At most %s of memory.", c.Bounds.Ceiling)
	}
}

func explainOrigin(line func(string, ...any), o spec.OriginSpec) {
	servers := make([]string, 0, len(o.Servers))
	for _, s := range o.Servers {
		text := fmt.Sprintf("%s at %s", s.Name, s.URL)
		if s.Backup {
			text += " as a backup"
		} else if s.Weight != 1 {
			text += fmt.Sprintf(" with weight %d", s.Weight)
		}
		servers = append(servers, text)
	}
	who := o.URL
	if len(servers) > 0 {
		who = join(servers, "and") + "; each"
	} else {
		who += ", which"
	}
	line("Origin: %s has %s to accept a connection and %s to begin its answer, and may be silent for %s in a body.",
		who, o.ConnectTimeout, o.FirstByteTimeout, o.IdleTimeout)
	if o.TotalTimeout > 0 {
		line("  A request may take %s in all.", o.TotalTimeout)
	}
	switch o.Host {
	case spec.HostVisitor:
	case spec.HostServer:
		line("  It is asked by its own name.")
	default:
		line("  It is asked for %s.", o.Host)
	}
	if o.MaxRequests > 0 {
		line("  It gets %d requests at a time; %d more may wait, each for %s.", o.MaxRequests, o.Queue.Length, o.Queue.Timeout)
	}
	switch c := o.Check; c.Type {
	case spec.CheckTCP:
		line("  Every %s a connection is tried; %d failures take a server down, %d successes bring it back.", c.Interval, c.Failures, c.Passes)
	case spec.CheckHTTP:
		line("  Every %s it is asked for %s and has %s to answer with status %s%s; %d failures take a server down, %d successes bring it back.",
			c.Interval, c.Path, c.Timeout, c.Status, also("the text %q", c.Text), c.Failures, c.Passes)
	}
	if b := o.Breaker; b.Off {
		line("  It is asked however often it fails.")
	} else {
		line("  After %d failures in a row it rests for %s, for %s at most, and is back whole %s after it answers again.",
			b.Failures, b.Rest, b.LongestRest, b.Return)
	}
	switch o.Sticky {
	case spec.StickyCookie:
		line("  The cookie %s keeps a visitor with one server.", o.StickyCookie)
	case spec.StickyAddress:
		line("  A visitor's address decides on the server.")
	}
	if o.PublicOnly {
		line("  Private addresses are refused.")
	}
	if o.ProxyProtocol {
		line("  Each connection begins with a PROXY protocol header.")
	}
}
