// Package spec may import the root, not a rule.
package spec

import (
	_ "example.org/house"
	_ "example.org/house/rule"
)
