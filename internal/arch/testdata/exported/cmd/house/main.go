// Command house is imported by nobody.
package main

import "example.net/kong"

// Flags may hold what it likes.
type Flags struct{ Version kong.VersionFlag }

func main() {}
