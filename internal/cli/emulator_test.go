package cli

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// background is a `tcred emulator` that runs beside a script.
type background struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer // whole once the process has ended
	ended  chan error
}

func startEmulator(ts *testscript.TestScript, neg bool, args []string) {
	w := script(ts, neg)
	tcred := filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], "tcred") // where the world has its programs
	args = append([]string{"emulator", "--address", "127.0.0.1:0"}, args...)
	b := &background{cmd: exec.Command(tcred, args...), ended: make(chan error, 1)}
	b.cmd.Dir, b.cmd.Stderr = ts.MkAbs("."), &b.stderr
	b.cmd.Env = append(os.Environ(), "TMPDIR="+ts.Getenv("TMPDIR"), "HOME="+ts.Getenv("HOME"))
	out, err := b.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(b.cmd.Start())
	w.emulator = b
	ts.Defer(func() { b.cmd.Process.Kill() }) // it may have ended
	var printed strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		ts.Setenv(name, strings.Trim(value, "'"))
		printed.WriteString(lines.Text() + "\n")
		if name == "TENCENTCLOUD_SECRET_KEY" { // the last
			ts.Check(os.WriteFile(ts.MkAbs("emulator.env"), []byte(printed.String()), 0o600))
			go func() { b.ended <- b.cmd.Wait() }()
			return
		}
	}
	b.cmd.Wait() // what it said tells more
	ts.Fatalf("tcred emulator prints no key:\n%s", b.stderr.String())
}

func endEmulator(ts *testscript.TestScript, neg bool, _ []string) {
	b := script(ts, neg).emulator
	ts.Check(b.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-b.ended:
		ts.Check(err)
	case <-time.After(30 * time.Second):
		ts.Fatalf("tcred emulator does not end")
	}
	ts.Check(os.WriteFile(ts.MkAbs("emulator.err"), b.stderr.Bytes(), 0o600))
}
