// Package rule is not done.
package rule

// TODO: think.
func think() string { return "TODO in a string is data" }

/* FIXME later */
func fix() string { return think() }
