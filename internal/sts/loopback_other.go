//go:build !linux

package sts

import "net"

// strangerAt finds nobody: only Linux tells whose a listener is.
func strangerAt(net.Conn) (uid int, is bool) { return 0, false }
