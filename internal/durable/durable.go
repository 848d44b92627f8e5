// Package durable writes small files that survive power loss.
//
// A file that is written in place is, after a power failure, the old one, the
// new one, a mixture or empty. Here it is the old one or the new one, and
// once WriteFile has returned it is the new one.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// prefix marks files that are not finished. One that a crash left behind has
// no reader and may be deleted.
const prefix = ".new-"

// WriteFile replaces the file at path by one that holds data. Readers see the
// old content or the new, never a part. When it returns without an error the
// new content is on the disk; after an error the old one is still in place,
// except that an error of the directory's own sync leaves open which of the
// two a power failure would leave.
func WriteFile(path string, data []byte, mode os.FileMode) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, prefix+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, removeIfThere(file.Name())))
		}
	}()
	if err := fill(file, data, mode); err != nil {
		return err
	}
	// A crash before this line leaves the old file and an unfinished one.
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	// Without this a power failure may take the rename back.
	return syncDir(dir)
}

// fill writes, syncs and closes. The content must be on the disk before the
// name points to it, for file systems may reorder the two.
func fill(file *os.File, data []byte, mode os.FileMode) error {
	_, err := file.Write(data)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
