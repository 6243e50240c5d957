package doctor

import (
	"bufio"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// memory says from when on other programs of this user's cannot read the memory of tcred's processes. The command that
// looks has closed its own.
func (x *examination) memory() {
	switch tracer := tracerOf("/proc/self/status"); {
	case tracer != "" && tracer != "0":
		x.warn("memory", "run it without strace or a debugger",
			"process %s traces this one: it reads this memory, and may answer in the kernel's place", tracer)
		return
	case open("/proc/self/mem"):
		x.warn("memory", "does a sandbox keep prctl(PR_SET_DUMPABLE) from tcred?",
			"other programs of yours can read this process's memory")
		return
	}
	path, err := os.Executable()
	if err == nil && os.Geteuid() != 0 && unix.Access(path, unix.R_OK) != nil {
		x.ok("memory", "closed to other programs of yours from the first instruction on: they may run %s, not read it", path)
		return
	}
	x.ok("memory", "closed to other programs of yours before a key comes into it; a package closes it from the first "+
		"instruction on")
}

// open reports whether a process's file in /proc is this user's. One of a process that keeps others out is root's.
func open(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid != 0 && int(stat.Uid) == os.Geteuid()
}

// tracerOf is the id of the process that traces the one whose status is at path: "0" if none does, "" if unknown.
func tracerOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if pid, found := strings.CutPrefix(lines.Text(), "TracerPid:"); found {
			return strings.TrimSpace(pid)
		}
	}
	return ""
}
