// Package memory is too deep down.
package memory
