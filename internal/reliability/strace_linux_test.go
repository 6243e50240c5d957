package reliability

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// What strace sees of a process at the cache directory, and what it does to it.

// stracedCalls are the calls that a run may make on files of the cache.
const stracedCalls = "openat,read,write,fsync,close,renameat,unlinkat,mkdirat,flock,fcntl,fstat,newfstatat,statfs,epoll_ctl"

// step is one system call of a run, told apart from the others in the same way in every run.
type step struct {
	call string
	file string // of the cache directory: "entry", "entry.tmp", "entry.lock" or "directory"
	nth  int    // of this call on this file
}

func (s step) String() string { return fmt.Sprintf("%s_%s_%d", s.call, s.file, s.nth) }

// seen is a step in a trace.
type seen struct {
	step
	hit bool // the fault met it
}

var (
	tracedLine = regexp.MustCompile(`^(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)$`)
	entryName  = regexp.MustCompile(`^[0-9a-f]{64}\.(cred)?`)
)

// readTrace returns the steps of a trace on files of the cache directory.
func readTrace(trace, dir string) (steps []seen) {
	onFile := regexp.MustCompile(regexp.QuoteMeta(dir) + `(?:/([^">]+))?[">]`)
	nth := make(map[step]int)       // by call and file
	pending := make(map[string]int) // by thread: where in steps its unfinished call is; -1 for one of no interest
	for line := range strings.Lines(trace) {
		m := tracedLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		thread, call, rest := m[1], m[2], m[4]
		injected := strings.HasSuffix(rest, "(INJECTED)")
		if m[3] != "(" { // an answer
			if i, ok := pending[thread]; ok && i >= 0 && injected {
				steps[i].hit = true
			}
			continue
		}
		pending[thread] = -1
		path := onFile.FindStringSubmatch(rest)
		if path == nil {
			continue
		}
		s := step{call: call, file: fileClass(path[1])}
		nth[s]++
		steps = append(steps, seen{step{s.call, s.file, nth[s]}, injected})
		pending[thread] = len(steps) - 1
	}
	return steps
}

// fileClass names a file of the cache directory without what differs from run to run.
func fileClass(name string) string {
	if name == "" {
		return "directory"
	}
	if entryName.MatchString(name) {
		name = strings.TrimSuffix("entry."+strings.TrimPrefix(name[64:], "."), ".cred")
	}
	return name
}

// stopped reports whether every thread of the process stands still.
func stopped(pid int) bool {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return err == nil && len(stats) > 0 && !slices.ContainsFunc(stats, func(stat string) bool { return !strings.Contains("Tt", state(stat)) })
}

// trace is a strace at work on a process.
type trace struct {
	cmd  *exec.Cmd
	file string
	said io.Reader
}

// opened lists the files of the cache that a process has open.
func (r *rig) opened(pid int) (paths []string) {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // the pattern is well formed
	for _, link := range links {
		if path, err := os.Readlink(link); err == nil && strings.HasPrefix(path, r.cache+"/") {
			paths = append(paths, path)
		}
	}
	return paths
}

// attach has strace follow every thread of the process, with a fault, or with none for "". Where files are named, calls
// on those alone count.
func (r *rig) attach(ctx context.Context, pid int, inject string, only ...string) *trace {
	r.t.Helper()
	file, err := os.CreateTemp(r.dir, "trace")
	if err != nil {
		r.t.Fatal(err)
	}
	file.Close()
	args := []string{"-f", "-y", "-s", "0", "-o", file.Name(), "-p", strconv.Itoa(pid), "-e", "signal=none", "-e", "trace=" + stracedCalls}
	if inject != "" {
		args = append(args, "-e", "inject="+inject)
	}
	for _, path := range only {
		args = append(args, "-P", path)
	}
	var heard string
	for range 5 { // a thread that is just ending cannot be followed
		cmd := exec.CommandContext(ctx, r.strace, args...)
		stderr, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			r.t.Fatal(err)
		}
		said := bufio.NewReader(stderr)
		for err == nil {
			var line string
			if line, err = said.ReadString('\n'); strings.Contains(line, " attached") {
				return &trace{cmd: cmd, file: file.Name(), said: said}
			}
			heard += line
		}
		cmd.Wait() // what it said tells more
	}
	r.t.Fatalf("strace: %s", heard)
	return nil
}

func (t *trace) text() string {
	text, _ := os.ReadFile(t.file) // strace made it
	return string(text)
}

// stop lets go of the process, as it is.
func (t *trace) stop() { t.cmd.Process.Signal(syscall.SIGTERM) } // it may have ended

// end waits for strace to end, which it does after the process or after stop.
func (t *trace) end() string {
	io.Copy(io.Discard, t.said) // it tells of threads
	t.cmd.Wait()                // it ends as the traced process did
	text := t.text()
	os.Remove(t.file)
	return text
}
