//go:build !linux && !darwin

package daemon

import "errors"

// peerOf refuses: where the kernel does not tell the peer's uid, nobody is served.
func peerOf(int) (Peer, error) { return Peer{}, errors.ErrUnsupported }
