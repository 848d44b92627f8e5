// Package edge may import its rungs, but not the other plane.
package edge

import (
	_ "example.org/house/control/zone"
	_ "example.org/house/edge/cache"
)
