// Package cache imports its neighbour, and its test the store.
package cache

import _ "example.org/house/edge/origin"
