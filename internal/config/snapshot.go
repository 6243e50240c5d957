package config

import (
	"crypto/sha256"
)

// Snapshot is the bytes of a config.toml at one moment, by whom they concern. The file need not be TOML.
type Snapshot struct{ parts parts }

// Snap reads config.toml as Load would, and does not parse it.
func Snap(path string) (Snapshot, error) {
	text, err := readFile(path, maxConfig)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{partsOf(string(text))}, nil
}

// Unchanged reports whether every byte of now that concerns the profile is what c was read from, and its policy file
// and ca_file are too: then the profile's rights are those that the files state, whatever else is wrong with them. Of
// the name "" it reports whether Choose would choose as it did.
func (c *Config) Unchanged(now Snapshot, name string) bool {
	return partsOf(c.written.raw).of(name) == now.parts.of(name) && c.FilesUnchanged(name)
}

// FilesUnchanged reports whether the profile's policy file and ca_file are what c was read from.
func (c *Config) FilesUnchanged(name string) bool {
	for file, limit := range map[string]int{c.CAFile: maxCAFile, c.Profiles[name].PolicyFile: maxPolicy} {
		if file == "" {
			continue
		}
		text, err := readFile(file, limit)
		if err != nil || sha256.Sum256(text) != c.written.sums[file] {
			return false
		}
	}
	return true
}

// KeystoreProblem is what is wrong with the settings of the keystore, nil if nothing is.
func (c *Config) KeystoreProblem() error {
	return c.refusal(func(concerns string) bool { return concerns == "keystore" })
}
