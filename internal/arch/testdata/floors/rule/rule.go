// Package rule imports its neighbour.
package rule

import _ "example.org/house/exchange"
