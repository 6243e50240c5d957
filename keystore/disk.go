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

// maxFile bounds every file of a keystore, in bytes: none has a reason to come near.
const maxFile = 64 << 10

// ownersExist: files have an owner and a mode here.
const ownersExist = runtime.GOOS != "windows"

// readSmall reads a regular file of at most maxFile bytes.
func readSmall(path string) ([]byte, error) { return disk.Read(path, maxFile) }

// tempFiles are files of a keystore that are being written, in their own directory.
const tempFiles = ".tmp-*"

// writeAtomic makes data the content of path, as disk.Write does.
func writeAtomic(path string, data []byte) error { return disk.Write(path, tempFiles, data) }

// removeAll removes what lies in dir under a name by pattern, a word with a * at its end. What cannot be removed is
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

// ownDir checks a directory as disk.PrivateDir does. what names it in a message.
func ownDir(what, path string) error {
	err := disk.PrivateDir(path)
	fault, isFault := errors.AsType[*disk.Fault](err)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return err
	case isFault:
		return fail(api.KeystoreFailed, fault.Cure, "%s %w", what, fault)
	}
	return fail(api.KeystoreFailed, "", "%s cannot be read: %w", what, err)
}
