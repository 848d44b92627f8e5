// Package rule is tested badly.
package rule
