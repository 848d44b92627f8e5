// Package exchange says it again.
package exchange
