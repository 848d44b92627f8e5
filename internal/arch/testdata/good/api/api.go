// Package api serves the use cases.
package api

import _ "example.org/house/control/zone"
