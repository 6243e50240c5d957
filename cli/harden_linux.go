package cli

import "golang.org/x/sys/unix"

// harden keeps what the daemon holds out of core dumps and of other processes' debuggers, and closes its files to
// others. Where the system refuses, the daemon runs all the same.
func harden() {
	unix.Umask(0o077)
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) //nolint:errcheck // see above
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)     //nolint:errcheck // see above
}
