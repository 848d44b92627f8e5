package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seawall-edge/seawall/spec"
)

// statusCommand is `seawall status`.
type statusCommand struct {
	State string `placeholder:"DIR" default:"${state}" help:"State directory of the running program (${default})."`
	Admin string `placeholder:"ADDR" help:"Its admin address (default admin.sock in the state directory)."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

// Run asks the running program and prints what it says.
func (r statusCommand) Run(p *program) error {
	admin := r.Admin
	if admin == "" {
		admin = adminSocket(r.State)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	status, err := askStatus(ctx, admin)
	if err != nil {
		return err
	}
	if r.JSON {
		return printJSON(p.stdout, status)
	}
	return printStatus(p.stdout, status)
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func printStatus(w io.Writer, s Status) error {
	doing := "not ready"
	if s.Draining {
		doing = "draining"
	} else if s.Ready {
		doing = "serving"
	}
	up := time.Duration(s.UptimeSeconds) * time.Second
	fmt.Fprintf(w, "seawall %s, process %d, %s, up %s\n", s.Version, s.PID, doing, up)
	fmt.Fprintf(w, "connections %d, events dropped %d, configuration %d\n", s.Connections, s.EventsDropped, s.Generation)
	fmt.Fprintf(w, "cache %s in %d objects, pressure %s\n\n", spec.Bytes(s.CacheBytes).Rounded(), s.CacheObjects, s.Pressure)
	for _, place := range s.Places {
		fmt.Fprintln(w, explainPlace(place))
	}
	if len(s.Places) > 0 {
		fmt.Fprintln(w)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "zone\trequests\thits\tcached\trefused\tfailed\twaiting\tstate")
	for _, z := range s.Zones {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%d\t%d\t%d\t%s\n", z.Zone, z.Requests, z.Hits, spec.Bytes(z.CacheBytes).Rounded(), z.Refused, z.Failed, int64(z.Waiting)+z.CacheWaiting, zoneState(z))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	table = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "server\trequests\tidle\topened\tfailures\tstate")
	for _, z := range s.Zones {
		for _, one := range z.Servers {
			fmt.Fprintf(table, "%s %s %s\t%d\t%d\t%d\t%d\t%s\n", z.Zone, one.Name, one.URL, one.Requests, one.Idle, one.Opened, one.Failures, serverState(one))
		}
	}
	return table.Flush()
}

// zoneState says in a few words what is unusual about a zone.
func zoneState(z ZoneStatus) string {
	var words []string
	if z.Maintenance {
		words = append(words, "maintenance")
	}
	for _, part := range slices.Sorted(maps.Keys(z.Bypassed)) {
		words = append(words, fmt.Sprintf("%s off for %s", part, time.Duration(z.Bypassed[part])*time.Second))
	}
	if len(words) == 0 {
		return "open"
	}
	return strings.Join(words, ", ")
}

// serverState says how a server is and, if it is not well, why.
func serverState(s ServerStatus) string {
	text := s.State
	if s.Backup {
		text += ", backup"
	}
	if s.State != "well" {
		text += fmt.Sprintf(" since %s: %s", s.Since.Format(time.TimeOnly), s.Why)
	}
	return text
}
