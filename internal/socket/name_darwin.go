package socket

import "golang.org/x/sys/unix"

// NameOf is the name of a process, cut to 15 bytes; "" if there is none.
func NameOf(pid int) string {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return ""
	}
	name := unix.ByteSliceToString(info.Proc.P_comm[:])
	return name[:min(len(name), 15)]
}
