package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tcred/tcred/internal/disk"
)

// check refuses a directory that somebody else could read, write or point elsewhere.
// The error of one that does not exist is fs.ErrNotExist.
func (d *Dir) check() error {
	if err := disk.PrivateDir(d.path); err != nil {
		return fmt.Errorf("cache directory: %w", err)
	}
	return nil
}

// usable is check for those who return no error. That there is no directory yet is nothing to warn of.
func (d *Dir) usable() bool {
	err := d.check()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.warnOnce("cache directory cannot be used", d.path, err)
	}
	return err == nil
}

// make is check, once the directory is there.
func (d *Dir) make() error {
	err := d.check()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("make cache directory: %w", err)
	}
	return d.check()
}
