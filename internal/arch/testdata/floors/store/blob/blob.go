// Package blob imports a use case.
package blob

import _ "example.org/house/control/zone"
