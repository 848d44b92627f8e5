package main

import (
	"context"
	"fmt"
	"time"

	"github.com/seawall-edge/seawall/internal/geo"
)

// PlaceStatus is how one file of places is.
type PlaceStatus struct {
	Fact    string    `json:"fact"` // country or network
	File    string    `json:"file"`
	InUse   bool      `json:"in_use"`
	Type    string    `json:"type,omitempty"`
	Built   time.Time `json:"built,omitzero"`
	Stale   bool      `json:"stale,omitempty"`
	Problem string    `json:"problem,omitempty"`
}

// openPlaces reads the files of places and looks after them until closed.
func (d *dataPlane) openPlaces(cfg PlaceSettings) {
	if cfg.Country == "" && cfg.Network == "" {
		return
	}
	d.places = geo.New(geo.Config{Country: cfg.Country, Network: cfg.Network, Logger: d.log})
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		d.places.Watch(ctx)
	}()
	d.closePlaces = func() {
		cancel()
		<-watched
	}
}

func (d *dataPlane) placeStatus() (all []PlaceStatus) {
	for _, s := range d.places.Status() {
		all = append(all, PlaceStatus{s.Fact, s.Path, s.InUse, s.Type, s.Built, s.Stale, s.Problem})
	}
	return all
}

// explainPlace says in a line how a file of places is.
func explainPlace(s PlaceStatus) string {
	text := fmt.Sprintf("%s from %s: ", s.Fact, s.File)
	if !s.InUse {
		return text + "not known: " + s.Problem
	}
	text += fmt.Sprintf("%s of %s", s.Type, s.Built.Format(time.DateOnly))
	if s.Stale {
		text += ", which is old"
	}
	if s.Problem != "" {
		text += "; the file as it is now cannot be used: " + s.Problem
	}
	return text
}

// openPlacesOnce reads the files of places for one question; nil where there
// are none.
func openPlacesOnce(cfg PlaceSettings) *geo.Files {
	if cfg.Country == "" && cfg.Network == "" {
		return nil
	}
	return geo.New(geo.Config{Country: cfg.Country, Network: cfg.Network})
}
