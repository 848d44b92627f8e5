// Package exchange imports a floor above.
package exchange

import _ "example.org/house/edge/cache"
