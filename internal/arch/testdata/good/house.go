// Package house has the nouns.
package house
