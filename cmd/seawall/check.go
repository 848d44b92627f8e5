package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge"
	"github.com/seawall-edge/seawall/spec"
)

// checkCommand is `seawall check`.
type checkCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration in YAML."`

	Explain string   `placeholder:"URL" help:"Walk the ladder with a request for this address, which nobody sends, and say what each rung would do."`
	Header  []string `sep:"none" placeholder:"NAME:VALUE" help:"A field of that request; may be repeated."`
	Method  string   `default:"GET" help:"Its method."`
	Address string   `default:"192.0.2.1" help:"The address that it comes from."`
	Status  int      `default:"200" help:"The status that the origin answers with."`
	Type    string   `default:"text/html" help:"The Content-Type that the origin answers with."`
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
	if r.Explain != "" {
		return r.explain(p, c)
	}
	_, err = fmt.Fprint(p.stdout, explainConfig(c))
	return err
}

// explain walks the ladder with a request that nobody sends.
func (r checkCommand) explain(p *program, c Config) error {
	from, err := netip.ParseAddr(r.Address)
	if err != nil {
		return usageError{fmt.Errorf("--address: %q is not an address", r.Address)}
	}
	places := openPlacesOnce(c.Node.Places)
	rehearsal, err := edge.NewRehearsal(c.Zones, c.Node.Access, c.Node.Lists, places, c.Cache.Off)
	if err != nil {
		return err
	}
	steps, err := rehearsal.Explain(edge.Question{
		Method: r.Method, URL: r.Explain, Fields: r.Header, From: from, Status: r.Status, Type: r.Type, Now: time.Now(),
	})
	if err != nil {
		return usageError{err}
	}
	for _, step := range steps {
		for i, does := range step.Does {
			rung := ""
			if i == 0 {
				rung = stepNames[step.Rung]
			}
			fmt.Fprintf(p.stdout, "%-12s %s.\n", rung, printableLine(does))
		}
	}
	return nil
}

// stepNames are the rungs, and what an answer goes through after the last.
var stepNames = func() map[seawall.Rung]string {
	names := map[seawall.Rung]string{}
	for rung := range seawall.Rung(seawall.Rungs) {
		names[rung] = rung.String()
	}
	names[seawall.RungStore] = "answer"
	return names
}()

// printableLine keeps what is typed or configured from steering a terminal.
func printableLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}

// explainConfig says in words what a resolved configuration does.
func explainConfig(c Config) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Visitors come in on %s (HTTP)%s.", c.HTTP, also("%s (HTTPS)", c.HTTPS))
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
	explainNode(line, c.Node)
	line("Access log: %s.", explainAccessLog(c.AccessLog))
	line("For `seawall why`: refused and failed requests in %s, one in %d of the others in %s.",
		c.Events.RefusedBytes, c.Events.Sample, c.Events.PassedBytes)
	for _, z := range c.Zones {
		line("")
		b.WriteString(explainZone(z.Resolved(), c))
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

// explainNode says what holds for every zone.
func explainNode(line func(string, ...any), n NodeSettings) {
	if count := len(n.Access.Allow) + len(n.Access.Block); count > 0 {
		line("Who comes in anywhere: %d entries that let in, %d that turn away or note, before those of the zones.", len(n.Access.Allow), len(n.Access.Block))
	}
	if n.Handshake.KeyExchange == keysClassic {
		line("TLS: keys are agreed on without X25519MLKEM768.")
	}
	if n.Handshake.UnknownName == nameIsAnAlert {
		line("TLS: who asks for a name that nobody has gets an alert.")
	}
	for _, place := range []struct{ fact, file string }{{"country", n.Places.Country}, {"network", n.Places.Network}} {
		if place.file != "" {
			line("A visitor's %s is looked up in %s.", place.fact, place.file)
		}
	}
}
