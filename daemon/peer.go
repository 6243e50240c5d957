package daemon

import (
	"fmt"
	"net"
)

// PeerOf asks the kernel who connected.
func PeerOf(c net.Conn) (Peer, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return Peer{}, fmt.Errorf("no unix connection but %T", c)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var peer Peer
	var failed error
	if err := raw.Control(func(fd uintptr) { peer, failed = peerOf(int(fd)) }); err != nil {
		return Peer{}, err
	}
	if failed != nil {
		return Peer{}, fmt.Errorf("asking for the peer's uid: %w", failed)
	}
	return peer, nil
}
