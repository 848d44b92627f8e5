// Package ledger says it again where nobody looks.
package ledger
