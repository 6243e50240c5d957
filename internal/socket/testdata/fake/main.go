// Command fake stands in for tcred in tests of what starts it: "daemon --background" detaches "daemon --detached" as
// tcred does, and that one listens as the daemon does, answers every request alike, and writes down what happened to
// it.
//
// $TCRED_FAKE steers it: "die" ends at once with status 3, "crash" by a signal, "busy" ends with status 0 the first
// time, "mute" never listens, "once" ends after one connection. Both log to $TCRED_FAKE_LOG and dump what they
// inherited to $TCRED_FAKE_LOG.launch and $TCRED_FAKE_LOG.start: the first before it does anything, the second once
// it listens.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tcred/tcred/internal/socket"
)

func main() {
	if os.Args[len(os.Args)-1] == "--background" {
		os.Exit(detach())
	}
	first := log("start") == 1
	switch mode := os.Getenv("TCRED_FAKE"); {
	case mode == "die":
		os.Exit(3)
	case mode == "crash":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case mode == "busy" && first:
		return
	case mode == "mute":
		time.Sleep(time.Minute)
		return
	}
	time.AfterFunc(time.Minute, func() { os.Exit(0) }) // whatever becomes of the test
	l, err := net.Listen("unix", os.Getenv("TCRED_SOCKET"))
	if err != nil {
		log("failed")
		os.Exit(1)
	}
	log("listen")
	socket.Ready()
	if os.Getenv("TCRED_FAKE") == "once" {
		l.Accept()
		return
	}
	dump("start")
	http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Tcred-Version", "fake")
		w.Write([]byte("credential of " + strings.TrimPrefix(r.URL.Path, "/v1/credentials/") + "\n"))
	}))
}

// detach is tcred's own.
func detach() int {
	dump("launch")
	log("launch")
	status, err := socket.Detach([]string{"daemon", "--detached"}, time.Now().Add(time.Minute))
	if err != nil {
		return max(status, 1)
	}
	return 0
}

// log adds a line and tells how many of this event there are.
func log(event string) int {
	name := os.Getenv("TCRED_FAKE_LOG")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(4)
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %d\n", event, os.Getpid())
	text, _ := os.ReadFile(name)
	return strings.Count(string(text), event+" ")
}

// dump writes down the inheritance: a JSON object of strings and lists.
func dump(event string) {
	umask := syscall.Umask(0o077)
	syscall.Umask(umask)
	dir, _ := os.Getwd()
	leader, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	text, _ := json.Marshal(map[string]any{
		"args": os.Args[1:], "env": os.Environ(), "dir": dir, "umask": umask, "files": files(),
		"leader": int(leader) == os.Getpid(),
	})
	os.WriteFile(os.Getenv("TCRED_FAKE_LOG")+"."+event, text, 0o600)
}

// files is where each open file leads, without those that the runtime opens for itself; Linux only.
func files() []string {
	var out []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name()))
		own := strings.HasPrefix(target, "anon_inode:") || strings.HasPrefix(target, "/proc/") || strings.HasPrefix(target, "/sys/")
		if err == nil && !own {
			out = append(out, target)
		}
	}
	return out
}
