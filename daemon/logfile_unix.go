//go:build unix

package daemon

import "syscall"

// noFollow makes opening a link an error.
const noFollow = syscall.O_NOFOLLOW
