// Package helper has a guest.
package helper

import "example.net/guest"

// One is one.
var One = 1

var hidden = guest.New()
