package cache

import "syscall"

// OnNetwork reports whether path lies on a network file system, by the magic numbers of statfs(2):
// NFS, SMB, CIFS, SMB2. Locks there may not hold between machines.
func OnNetwork(path string) bool {
	var st syscall.Statfs_t
	if syscall.Statfs(path, &st) != nil {
		return false
	}
	switch uint32(st.Type) {
	case 0x6969, 0x517b, 0xff534d42, 0xfe534d42:
		return true
	}
	return false
}
