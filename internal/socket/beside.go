package socket

import (
	"path"

	"github.com/tcred/tcred/internal/human"
)

// Beside is where a second daemon, which reads that config, may listen: beside the daemon at address. Its name is as
// long as tcred.sock, and fits where that does.
func Beside(address, config string) string {
	hash := uint32(2166136261) // FNV-1a: equal configs get the same socket, and that is all it is for
	for i := 0; i < len(config); i++ {
		hash = (hash ^ uint32(config[i])) * 16777619
	}
	const fiveDigits = 10_000
	return path.Join(path.Dir(address), human.Itoa(fiveDigits+int(hash%(9*fiveDigits)), 10)+".sock")
}
