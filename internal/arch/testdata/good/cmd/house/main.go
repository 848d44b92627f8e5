// Command house wires it all.
package main

import (
	_ "example.org/house/api"
	_ "example.org/house/edge"
)

func main() {}
