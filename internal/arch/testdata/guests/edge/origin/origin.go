// Package origin has a guest of its own; its test brings the neighbour's.
package origin

import _ "example.net/another"
