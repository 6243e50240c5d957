//go:build unix

package helper_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/testworld"
)

func TestTheBodyGoesToStdoutAndNothingToStderr(t *testing.T) {
	body := strings.Repeat("token+/&<>", 9000) + "\n" // more than a pipe or a first read holds
	var target, accept, config atomic.Value
	path := serve(t, testworld.ShortDir(t), func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		target.Store(r.RequestURI)
		accept.Store(r.Header.Get("Accept"))
		config.Store(r.Header.Get(api.HeaderConfig))
		io.WriteString(c, okAnswer(body)) // last: it lets the test go on
	})
	got := run(t, path, []string{"TCRED_PROFILE=env", "TCRED_CONFIG=/c/config.toml"}, "--format=cos", "--min-ttl", "20m")
	if (got != result{stdout: body}) {
		t.Errorf("exit %d, %d bytes on stdout, stderr %q", got.exit, len(got.stdout), got.stderr)
	}
	if target.Load() != "/v1/credentials/env?format=cos&min_ttl=20m" || accept.Load() != "text/plain" || config.Load() != "/c/config.toml" {
		t.Errorf("asked %v, accept %v, config %v", target.Load(), accept.Load(), config.Load())
	}
}

func TestAFailureIsPrintedAsTheDaemonSaysIt(t *testing.T) {
	text := "tcred: error: the keychain is locked\ntcred: hint: tcred unlock\n"
	path := serve(t, testworld.ShortDir(t), func(c net.Conn) {
		answer(c, fmt.Sprintf("HTTP/1.1 423 Locked\r\nTcred-Version: x\r\nTcred-Exit: 3\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
	})
	if got := run(t, path, nil, "work"); (got != result{stderr: text, exit: 3}) {
		t.Errorf("got %+v", got)
	}
}

func TestAnEndBeforeTheFirstByteIsTriedOnceMoreAndOnlyOnce(t *testing.T) {
	for _, tt := range []struct {
		ends  int32 // connections that end without an answer
		read  bool  // after the request was read, or before
		exit  int
		tries int32
	}{{1, true, 0, 2}, {1, false, 0, 2}, {5, true, say.ExitTryAgain, 2}, {5, false, say.ExitTryAgain, 2}} {
		var tries atomic.Int32
		path := serve(t, testworld.ShortDir(t), func(c net.Conn) {
			switch n := tries.Add(1); {
			case n > tt.ends:
				answer(c, okAnswer("body\n"))
			case tt.read:
				answer(c, "")
			}
		})
		got := run(t, path, nil)
		if got.exit != tt.exit || tries.Load() != tt.tries || (got.stdout == "body\n") != (tt.exit == 0) || (got.stderr == "") != (tt.exit == 0) {
			t.Errorf("%+v: %d tries, %+v", tt, tries.Load(), got)
		}
	}
}

func TestACutOrForeignAnswerPrintsNoneOfItsBody(t *testing.T) {
	for name, text := range map[string]string{
		"cut":     "HTTP/1.1 200 OK\r\nTcred-Version: x\r\nContent-Length: 100\r\n\r\nsecret",
		"chunked": "HTTP/1.1 200 OK\r\nTcred-Version: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n",
		"garbage": "\x00\xffsecret\r\n\r\n",
	} {
		var tries atomic.Int32
		path := serve(t, testworld.ShortDir(t), func(c net.Conn) { tries.Add(1); answer(c, text) })
		got := run(t, path, nil)
		if got.stdout != "" || got.exit == 0 || !strings.HasPrefix(got.stderr, say.ErrorPrefix) || strings.Contains(got.stderr, "secret") || tries.Load() != 1 {
			t.Errorf("%s: %d tries, %+v", name, tries.Load(), got)
		}
	}
}

func TestABrokenStdoutEndsWithStatus1(t *testing.T) {
	path := serve(t, testworld.ShortDir(t), func(c net.Conn) { answer(c, okAnswer("body\n")) })
	program := binary(t)
	read, write, _ := os.Pipe()
	read.Close()
	defer write.Close()
	var stderr bytes.Buffer
	cmd := exec.Command(program)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{"HOME=/", "TCRED_SOCKET=" + path}, write, &stderr
	cmd.Run()
	if cmd.ProcessState.ExitCode() != 1 || stderr.Len() != 0 {
		t.Errorf("%v, stderr %q", cmd.ProcessState, stderr.String())
	}
}

func TestAFullDiskBehindStdoutIsSaid(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	path := serve(t, testworld.ShortDir(t), func(c net.Conn) { answer(c, okAnswer("body\n")) })
	program := binary(t)
	var stderr bytes.Buffer
	cmd := exec.Command(program)
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{"HOME=/", "TCRED_SOCKET=" + path}, full, &stderr
	cmd.Run()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "cannot write to stdout: no space left on device") {
		t.Errorf("%v, stderr %q", cmd.ProcessState, stderr.String())
	}
}

func TestUsageErrorsNeedNoDaemon(t *testing.T) {
	path := filepath.Join(testworld.ShortDir(t), "none")
	for _, tt := range []struct {
		args []string
		want result
	}{
		{[]string{"a/b"}, result{"", "tcred: error: bad profile name \"a/b\"\ntcred: hint: " + api.NameHint + "\n", 2}},
		{[]string{"--version"}, result{"tcred-helper dev\n", "", 0}},
	} {
		if got := run(t, path, nil, tt.args...); got != tt.want {
			t.Errorf("%q: got %+v", tt.args, got)
		}
	}
	if got := run(t, path, nil, "--help"); !strings.Contains(got.stdout, "--min-ttl") || got.exit != 0 || got.stderr != "" {
		t.Errorf("--help: %+v", got)
	}
}

// withFake is a directory with the helper and, as the daemon beside it, the fake; env makes the fake log to log.
func withFake(t *testing.T) (program, log string, env []string) {
	t.Helper()
	dir := testworld.ShortDir(t)
	program, log = copyTo(t, filepath.Join(dir, "tcred-helper"), binary(t)), filepath.Join(dir, "log")
	copyTo(t, filepath.Join(dir, "tcred"), unmeasured(t, "../socket/testdata/fake"))
	t.Cleanup(func() {
		text, _ := os.ReadFile(log)
		for line := range strings.Lines(string(text)) {
			var event string
			var pid int
			if n, _ := fmt.Sscan(line, &event, &pid); n == 2 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	return program, log, []string{"HOME=" + dir, "TCRED_SOCKET=" + filepath.Join(dir, "run", "s"), "TCRED_FAKE_LOG=" + log}
}

func Test200HelpersAtOnceStartOneDaemon(t *testing.T) {
	program, log, env := withFake(t)
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if got := runProgram(t, program, env, "upload"); (got != result{stdout: "credential of upload\n"}) {
				t.Errorf("got %+v", got)
			}
		})
	}
	wg.Wait()
	text, err := os.ReadFile(log)
	if err != nil || strings.Count(string(text), "start") != 1 || strings.Count(string(text), "listen") != 1 {
		t.Errorf("%v, log:\n%s", err, text)
	}
}

// A tool reads its helper's output to the end of file; a daemon that held the pipe would hang it for days.
func TestTheOutputEndsThoughTheStartedDaemonLives(t *testing.T) {
	program, log, env := withFake(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command(program, "upload")
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = env, write, write, []*os.File{write} // and once more, as by 3>&1
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	read.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err := io.ReadAll(read); string(got) != "credential of upload\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	var pid int
	text, _ := os.ReadFile(log)
	_, started, _ := strings.Cut(string(text), "start ")
	fmt.Sscan(started, &pid)
	if err := syscall.Kill(pid, 0); pid == 0 || err != nil {
		t.Errorf("the daemon should live: pid %d, %v", pid, err)
	}
}
