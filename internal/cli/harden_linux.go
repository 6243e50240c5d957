package cli

import "golang.org/x/sys/unix"

// harden keeps what this process holds out of core dumps and from other processes' debuggers, and makes the files it
// creates private. If the system refuses one of these, the process goes on without it.
func harden() {
	hide()
	unix.Umask(0o077)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // an error changes nothing, as above
}

// hide is harden for a process that may become another program: that program inherits none of it, if ownCores is called
// before.
func hide() {
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // also here
	noCores()
}
