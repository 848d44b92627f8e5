// Package cache shows its guests.
package cache

import (
	"io"

	"example.net/go-guest"
	"example.net/named/v2"
	other "example.net/strange"
)

// Guest is another name for a guest.
type Guest = guest.Cache

// Cache shows one field and hides another.
type Cache struct {
	Inner  named.Thing
	hidden named.Thing
	Tags   string `kong:"help='fine'"`
}

// Embedding lends the guest's methods.
type Embedding struct{ *other.Thing }

// Reader shows it in a method.
type Reader interface{ Read(other.Thing) }

// Open shows it in a result.
func Open(r io.Reader) (map[string]*guest.Cache, error) { return nil, nil }

// Use shows it in a parameter.
func (c *Cache) Use(f func(named.Thing)) {}

// Default shows it in a value.
var Default = named.New()

// Fine keeps it inside.
func (c *Cache) Fine() { _ = guest.New(); _ = c.hidden }

func open(g guest.Cache) {}

type inner struct{ Thing named.Thing }

func (inner) Show() named.Thing { open(guest.Cache{}); return named.Thing{} }
