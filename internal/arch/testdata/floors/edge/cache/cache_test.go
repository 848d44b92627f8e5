package cache

import (
	_ "example.org/house/internal/helper"
	_ "example.org/house/store/blob"
)
