// Package exchange says why it exists.
package exchange
