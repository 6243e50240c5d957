//go:build unix

package process

import (
	"sync"

	"golang.org/x/sys/unix"
)

// coreLimit is the limit on core dumps that this process was started with, nil until noCores.
var coreLimit = struct {
	sync.Mutex
	before *unix.Rlimit
}{}

// noCores keeps this process from leaving core dumps, in a way that can be undone.
func noCores() {
	coreLimit.Lock()
	defer coreLimit.Unlock()
	var now unix.Rlimit
	if coreLimit.before != nil || unix.Getrlimit(unix.RLIMIT_CORE, &now) != nil {
		return
	}
	coreLimit.before = &now
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: now.Max}) // an error changes nothing
}

// ownCores undoes noCores, for the program that this process becomes.
func ownCores() {
	coreLimit.Lock()
	defer coreLimit.Unlock()
	if coreLimit.before != nil {
		unix.Setrlimit(unix.RLIMIT_CORE, coreLimit.before) // an error changes nothing
		coreLimit.before = nil
	}
}
