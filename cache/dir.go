package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tcred/tcred/internal/disk"
)

// check refuses a directory that is not ours alone, or that is a link.
// The error of one that does not exist is fs.ErrNotExist.
func (d *Dir) check() error {
	if err := disk.PrivateDir(d.path); err != nil {
		return fmt.Errorf("cache directory: %w", err)
	}
	return nil
}

// usable is check for methods that return no error: it warns. A directory that does not exist yet is no reason to.
func (d *Dir) usable() bool {
	err := d.check()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.warnOnce("cache directory cannot be used", d.path, err)
	}
	return err == nil
}

// Problem is why no entry can be written, nil if one can, as far as can be told without writing one.
func (d *Dir) Problem() error {
	err := d.check()
	if err == nil {
		return disk.Writable(d.path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(d.path) // the directory is made when it is needed
	info, err := os.Stat(above)
	for errors.Is(err, fs.ErrNotExist) && above != filepath.Dir(above) {
		above = filepath.Dir(above)
		info, err = os.Stat(above)
	}
	switch {
	case err != nil:
		return fmt.Errorf("cache directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("cache directory %s cannot be made: %s is no directory", d.path, above)
	}
	return disk.Writable(above)
}

// make makes the directory if it does not exist, and checks it.
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
