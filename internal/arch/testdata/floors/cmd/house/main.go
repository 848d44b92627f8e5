// Command house may import all but another command and the tests.
package main

import (
	_ "example.org/house/bench"
	_ "example.org/house/edge"
	_ "example.org/house/store/blob"
)

func main() {}
