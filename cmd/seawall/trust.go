package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// trustCommand is `seawall trust`.
type trustCommand struct {
	State   string `placeholder:"DIR" default:"${state}" help:"State directory (default ${default})."`
	Install bool   `help:"Have this machine trust the root: writes it where Debian keeps such, and runs update-ca-certificates."`
}

// installedRoot is where update-ca-certificates(8) looks.
const installedRoot = "/usr/local/share/ca-certificates/seawall.crt"

// Run prints or installs the root of this machine's own authority.
func (t trustCommand) Run(p *program) error {
	path := filepath.Join(certificateDir(t.State), "root.pem")
	root, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no authority in %s yet: it is made when `seawall run --https` starts for the first time", t.State)
	}
	if err != nil {
		return err
	}
	if !t.Install {
		_, err = p.stdout.Write(root)
		return err
	}
	if err := os.WriteFile(installedRoot, root, 0o644); err != nil {
		return fmt.Errorf("install the root: %w", err)
	}
	if said, err := exec.Command("update-ca-certificates").CombinedOutput(); err != nil {
		return fmt.Errorf("update-ca-certificates: %w\n%s", err, said)
	}
	fmt.Fprintf(p.stdout, "This machine trusts what the authority in %s certifies.\nTo undo it: rm %s; update-ca-certificates --fresh\n", t.State, installedRoot)
	return nil
}
