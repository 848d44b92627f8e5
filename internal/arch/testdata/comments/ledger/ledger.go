// Package ledger says why it exists.
package ledger
