// Package house is the root.
package house

import _ "example.net/guest"
