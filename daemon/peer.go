package daemon

import (
	"fmt"
	"net"

	"github.com/tcred/tcred/internal/socket"
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
	err = raw.Control(func(fd uintptr) { peer.UID, peer.PID, failed = socket.PeerOf(int(fd)) })
	if err != nil {
		return Peer{}, err
	}
	if failed != nil { // where the kernel does not tell the peer's uid, nobody is served
		return Peer{}, fmt.Errorf("asking for the peer's uid: %w", failed)
	}
	return peer, nil
}
