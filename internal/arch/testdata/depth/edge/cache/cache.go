// Package cache is deep enough.
package cache
