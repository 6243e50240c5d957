package socket

import (
	"os"

	"github.com/tcred/tcred/internal/human"
)

// NameOf is the name of a process, cut to 15 bytes; "" if there is none.
func NameOf(pid int) string {
	name, _ := os.ReadFile("/proc/" + human.Itoa(pid, 10) + "/comm")
	return string(name[:max(len(name)-1, 0)]) // without the end of its line
}
