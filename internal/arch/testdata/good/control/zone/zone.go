// Package zone is a use case.
package zone

import _ "example.org/house/spec"
