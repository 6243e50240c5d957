package keystore

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/say"
)

func TestACgroupThatLeavesTooLittleIsNamed(t *testing.T) {
	const need = 100 << 20
	for name, c := range map[string]struct {
		groups string // as /proc/self/cgroup has them
		files  map[string]string
		limit  string // "" is enough
		free   int64
	}{
		"none":      {"0::/a\n", nil, "", 0},
		"unbounded": {"0::/a\n", map[string]string{"a/memory.max": "max\n", "a/memory.current": "5\n"}, "", 0},
		"enough":    {"0::/a\n", map[string]string{"a/memory.max": fmt.Sprint(need + 5), "a/memory.current": "5\n"}, "", 0},
		"too small": {"0::/a/b\n", map[string]string{
			"a/b/memory.max": fmt.Sprint(need), "a/b/memory.current": "5", "a/b/memory.swap.max": "0",
		}, "the memory limit of cgroup /a/b", need - 5},
		"its parent": {"0::/a/b\n", map[string]string{
			"a/b/memory.max": "max", "a/b/memory.current": "5", "a/memory.max": fmt.Sprint(need / 2), "a/memory.current": "7",
			"a/memory.swap.max": "0",
		}, "the memory limit of cgroup /a", need/2 - 7},
		"what the kernel can drop": {"0::/a\n", map[string]string{
			"a/memory.max": fmt.Sprint(need), "a/memory.current": "10", "a/memory.stat": "anon 3\ninactive_file 4\nactive_file 6\n",
		}, "", 0},
		"version 1": {"5:cpu:/a\n4:memory:/a\n0::/\n", map[string]string{
			"memory/a/memory.limit_in_bytes": "1000", "memory/a/memory.usage_in_bytes": "900",
			"memory/a/memory.stat": "total_inactive_file 50\ntotal_active_file 0\n",
		}, "the memory limit of cgroup /a", 150},
		"version 1, unbounded": {"4:memory:/a\n", map[string]string{
			"memory/a/memory.limit_in_bytes": "9223372036854771712", "memory/a/memory.usage_in_bytes": "900",
		}, "", 0},
		"a container that sees itself alone": {"4:memory:/docker/1\n", map[string]string{
			"memory/memory.limit_in_bytes": "1000", "memory/memory.usage_in_bytes": "900",
		}, "the memory limit of cgroup /", 100},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			path := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, path, text, 0o600)
		}
		free, limit := cgroupLeft(root, c.groups, need)
		if limit != c.limit || limit != "" && free != c.free {
			t.Errorf("%s: %q leaves %d, want %q, %d", name, limit, free, c.limit, c.free)
		}
	}
}

func TestTheCostOfAnIdentityFileIsKnownBeforeItIsPaid(t *testing.T) {
	for passphrase, want := range map[credential.Secret]int{
		"correct horse": typedFactor, credential.Secret(randomPrefix + strings.Repeat("A", randomLength)): randomFactor,
	} {
		dir := filepath.Join(t.TempDir(), "keys")
		if err := CreateFile(dir, passphrase, 0); err != nil {
			t.Fatal(err)
		}
		sealed, err := os.ReadFile(filepath.Join(dir, identityFile))
		if err != nil || factorOf(sealed) != want {
			t.Errorf("factor %d, want %d; %v", factorOf(sealed), want, err)
		}
	}
	for _, garbage := range []string{"", "-> scrypt x 99\n", "-> scrypt x\n", "-> X25519 16\n"} {
		if n := factorOf([]byte(garbage)); n != 0 {
			t.Errorf("%q: %d", garbage, n)
		}
	}
	if got := scryptMemory(typedFactor); got != 64<<20 {
		t.Errorf("a passphrase that somebody types costs %d bytes", got)
	}
}

// limitedChild opens a keystore that costs 64 MiB where 32 are left, and prints what came of it.
func limitedChild(dir string) int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &limit); err != nil {
		return 1
	}
	limit.Cur = uint64(usedAddresses()) + 32<<20
	if err := unix.Setrlimit(unix.RLIMIT_AS, &limit); err != nil {
		return 1
	}
	s, err := Open(Options{Backend: "file", FileDir: dir})
	if err == nil {
		err = s.Unlock(context.Background(), passphrase)
	}
	fmt.Print(say.Text(api.AsError(err)))
	return 0
}

func TestAProcessThatCannotHaveTheMemorySaysSoAndLives(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := CreateFile(dir, passphrase, typedFactor); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "TCRED_TEST_LIMITED="+dir)
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "to open the file keystore takes 64 MiB of memory, and ulimit -v leaves ") {
		t.Errorf("%v: %s", err, out)
	}
}
