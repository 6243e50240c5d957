//go:build unix

package service

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// alive reports whether the process runs. A zombie, which ended and waits for its parent to notice, does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !bytes.Contains(stat, []byte(") Z "))
}
