// Package spec has the one type.
package spec

// ZoneSpec is what an owner can set.
type ZoneSpec struct {
	Name   string `yaml:"name" json:"name"`
	Origin string `yaml:"origin,omitempty" json:"origin"`
	Cache  bool   `yaml:"cache"`
	Log    string `yaml:"log"`
}
