package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
)

// maxFile is the most that is read of a file of a keystore, in bytes. All are far smaller.
const maxFile = 64 << 10

// ownersExist reports whether files have an owner and a mode on this system.
const ownersExist = runtime.GOOS != "windows"

// readSmall reads a regular file of at most maxFile bytes.
func readSmall(path string) ([]byte, error) { return disk.Read(path, maxFile) }

// tempFiles is the pattern of the names that a keystore's files have while they are written.
const tempFiles = ".tmp-*"

// writeAtomic makes data the content of path, by a temporary file beside it.
func writeAtomic(path string, data []byte) error { return disk.Write(path, tempFiles, data) }

// removeAll removes everything in dir whose name matches pattern, which ends with its only *. What cannot be removed is
// left to the next call.
func removeAll(dir, pattern string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), strings.TrimSuffix(pattern, "*")) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// checkPrivate fails for a directory that is not ours alone; none at all is no fault. what names it in a message.
func checkPrivate(what, path string) error {
	err := disk.PrivateDir(path)
	fault, isFault := errors.AsType[*disk.Fault](err)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return nil
	case isFault:
		return fail(api.KeystoreFailed, fault.Cure, "%s %w", what, fault)
	}
	return fail(api.KeystoreFailed, "", "%s cannot be read: %w", what, err)
}
