package cli

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// Another user has the emulator's port: they are asked nothing, and the hint leads to an emulator of one's own.
func TestAStrangerAtTheEmulatorsPortAnswersNobody(t *testing.T) {
	testworld.NeedReal(t, os.Geteuid() == 0, "needs root, to listen as another user")
	w := newLockWorld(t, true)
	path := filepath.Join(w.dir, ".config", "tcred", "config.toml")
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	listening := make(chan net.Listener)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, with its uid, ends with the goroutine
		syscall.Setfsuid(nobody)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
		}
		listening <- l
	}()
	l := <-listening
	defer l.Close()
	lines := strings.SplitN(string(own), "\n", 2)
	theirs := `endpoint = "http://` + l.Addr().String() + "\"\n" + lines[1]
	w.put(t, ".config/tcred/config.toml", theirs)
	for _, args := range [][]string{{"get"}, {"get", "--no-daemon"}, {"doctor"}} {
		out, err := w.run(args...)
		if err == nil || !strings.Contains(out, "is served by another user (uid 65534), so it was told nothing") ||
			!strings.Contains(out, "tcred emulator --address 127.0.0.1:PORT, and endpoint in config.toml") {
			t.Errorf("tcred %s: %v\n%s", args, err, out)
		}
	}
	w.put(t, ".config/tcred/config.toml", string(own))
	w.must(t, "daemon", "stop") // it looks at the file now and then
	w.must(t, "get")
}
