// Package cache has a second truth.
package cache

// OwnZoneConfig has a telling name.
type OwnZoneConfig struct{ Cache bool }

type zoneSettings struct{}

type settings struct {
	Origin string `json:"origin"`
	Cache  bool   `json:"cache"`
	Log    string `json:"log,omitempty"`
}

// Two keys are a coincidence.
type entry struct {
	Name string `json:"name"`
	Log  string `json:"log"`
	Skip string `json:"-"`
}

var _ = []any{zoneSettings{}, settings{}, entry{}}
