// Package origin is fine.
package origin
