// Package cache is the guest's room.
package cache

import (
	_ "example.net/guest/v2"
	_ "example.net/guest/v2/part"
)
