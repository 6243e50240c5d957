package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/socket"
)

// steps does one thing after another and says each, or in a dry run only says it.
type steps struct {
	Options
	changed bool // a file was, or would be, written or removed
}

// file is one that a service is made of. Where its text is "" there should be none.
type file struct{ path, text string }

// differs reports whether what lies at f's path is not f's text.
func differs(f file) bool {
	there, _ := os.ReadFile(f.path) // no file is ""
	return string(there) != f.text
}

// write makes f what lies at its path.
func (s *steps) write(f file) error {
	if !differs(f) {
		s.Say("%s is as it should be", f.path)
		return nil
	}
	s.changed = true
	if s.DryRun {
		s.Say("would write %s", f.path)
		_, err := fmt.Fprintf(s.Out, "# %s\n%s\n", f.path, f.text)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return fmt.Errorf("making a directory for the service: %w", err)
	}
	if err := os.WriteFile(f.path, []byte(f.text), 0o644); err != nil {
		return fmt.Errorf("writing the service: %w", err)
	}
	s.Say("wrote %s", f.path)
	return nil
}

// setAside keeps a file that somebody else wrote under another name.
func (s *steps) setAside(path string) error {
	kept := path + ".bak"
	for n := 2; disk.IsFile(kept); n++ {
		kept = fmt.Sprintf("%s.bak%d", path, n)
	}
	s.changed = true
	if s.DryRun {
		s.Say("would keep %s, which install did not write, as %s", path, kept)
		return nil
	}
	if err := os.Rename(path, kept); err != nil {
		return fmt.Errorf("keeping what somebody else wrote: %w", err)
	}
	s.Say("kept %s, which install did not write, as %s", path, kept)
	return nil
}

// remove removes path, if it is there, and its directory, if that holds a unit's drop-ins and is empty now.
func (s *steps) remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s.changed = true
	if s.DryRun {
		s.Say("would remove %s", path)
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("removing the service: %w", err)
	}
	s.Say("removed %s", path)
	if dir := filepath.Dir(path); strings.HasSuffix(dir, ".d") {
		os.Remove(dir) // fails, as it should, while the user's own drop-ins are in it
	}
	return nil
}

// run runs a command that changes something.
func (s *steps) run(ctx context.Context, c command) error {
	if s.DryRun {
		s.Say("would run %s", c)
		return nil
	}
	if _, err := c.output(ctx); err != nil {
		return err
	}
	s.Say("ran %s", c)
	return nil
}

// command is a program and its arguments.
type command []string

func (c command) String() string { return strings.Join(c, " ") }

// output runs c and returns what it prints. The error holds what it says on stderr.
func (c command) output(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c[0], c[1:]...)
	cmd.Env = withRuntimeDir(os.Environ())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	text := strings.TrimSpace(string(out))
	if err != nil {
		if why := strings.TrimSpace(stderr.String()); why != "" {
			return text, fmt.Errorf("%s: %s (%w)", c, why, err)
		}
		return text, fmt.Errorf("%s: %w", c, err)
	}
	return text, nil
}

// withRuntimeDir adds XDG_RUNTIME_DIR where su, sudo or cron took it away: systemctl finds its manager through it.
func withRuntimeDir(env []string) []string {
	dir := fmt.Sprintf("/run/user/%d", os.Geteuid())
	if os.Getenv("XDG_RUNTIME_DIR") != "" || socket.CheckDir(dir) != nil {
		return env
	}
	return append(env, "XDG_RUNTIME_DIR="+dir)
}
