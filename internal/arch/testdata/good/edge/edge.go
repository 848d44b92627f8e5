// Package edge has the ladder.
package edge

import (
	_ "example.org/house"
	_ "example.org/house/edge/cache"
	_ "example.org/house/spec"
)
