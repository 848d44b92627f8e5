package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/seawall-edge/seawall/internal/durable"
)

// sealCommand is `seawall seal`.
type sealCommand struct {
	State   string `placeholder:"DIR" default:"${state}" help:"State directory (default ${default})."`
	SealKey string `placeholder:"FILE" help:"The key to seal with (default seal.key in the state directory, made if it is missing)."`
	Key     string `arg:"" help:"A certificate's key in PEM."`
	To      string `arg:"" help:"Where the sealed key goes. It is bound to this file's name, without its folders."`
}

// largestKey bounds a key file, in bytes.
const largestKey = 64 << 10

// Run seals a key. The one that was read stays where it is.
func (c sealCommand) Run(p *program) error {
	path := c.SealKey
	orElse(&path, sealKey(c.State))
	plain, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	if len(plain) == 0 || len(plain) > largestKey {
		return fmt.Errorf("%s has %d bytes: that is no key", c.Key, len(plain))
	}
	if _, err := os.Stat(c.To); err == nil {
		return errors.New(c.To + " exists; nothing is overwritten")
	}
	sealer, err := openSealer(c.State, c.SealKey)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(c.To, sealer.SealKey(c.To, plain), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s is sealed with %s.\nWithout that file it cannot be read; keep a copy of it elsewhere.\n", c.To, path)
	return nil
}
