package cli

import "golang.org/x/sys/unix"

// harden keeps what the daemon holds out of core dumps and of debuggers, and closes its files to others. Where the
// system refuses, the daemon runs all the same.
func harden() {
	unix.Umask(0o077)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) // see above
	unix.PtraceDenyAttach()                          // see above
}

// hide does nothing: what denies attachment here would pass on to the program that this process becomes.
func hide() {}
