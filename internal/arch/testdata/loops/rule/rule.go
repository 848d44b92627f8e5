// Package rule is tested by files.
package rule
