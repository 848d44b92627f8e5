package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seawall-edge/seawall/spec"
)

// checkCommand is `seawall check`.
type checkCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration in YAML."`
}

// Run explains the configuration, or prints every mistake.
func (r checkCommand) Run(p *program) error {
	c, _, err := source{File: r.Config}.load()
	var wrong complaints
	if errors.As(err, &wrong) {
		fmt.Fprintln(p.stderr, wrong)
		return errSaid
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(p.stdout, explainConfig(c))
	return err
}

// explainConfig says in words what a resolved configuration does.
func explainConfig(c Config) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Visitors come in on %s (HTTP).", c.HTTP)
	line("The state directory is %s.", c.State)
	line("Operators ask at %s (admin)%s%s.", c.Admin, also("%s (metrics)", c.Metrics), also("%s (debug)", c.Debug))
	line("")
	l := c.Limits
	connections := "as many connections as open files allow"
	if l.Connections > 0 {
		connections = fmt.Sprintf("at most %d connections", l.Connections)
	}
	line("Limits: %s, %d from one address.", connections, l.ConnectionsPerAddress)
	line("  The head of a request has %s to arrive and is at most %s, its address %s.", l.HeadTimeout, l.MaxHead, l.MaxTarget)
	line("  A visitor may be silent for %s in a body, take nothing of an answer for %s, and keep a connection for %s between requests.",
		l.BodyTimeout, l.WriteTimeout, l.IdleTimeout)
	line("  On SIGTERM requests have %s to end.", l.DrainTimeout)
	if c.Cache.Off {
		line("Cache: off for every zone.")
	} else {
		line("Cache: %s of memory for all zones.", c.Cache.Memory)
	}
	line("Access log: %s.", explainAccessLog(c.AccessLog))
	line("For `seawall why`: refused and failed requests in %s, one in %d of the others in %s.",
		c.Events.RefusedBytes, c.Events.Sample, c.Events.PassedBytes)
	for _, z := range c.Zones {
		line("")
		b.WriteString(explainZone(z.Resolved(), c.Cache))
	}
	return b.String()
}

func also(format, value string) string {
	if value == "" {
		return ""
	}
	return ", " + fmt.Sprintf(format, value)
}

func explainAccessLog(a AccessSettings) string {
	if a.File == "" {
		return "off"
	}
	file := a.File
	if file == "-" {
		file = "standard output"
	}
	what := map[string]string{
		"all":    "every request",
		"sample": fmt.Sprintf("refused and failed requests, and one in %d of the others,", a.Sample),
		"errors": "refused and failed requests and every status of 400 or more",
	}[a.What]
	return fmt.Sprintf("%s to %s (%s)", what, file, a.Format)
}

func explainHost(host string) string {
	if host == spec.AnyHost {
		return "every host that no other zone has"
	}
	if below, found := strings.CutPrefix(host, "*."); found {
		return "every name below " + below
	}
	return host
}
