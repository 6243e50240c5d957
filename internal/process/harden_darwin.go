package process

import "golang.org/x/sys/unix"

// Harden keeps what this process holds out of core dumps and from other processes' debuggers, and makes the files it
// creates private. If the system refuses one of these, the process goes on without it.
func Harden() {
	unix.Umask(0o077)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // an error changes nothing, as above
	unix.PtraceDenyAttach()                          // also here
}

// Hide does nothing: on macOS the program that this process becomes would inherit that nobody can debug it.
func Hide() {}
