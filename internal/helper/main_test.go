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
	"sync"
	"testing"
)

// binary is the real helper, built once; nothing named tcred lies beside it.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "tcred-helper")
	return path, compile(path, "../../cmd/tcred-helper")
})

var buildDir string

func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "tcred"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(buildDir)
	os.Exit(code)
}

// compile builds a main package as the releases are built.
func compile(out, pkg string) error {
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

func build(t testing.TB, out, pkg string) {
	t.Helper()
	if err := compile(out, pkg); err != nil {
		t.Fatal(err)
	}
}

// shortDir is a directory whose name leaves room for a socket's path, with mode 0700.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
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
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return runProgram(t, program, append([]string{"HOME=" + filepath.Dir(path), "TCRED_SOCKET=" + path}, env...), args...)
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
