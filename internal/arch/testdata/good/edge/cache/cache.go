// Package cache is a rung.
package cache

import _ "example.org/house/internal/helper"
