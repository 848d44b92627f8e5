// Package spec has the one type.
package spec

import "example.org/house/internal/helper"

// ZoneSpec is what an owner can set.
type ZoneSpec struct {
	Name   string `yaml:"name"`
	Origin string `yaml:"origin"`
	Cache  bool   `yaml:"cache"`
}

var _ = helper.One
