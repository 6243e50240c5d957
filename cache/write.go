package cache

import (
	"fmt"

	"github.com/tcred/tcred/internal/disk"
)

// write makes data a name's file, whole or not at all, as disk.Write does. Hold the name's lock: the temporary file of
// a writer that was killed is removed by the next holder, or by Sweep.
func (d *Dir) write(name, suffix string, data []byte, place func(from, to string) error) error {
	if err := disk.Write(d.file(name, suffix), name+tempSuffix+"*", data, place); err != nil {
		return fmt.Errorf("write cache file: %w", err)
	}
	return nil
}
