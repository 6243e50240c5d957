//go:build unix

package config

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestFilesThatOthersCanWriteAreRefused(t *testing.T) {
	path := write(t, "config.toml", "[profiles.a]\npolicy_file = 'p.json'\n")
	policy := filepath.Join(filepath.Dir(path), "p.json")
	writeTo(t, policy, denyAll)
	chmod(t, path, 0o602)
	expectOne(t, problems(t, path), "config.toml:", "can be written by everybody chmod go-w")
	chmod(t, path, 0o644)
	chmod(t, policy, 0o666)
	expectOne(t, problems(t, path), "config.toml:2:", "p.json can be written by everybody")
	chmod(t, policy, 0o400)
	mustLoad(t, path)
}

func TestAnotherUsersFilesAreRefused(t *testing.T) {
	path := write(t, "config.toml", "ca_file = 'ca.pem'\n[profiles.a]\npolicy_file = 'p.json'\n")
	dir := filepath.Dir(path)
	policy, ca := filepath.Join(dir, "p.json"), filepath.Join(dir, "ca.pem")
	writeTo(t, policy, denyAll)
	writeTo(t, ca, certificate(t))
	mustLoad(t, path)
	for file, says := range map[string]string{
		path: "config.toml:", policy: "config.toml:3:", ca: "config.toml:1:",
	} {
		if err := os.Chown(file, 65534, -1); err != nil {
			t.Skip("only root gives files away:", err)
		}
		expectOne(t, problems(t, path), says, "belongs to another user (uid 65534)")
		if err := os.Chown(file, os.Geteuid(), -1); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAGroupMayWriteOnlyIfItIsTheUsersOwn(t *testing.T) {
	path := write(t, "config.toml", "")
	chmod(t, path, 0o660)
	own, group := os.Getuid(), os.Getgid()
	if err := os.Chown(path, -1, own); err == nil {
		mustLoad(t, path)
	}
	if os.Chown(path, -1, own+1) != nil && group == own {
		t.Skip("no other group to give a file to")
	}
	expectOne(t, problems(t, path), "config.toml:", "can be written by its group")
}

func TestAPipeIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	expectOne(t, problems(t, path), "config.toml:", "is not a regular file")
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	path := write(t, "config.toml", "")
	chmod(t, path, 0)
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	expectOne(t, problems(t, path), "config.toml:", "cannot be read: permission denied")
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
