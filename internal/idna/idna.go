// Package idna turns host names that people write into those that browsers
// ask for. It is the one room of golang.org/x/net/idna.
package idna

import "golang.org/x/net/idna"

// ToASCII returns the name with A-labels in place of U-labels, normalised as
// for a look-up (RFC 5891, 5; UTS 46). It fails for a name that no browser
// would ask for.
func ToASCII(name string) (string, error) { return idna.Lookup.ToASCII(name) }
