package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// bypassCommand is `seawall bypass`: "is it Seawall?" can be answered by
// switching a part of it off for a zone, for a while.
type bypassCommand struct {
	Zone string        `arg:"" help:"The zone, as seawall status names it."`
	Part []string      `default:"cache,rewrite" placeholder:"PART" help:"What to switch off: cache (nothing stored is used or kept), rewrite (answers as the origin makes them), maintenance (everybody is let in), access (no list turns anybody away), rules (nobody is sent elsewhere, no path or field is changed). Default ${default}."`
	For  time.Duration `default:"10m" help:"For how long; it ends by itself (default ${default}, at most 24h)."`
	End  bool          `help:"Switch the parts on again now."`

	State string `placeholder:"DIR" default:"${state}" help:"State directory of the running program (${default})."`
	Admin string `placeholder:"ADDR" help:"Its admin address (default admin.sock in the state directory)."`
}

// bypassOrder is the body of POST /bypass.
type bypassOrder struct {
	Zone  string        `json:"zone"`
	Parts []string      `json:"parts"`
	For   time.Duration `json:"for"` // nanoseconds; 0 ends it
}

// Run throws the switches.
func (b bypassCommand) Run(p *program) error {
	if b.End {
		b.For = 0
	} else if b.For < time.Second || b.For > 24*time.Hour {
		return usageError{fmt.Errorf("--for %s: a bypass lasts between 1s and 24h", b.For)}
	}
	admin := b.Admin
	if admin == "" {
		admin = adminSocket(b.State)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := askAdmin(ctx, admin, http.MethodPost, "/bypass", bypassOrder{b.Zone, b.Part, b.For}); err != nil {
		return err
	}
	what := strings.Join(b.Part, " and ")
	if b.End {
		fmt.Fprintf(p.stdout, "zone %s: %s on again\n", b.Zone, what)
		return nil
	}
	fmt.Fprintf(p.stdout, "zone %s: %s off until %s; `seawall bypass %s --part %s --end` ends it sooner\n",
		b.Zone, what, time.Now().Add(b.For).Format(time.TimeOnly), b.Zone, strings.Join(b.Part, ","))
	return nil
}
