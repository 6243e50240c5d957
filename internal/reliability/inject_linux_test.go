package reliability

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
)

// The system calls that touch the cache directory in one run of tcred, as strace saw them, and a fault at each.

// maxTries bounds how often one fault is tried until it hits its call.
const maxTries = 20

// faults are what strace does to a call: it fails, or the process ends before it.
var faults = []fault{{"EIO", "error=EIO"}, {"ENOSPC", "error=ENOSPC"}, {"SIGKILL", "signal=KILL"}}

type fault struct{ name, inject string }

func (f fault) kills() bool { return f.name == "SIGKILL" }

// rig runs "tcred get --no-daemon" on a cache that is the same before each run, and lets strace at it once it has
// asked STS: from there on strace counts few calls but those of the write.
type rig struct {
	*world
	t       *testing.T
	strace  string
	gate    *gate
	deleted bool // the cache directory vanishes before the write
	key     cache.Key
	runs    int
	old     credential.Credential // the entry before each run: good, but with too little life left
}

// gate is in front of the cloud, and holds back the call that comes after close.
type gate struct {
	http.Handler
	closed atomic.Pointer[barrier] // nil while it is open
}

type barrier struct{ arrived, lifted chan struct{} }

func (g *gate) close() *barrier {
	b := &barrier{make(chan struct{}), make(chan struct{})}
	g.closed.Store(b)
	return b
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b := g.closed.Swap(nil); b != nil {
		close(b.arrived)
		<-b.lifted
	}
	g.Handler.ServeHTTP(w, r)
}

// newRig puts the gate between a new world and its cloud.
func newRig(t *testing.T, strace string, deleted bool) *rig {
	w := newWorld(t, shipped, "[profiles.p]\npolicy = \"full\"\n")
	r := &rig{world: w, t: t, strace: strace, gate: &gate{Handler: w.cloud}, deleted: deleted, old: shortLived()}
	server := httptest.NewServer(r.gate)
	t.Cleanup(server.Close)
	config, err := os.ReadFile(w.config)
	if err == nil {
		config = bytes.Replace(config, []byte(w.cloud.url()), []byte(server.URL), 1)
		err = os.WriteFile(w.config, config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.key = w.keyOf("p")
	return r
}

// run is one process: what it printed, how it ended, and what strace saw.
type run struct {
	stdout, stderr string
	status         int // -1 if a signal ended it
	steps          []seen
}

// attempt runs tcred, and after a number of the steps that it makes has the fault meet the next call of that name:
// strace counts the calls of each thread, and which one makes a call is Go's choice, so that counting from the start
// hits another call each time. after below zero leaves the run alone.
func (r *rig) attempt(steps []seen, after int, f fault) (out run, held bool) {
	r.t.Helper()
	r.reset()
	barrier := r.gate.close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := r.command(ctx, "tcred", "get", "--no-daemon", "--format", "cos", "--min-ttl", "1h", "p")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-barrier.arrived:
	case <-ctx.Done():
		r.t.Fatal("it did not ask STS")
	}
	if r.deleted {
		os.RemoveAll(r.cache)
	}
	pid, inject := cmd.Process.Pid, ""
	if after >= 0 {
		inject = steps[after].call + ":" + f.inject + ":when=1"
	}
	if after > 0 {
		held = r.hold(ctx, pid, barrier, steps[after-1].step)
	}
	var only []string
	if after > 0 && steps[after].call == "write" { // Go writes to descriptors of its own all the time
		only = r.opened(pid)
	}
	trace := r.attach(ctx, pid, inject, only...)
	if after > 0 {
		syscall.Kill(pid, syscall.SIGCONT) // it is our child, not waited for yet
	} else {
		held = true
		close(barrier.lifted)
	}
	cmd.Wait() // its status tells
	out = run{stdout: stdout.String(), stderr: stderr.String(), status: cmd.ProcessState.ExitCode(), steps: readTrace(trace.end(), r.cache)}
	if ctx.Err() != nil {
		r.t.Fatalf("it hangs after %v", out.steps)
	}
	if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL && len(out.steps) > 0 {
		out.steps[len(out.steps)-1].hit = true // the call that it did not survive
	}
	return out, held
}

// hold lets the process run until it has made the step, and stops it there. strace has every call of that name followed
// by a SIGSTOP; those that come before the step are let go. False if the stop was missed.
func (r *rig) hold(ctx context.Context, pid int, barrier *barrier, s step) bool {
	trace := r.attach(ctx, pid, s.call+":signal=STOP:when=1+")
	close(barrier.lifted)
	defer func() { trace.end() }()
	for ; ctx.Err() == nil && !dead(pid, time.Millisecond); time.Sleep(500 * time.Microsecond) {
		if !stopped(pid) {
			continue
		}
		steps := readTrace(trace.text(), r.cache)
		switch i := slices.IndexFunc(steps, func(one seen) bool { return one.step == s }); {
		case i < 0:
			syscall.Kill(pid, syscall.SIGCONT) // as above
		default:
			trace.stop()
			return i == len(steps)-1
		}
	}
	return false
}

// reset brings the cache to what it is before each run.
func (r *rig) reset() {
	r.t.Helper()
	if err := os.RemoveAll(r.cache); err != nil {
		r.t.Fatal(err)
	}
	d, warned := r.openCache()
	s, err := cache.NewSealer(r.cloud.account.SecretKey)
	if err == nil {
		err = d.Put(context.Background(), r.key, s, r.old)
	}
	if err != nil || warned.String() != "" {
		r.t.Fatal(err, warned)
	}
}

// strike repeats a run until the fault hits the step first of all. It may hit calls of other threads after it: two
// faults are no excuse, unless it was the write of the answer itself, or of Go's own event descriptor, which nobody
// survives.
func (r *rig) strike(steps []seen, after int, f fault) run {
	r.t.Helper()
	target := steps[after].step
	for range maxTries {
		out, held := r.attempt(steps, after, f)
		r.runs++
		mute := strings.Contains(out.stderr, "write /dev/stdout") || strings.Contains(out.stderr, "runtime: netpollBreak")
		if held && !mute && len(out.steps) > 0 && out.steps[0].hit && out.steps[0].call == target.call && out.steps[0].file == target.file {
			return out
		}
	}
	r.t.Fatalf("%s at %s was not hit in %d runs", f.name, target, maxTries)
	return run{}
}

// wantOutcome holds a struck run, and what it left behind, to the promises. It returns how many temporary files it
// left.
func (r *rig) wantOutcome(out run, f fault) (left int) {
	r.t.Helper()
	if f.kills() {
		if out.stdout != "" {
			r.t.Errorf("killed in a write, it had printed %d bytes already", len(out.stdout))
		}
	} else {
		if out.status != 0 {
			r.t.Errorf("exit %d: %s", out.status, out.stderr)
		}
		r.wantGood([]byte(out.stdout))
		for line := range strings.Lines(out.stderr) {
			if !strings.HasPrefix(line, "tcred: warning: ") {
				r.t.Errorf("stderr: %s", line)
			}
		}
	}
	r.wantLocksFree(r.t)
	r.wantWhole()
	temps := r.temps()
	if !f.kills() && len(temps) > 0 {
		r.t.Errorf("it left %v", temps)
	}
	r.wantNextRun()
	return len(temps)
}

// wantGood takes a printed credential: a new one of profile p, as STS issued it.
func (r *rig) wantGood(text []byte) {
	r.t.Helper()
	c, err := credential.DecodeCOS(text)
	if err != nil {
		r.t.Errorf("no credential: %v", err)
		return
	}
	if made := r.cloud.issued(c); made == nil || made.name != "p" || time.Until(c.Expires) < time.Hour {
		r.t.Error("not a credential that STS issued to this profile, or an old one")
	}
}

// wantWhole reads the entry as the next process would.
func (r *rig) wantWhole() {
	r.t.Helper()
	d, warned := r.openCache()
	s, err := cache.NewSealer(r.cloud.account.SecretKey)
	if err != nil {
		r.t.Error(err)
		return
	}
	c, ok := d.Get(r.t.Context(), r.key, s)
	if ok && r.cloud.issued(c) == nil && c.SecretID != r.old.SecretID {
		r.t.Error("the entry is neither the old one nor the new one")
	}
	if _, err := os.Lstat(filepath.Join(r.cache, string(r.key)+".cred")); !ok && err == nil {
		r.t.Error("there is an entry, and it cannot be read")
	}
	if warned.String() != "" {
		r.t.Errorf("reading it warned: %s", warned)
	}
}

// wantNextRun asks the helper, which starts a daemon: it answers, and no temporary file outlives its sweep.
func (r *rig) wantNextRun() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	cmd := r.command(ctx, "tcred-helper", "--format", "cos", "--min-ttl", "1h", "p")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		r.t.Errorf("the next run: %v: %s", err, stderr.String())
	}
	r.wantGood(text)
	if left := r.tempsAfter(5 * time.Second); len(left) > 0 {
		r.t.Errorf("after the next start's sweep there is still %v", left)
	}
	r.wantWhole()
	r.stopDaemon()
}

// Whatever call on the cache fails, the credential goes out; wherever the process is killed, the next one finds the
// old entry, the new one, or none.
func TestNoFaultAtAnySystemCallOfACacheWriteTearsOrWithholds(t *testing.T) {
	needReal(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("TCRED_TEST_REAL=1, but this test needs strace: ", err)
	}
	for _, scenario := range []struct {
		name    string
		deleted bool
		must    []string // what the write cannot do without, so that a misread trace does not pass for a short one
	}{
		{"over an old entry", false, []string{
			"openat_entry.tmp_1", "write_entry.tmp_1", "fsync_entry.tmp_1", "close_entry.tmp_1", "renameat_entry.tmp_1",
			"openat_directory_1", "fsync_directory_1", "close_directory_1", "flock_entry.lock_1",
		}},
		{"into a directory that is gone", true, []string{
			"mkdirat_directory_1", "openat_entry.tmp_1", "write_entry.tmp_1", "fsync_entry.tmp_1", "renameat_entry.tmp_1",
			"fsync_directory_1",
		}},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			newRig(t, strace, scenario.deleted).strikeEverywhere(t, scenario.must)
		})
	}
}

// strikeEverywhere records one run, and then strikes each of its steps with each fault.
func (r *rig) strikeEverywhere(t *testing.T, must []string) {
	began := time.Now()
	out, _ := r.attempt(nil, -1, fault{})
	recorded := out.steps
	names := make([]string, len(recorded))
	for i, s := range recorded {
		names[i] = s.String()
	}
	for _, m := range must {
		if !slices.Contains(names, m) {
			t.Fatalf("no %s in the recorded run: %v", m, names)
		}
	}
	struck, left := make(map[string]int), 0
	for i, target := range recorded {
		for _, f := range faults {
			t.Run(target.String()+"/"+f.name, func(t *testing.T) {
				r.t = t
				left += r.wantOutcome(r.strike(recorded, i, f), f)
				struck[f.name]++
			})
		}
	}
	t.Logf("%d system calls on the cache, struck by %v, in %d runs of %s; kills left %d temporary files, all swept",
		len(recorded), struck, r.runs, time.Since(began).Round(time.Second), left)
}

// shortLived is a whole credential with half an hour left: good, but not for who asks for an hour.
func shortLived() credential.Credential {
	now := time.Now().Truncate(time.Second)
	return credential.Credential{
		SecretID: "AKID-old", SecretKey: "old-key", Token: "old-token", Issued: now.Add(-time.Hour), Expires: now.Add(30 * time.Minute), RequestID: "old",
	}
}
