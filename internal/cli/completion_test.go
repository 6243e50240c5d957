package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/keystore"
)

// tabs are lines, as typed, and the word that the tab key makes of their last one.
var tabs = []struct{ line, word string }{
	{"tcred sta", "status"},
	{"tcred get upl", "upload"},
	{"tcred get --form", "--format"},
	{"tcred get --format tcc", "tccli"},
	{"tcred exec wor", "work"},
	{"tcred exec work -- tcred-hel", "tcred-helper"},
	{"tcred get --profile upl", "upload"},
	{"tcred remove wor", "work"},
	{"tcred-helper upl", "upload"},
	{"tcred-helper --min", "--min-ttl"},
	{"tcred-helper --profile upl", "upload"},
}

func TestRealBashCompletes(t *testing.T) {
	dir := completionWorld(t, "bash", "/usr/share/bash-completion/bash_completion")
	for _, tab := range tabs {
		got := runShell(t, nil, "bash", "--norc", "-c", `
			compopt() { :; } # there is no line being edited
			. /usr/share/bash-completion/bash_completion
			. "$0/_tcred" && . "$0/_tcred-helper"
			COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_WORDS=($1)
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			"$(complete -p "$COMP_WORDS" | sed 's/.*-F \([^ ]*\).*/\1/')"
			echo "${COMPREPLY[@]}"`, dir, tab.line)
		if strings.TrimSpace(got) != tab.word {
			t.Errorf("%s: %q", tab.line, got)
		}
	}
}

func TestRealFishCompletes(t *testing.T) {
	dir := completionWorld(t, "fish")
	for _, tab := range tabs {
		got := runShell(t, nil, "fish", "--no-config", "-c", `
			source $argv[1]/_tcred
			source $argv[1]/_tcred-helper
			complete -C $argv[2]`, dir, tab.line)
		if word, _, _ := strings.Cut(strings.TrimSpace(got), "\t"); word != tab.word || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %q", tab.line, got)
		}
	}
}

// TestRealZshCompletes presses the tab key: zsh completes nothing without a terminal.
func TestRealZshCompletes(t *testing.T) {
	dir := completionWorld(t, "zsh")
	for _, tab := range tabs {
		got := runShell(t, []string{"ZDOTDIR=" + dir}, "zsh", "-f", "-c", `
			zmodload zsh/zpty
			zpty shell zsh -f -i
			zpty -w shell "fpath+=($1); autoload -Uz compinit; compinit -u -D; PROMPT=; unsetopt beep"
			zpty -w shell 'line() { print -r -- "line=<$BUFFER>"; BUFFER= }; zle -N line; bindkey "^X" line; print rea''dy'
			zpty -r shell out '*ready*'
			zpty -w -n shell "$2"$'\t\x18'
			zpty -r shell out '*line=<*>*'
			zpty -d shell
			print -r -- ${${out##*line=<}%%>*}`, "zsh", dir, tab.line)
		want := tab.line[:strings.LastIndex(tab.line, " ")+1] + tab.word
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: %q", tab.line, got)
		}
	}
}

// completionWorld is a user with a key "work", a profile "upload" and tcred on the PATH. It returns a directory with
// the two completion scripts of the shell, named as zsh looks for them. It skips the test unless TCRED_TEST_REAL=1;
// then the shell and these files must be there.
func completionWorld(t *testing.T, shell string, files ...string) (dir string) {
	t.Helper()
	testworld.NeedPrograms(t, shell)
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
	bin := testworld.Binaries(t)
	home := t.TempDir()
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("HOME", home)
	t.Setenv("TCRED_CONFIG", filepath.Join(home, "config.toml"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	config := []byte("[profiles.upload]\npolicy = 'full'\n")
	if err := os.WriteFile(filepath.Join(home, "config.toml"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(home, "state", "tcred")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	work := keystore.Entry{Name: "work", SecretID: "AKIDwork", Generation: keystore.NewGeneration()}
	if err := (keystore.Index{Path: filepath.Join(state, "keys.json")}).Put(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, flag := range map[string]string{"_tcred": "--helper=false", "_tcred-helper": "--helper"} {
		script := runShell(t, nil, "tcred", "completion", shell, flag)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runShell returns what a command printed, which must be nothing on stderr.
func runShell(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), append(env, "LC_ALL=C.UTF-8")...) // bash and perl complain of a missing locale
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", name, err, stderr.String())
	}
	return string(out)
}
