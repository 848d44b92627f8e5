// Package zone is fine.
package zone
