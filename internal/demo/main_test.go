package demo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// bin is where the two binaries go, made by the first test that needs them.
var bin = filepath.Join(os.TempDir(), fmt.Sprintf("tcred-demo-bin-%d", os.Getpid()))

func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(bin)
	os.Exit(status)
}

// binaries builds tcred and tcred-helper, once, and says where they are.
var binaries = sync.OnceValues(func() (string, error) {
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", bin+string(filepath.Separator),
		"github.com/tcred/tcred", "github.com/tcred/tcred/cmd/tcred-helper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the binaries: %w\n%s", err, out)
	}
	return bin, nil
})
