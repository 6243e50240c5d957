package sts

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// tables list every TCP socket of this network namespace.
var tables = []string{"/proc/net/tcp", "/proc/net/tcp6"}

// strangerAt reports whether a user who is neither this one nor root has the server's end of c, or listens where it was
// accepted. Where the tables cannot be read it finds nobody. In a user namespace that maps this user only, root is a
// stranger: nobody can tell them apart there.
func strangerAt(c net.Conn) (uid int, is bool) {
	client, known := c.LocalAddr().(*net.TCPAddr)
	server, knownToo := c.RemoteAddr().(*net.TCPAddr)
	if !known || !knownToo {
		return 0, false
	}
	for _, table := range tables {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		if uid, is := strangerIn(string(text), unmapped(client), unmapped(server), os.Geteuid()); is {
			return uid, true
		}
	}
	return 0, false
}

func unmapped(a *net.TCPAddr) netip.AddrPort {
	at := a.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// States of a socket in the tables.
const (
	established = "01"
	listens     = "0A"
)

// strangerIn looks at the listeners that could have accepted client at server, and at what they accepted: one may have
// gone since, and another have come. Of a connection that waits to be accepted some kernels say that it is root's.
func strangerIn(table string, client, server netip.AddrPort, ours int) (uid int, is bool) {
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			continue
		}
		local, ok := endOf(fields[1])
		if !ok || local.Port() != server.Port() {
			continue
		}
		switch state := fields[3]; {
		case state == listens && (local.Addr() == server.Addr() || local.Addr().IsUnspecified()):
		case state == established && local == server && fields[2] != "" && isEnd(fields[2], client):
		default:
			continue
		}
		if uid, err := strconv.Atoi(fields[7]); err != nil || uid != 0 && uid != ours {
			return uid, true
		}
	}
	return 0, false
}

func isEnd(field string, want netip.AddrPort) bool {
	got, ok := endOf(field)
	return ok && got == want
}

// endOf reads an address as the tables have it: words of 32 bits, each as this machine's memory holds it, and the port.
func endOf(field string) (netip.AddrPort, bool) {
	address, port, _ := strings.Cut(field, ":")
	raw, err := hex.DecodeString(address)
	number, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), ok
}
