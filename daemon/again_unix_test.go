//go:build unix

package daemon

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

func TestAListenerThatIsHeldStaysOpenAndItsCallersWait(t *testing.T) {
	path := filepath.Join(testworld.ShortDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := &holding{Listener: l}
	ended := make(chan error)
	go func() { _, err := h.Accept(); ended <- err }()
	if err := h.hold(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, errHeld) {
		t.Errorf("Accept ended with %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("nobody waits: %v", err)
	}
	defer c.Close()
	if err := l.(*net.UnixListener).SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if next, err := l.Accept(); err != nil {
		t.Error(err)
	} else {
		next.Close()
	}
}

// The variable of another process, or one that somebody made up, is not believed: the files that it names are others.
func TestWhatWasHandedToAnotherProcessIsNotTaken(t *testing.T) {
	for label, h := range map[string]handed{
		"another process": {PID: os.Getpid() + 1, Socket: 3}, "stdin": {PID: os.Getpid(), Socket: 0}, "nothing": {},
	} {
		value, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(envHanded, string(value))
		at, _, err := resume("/nowhere")
		if err != nil || at.Listener != nil || os.Getenv(envHanded) != "" {
			t.Errorf("%s: %+v, %v, %q is left", label, at, err, os.Getenv(envHanded))
		}
	}
}

func TestASocketThatWasReplacedIsNotResumed(t *testing.T) {
	dir := testworld.ShortDir(t)
	path := filepath.Join(dir, "tcred", "s")
	l := mustListen(t, path)
	h, err := Endpoint{Listener: l, Path: path}.hand()
	if err != nil || h.Lock == 0 || h.Socket == 0 {
		t.Fatalf("%+v, %v", h, err)
	}
	for _, replaced := range []bool{false, true} {
		if replaced {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			other, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
		}
		handedOn := h // as exec would hand it: other numbers of the same files
		if handedOn.Socket, err = syscall.Dup(h.Socket); err != nil {
			t.Fatal(err)
		}
		if handedOn.Lock, err = syscall.Dup(h.Lock); err != nil {
			t.Fatal(err)
		}
		value, err := json.Marshal(handedOn)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(envHanded, string(value))
		at, again, err := resume(path)
		if (err != nil) != replaced || (again != nil) == replaced || !replaced && !at.Resumed {
			t.Errorf("replaced: %v; %+v, %v", replaced, at, err)
		}
		if again != nil {
			again.UnixListener.Close()
		}
	}
}

func TestChildrenFromBeforeAreNotLeftAsZombies(t *testing.T) {
	if _, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "exit 0"}, nil); err != nil {
		t.Fatal(err)
	}
	reap()
	if _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("a child is left: %v", err)
	}
}
