package helper_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// released are the flags that releases are built with.
const released = "-ldflags=-s -w"

func TestMain(m *testing.M) { os.Exit(testworld.Run(m)) }

// binary is the real helper. Nothing named tcred lies beside it.
func binary(t testing.TB) (path string) {
	t.Helper()
	return filepath.Join(testworld.Build(t, released, "../../cmd/tcred-helper"), "tcred-helper")
}

// unmeasured is the program of a package, never measured for coverage.
func unmeasured(t testing.TB, pkg string) (path string) {
	t.Helper()
	return filepath.Join(testworld.BuildUnmeasured(t, released, pkg), filepath.Base(pkg))
}

// copyTo copies a program.
func copyTo(t testing.TB, path, from string) string {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve listens in dir and gives every connection to handle; it returns the socket's path.
func serve(t testing.TB, dir string, handle func(net.Conn)) string {
	t.Helper()
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return path
}

// answer reads a request and writes text.
func answer(c net.Conn, text string) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err == nil {
		c.Write([]byte(text))
	}
	return r
}

func okAnswer(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nTcred-Version: test\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// result is what a run of the helper left.
type result struct {
	stdout, stderr string
	exit           int
}

// run runs the real helper with the socket at path; env may add variables.
func run(t testing.TB, path string, env []string, args ...string) result {
	t.Helper()
	return runProgram(t, binary(t), append([]string{"HOME=" + filepath.Dir(path), "TCRED_SOCKET=" + path}, env...), args...)
}

func runProgram(t testing.TB, program string, env []string, args ...string) result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
