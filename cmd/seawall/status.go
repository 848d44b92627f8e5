package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
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
	fmt.Fprintf(w, "connections %d, events dropped %d\n\n", s.Connections, s.EventsDropped)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "zone\trequests\thits\trefused\tfailed")
	for _, z := range s.Zones {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\n", z.Zone, z.Requests, z.Hits, z.Refused, z.Failed)
	}
	return table.Flush()
}
