package keystore

import (
	"bufio"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// spareMemory is what an opening takes beside scrypt's own: Go's heap grows in steps.
const spareMemory = 8 << 20

// addressStep is the step in which Go's heap takes addresses.
const addressStep = 64 << 20

// memoryLeft looks for a limit of this process that leaves less than need bytes. It returns what that one leaves, and
// what people call it: "" where there is none.
func memoryLeft(need int64) (free int64, limit string) {
	if free, has := addressesLeft(); has && free < (need/addressStep+1)*addressStep {
		return free, "ulimit -v"
	}
	return cgroupLeft("/sys/fs/cgroup", readText("/proc/self/cgroup"), need+spareMemory)
}

// addressesLeft is how many bytes more this process may map, where RLIMIT_AS bounds that.
func addressesLeft() (free int64, has bool) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &limit) != nil || limit.Cur > 1<<62 {
		return 0, false
	}
	return int64(limit.Cur) - usedAddresses(), true
}

// usedAddresses is how many bytes this process has mapped, 0 where /proc is not there.
func usedAddresses() int64 {
	pages, _, _ := strings.Cut(readText("/proc/self/statm"), " ")
	used, _ := strconv.ParseInt(pages, 10, 64)
	return used * int64(os.Getpagesize())
}

// cgroupLeft goes up from this process's cgroup to the one that leaves less than need bytes. groups is
// /proc/self/cgroup, root where cgroups are mounted. What the kernel can give back, it counts as free; where there is
// swap to go to, no limit.
func cgroupLeft(root, groups string, need int64) (free int64, limit string) {
	for _, c := range []struct{ controller, mount, max, used, swap, cached string }{
		{"", root, "memory.max", "memory.current", "memory.swap.max", ""},
		{"memory", path.Join(root, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "", "total_"},
	} {
		group, ok := groupOf(groups, c.controller)
		if !ok {
			continue
		}
		for dir := path.Join(c.mount, group); strings.HasPrefix(dir, c.mount); dir = path.Dir(dir) {
			most, bounded := readNumber(path.Join(dir, c.max))
			used, known := readNumber(path.Join(dir, c.used))
			if !bounded || !known {
				continue
			}
			free = most - used + cachedIn(path.Join(dir, "memory.stat"), c.cached)
			if free < need && !(c.swap != "" && canSwap(path.Join(dir, c.swap), need)) {
				return free, "the memory limit of cgroup " + path.Join("/", strings.TrimPrefix(dir, c.mount))
			}
		}
	}
	return 0, ""
}

// groupOf is the path of this process's group for a controller; "" is version 2.
func groupOf(groups, controller string) (string, bool) {
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && parts[1] == controller {
			return parts[2], true
		}
	}
	return "", false
}

// cachedIn is how much of a group's memory is copies of files, which the kernel can drop.
func cachedIn(stat, prefix string) (bytes int64) {
	for lines := bufio.NewScanner(strings.NewReader(readText(stat))); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if name == prefix+"inactive_file" || name == prefix+"active_file" {
			n, _ := strconv.ParseInt(value, 10, 64)
			bytes += n
		}
	}
	return bytes
}

// canSwap reports whether a group may use swap, and there is enough.
func canSwap(limit string, need int64) bool {
	if most, bounded := readNumber(limit); bounded && most < need {
		return false
	}
	var info unix.Sysinfo_t
	return unix.Sysinfo(&info) == nil && int64(info.Freeswap)*int64(info.Unit) >= need
}

// readNumber reads a file that holds one number; "max", and what is too large for a limit, are none.
func readNumber(path string) (n int64, ok bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(readText(path)), 10, 64)
	return n, err == nil && n < 1<<62
}

func readText(path string) string {
	text, _ := os.ReadFile(path) // without it nothing is known of a limit
	return string(text)
}
