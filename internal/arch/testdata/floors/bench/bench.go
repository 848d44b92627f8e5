// Package bench is no black box.
package bench

import (
	_ "example.org/house/internal/helper"
	_ "example.org/house/spec"
)
