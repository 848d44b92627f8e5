// Package other imports its neighbour.
package other

import _ "example.org/house/internal/helper"
