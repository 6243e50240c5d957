package process

import "golang.org/x/sys/unix"

// Harden keeps what this process holds out of core dumps and from other processes' debuggers, and makes the files it
// creates private. If the system refuses one of these, the process goes on without it.
func Harden() {
	Hide()
	unix.Umask(0o077)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // an error changes nothing, as above
	unix.PtraceDenyAttach()                          // also here
}

// Hide keeps the process out of core dumps until Become. That nobody can debug it would be inherited, on macOS, by the
// program that it becomes.
func Hide() { noCores() }
