// Package attic has no floor.
package attic
