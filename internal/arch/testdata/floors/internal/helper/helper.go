// Package helper imports what is above it.
package helper

import _ "example.org/house/spec"
