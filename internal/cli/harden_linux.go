package cli

import "golang.org/x/sys/unix"

// harden keeps what this process holds out of core dumps and of other processes' debuggers, and closes its files to
// others. Where the system refuses, it runs all the same.
func harden() {
	unix.Umask(0o077)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // see above
	hide()
}

// hide is harden for a process that may become another program: that one inherits nothing of it.
func hide() {
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // as in harden
}
