package cache

import (
	"fmt"
	"os"
)

// write makes data a name's file, whole or not at all: it is written beside its place, and moved there by place
// (os.Rename replaces, os.Link does not) once it is on the disk. The temporary file is of mode 0600 and, unless
// the process is killed, gone when write returns; Sweep removes what a killed one left.
func (d *Dir) write(name, suffix string, data []byte, place func(from, to string) error) error {
	temp, err := os.CreateTemp(d.path, name+tempSuffix+"*")
	if err != nil {
		return fmt.Errorf("write cache file: %w", err)
	}
	defer os.Remove(temp.Name()) // fails after a rename, as it should
	if err := fill(temp, data); err != nil {
		return fmt.Errorf("write cache file: %w", err)
	}
	if err := place(temp.Name(), d.file(name, suffix)); err != nil {
		return fmt.Errorf("write cache file: %w", err)
	}
	if err := syncDir(d.path); err != nil {
		return fmt.Errorf("sync cache directory: %w", err)
	}
	return nil
}

// fill writes, syncs and closes. On a full disk a short write may well be followed by a sync and a close that
// succeed, so the first error counts and ends it.
func fill(file *os.File, data []byte) error {
	if _, err := file.Write(data); err != nil {
		file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
