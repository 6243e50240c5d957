package process

import "golang.org/x/sys/unix"

// Harden keeps what this process holds out of core dumps and from other processes' debuggers, and makes the files it
// creates private. If the system refuses one of these, the process goes on without it.
func Harden() {
	Hide()
	unix.Umask(0o077)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // an error changes nothing, as above
}

// Hide is Harden for a process that may become another program, by Become: that program inherits none of it.
func Hide() {
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // also here
	noCores()
}
