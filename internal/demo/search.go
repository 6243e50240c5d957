package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/tcred/tcred/credential"
)

// searchFiles looks for a secret in every file below dir. hits are the files that hold it, read is how many it read.
func searchFiles(dir string, secret credential.Secret) (hits []string, read int, err error) {
	forms := formsOf(secret)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		if holds(text, forms) {
			hits = append(hits, path)
		}
		return nil
	})
	return hits, read, err
}

// searchProcesses looks for a secret in the arguments and environments of every process that /proc lets us read. read
// is how many those are: none where there is no /proc.
func searchProcesses(secret credential.Secret) (hits []string, read int) {
	forms := formsOf(secret)
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well formed
	for _, command := range commands {
		readable := false
		for _, path := range []string{command, filepath.Join(filepath.Dir(command), "environ")} {
			text, err := os.ReadFile(path)
			readable = readable || err == nil && len(text) > 0
			if holds(text, forms) {
				hits = append(hits, path)
			}
		}
		if readable {
			read++
		}
	}
	return hits, read
}

// formsOf is a secret as it may be written: as it is, in base64 at each of three offsets, hex, URL and JSON.
func formsOf(secret credential.Secret) [][]byte {
	raw := []byte(secret.Reveal())
	quoted, _ := json.Marshal(secret.Reveal()) // a string: it cannot fail
	forms := [][]byte{
		raw, []byte(hex.EncodeToString(raw)), bytes.ToUpper([]byte(hex.EncodeToString(raw))),
		[]byte(url.QueryEscape(secret.Reveal())), quoted[1 : len(quoted)-1],
	}
	for offset := range 3 {
		// Within longer text a secret starts at any offset. Characters that depend on what is beside it are cut off.
		padded := append(make([]byte, offset), raw...)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(padded)
			first, last := (offset*8+5)/6, len(text)
			if len(padded)%3 != 0 {
				last--
			}
			forms = append(forms, []byte(text[first:last]))
		}
	}
	return forms
}

func holds(text []byte, forms [][]byte) bool {
	for _, form := range forms {
		if bytes.Contains(text, form) {
			return true
		}
	}
	return false
}
