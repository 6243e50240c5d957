package sts

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/tcred/tcred/api"
)

// dialTimeout bounds one connection's making.
const dialTimeout = 5 * time.Second

// dialLoopback connects for plain http, which goes to this machine only. Names are not looked up: which of its
// addresses "localhost" leads to may be another user's choice. Where the system can tell, a server of another user,
// root apart, is told nothing.
func dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return nil, invalid("endpoint "+address+": plain http goes to loopback only", "use https")
	}
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, network, net.JoinHostPort(ip.Unmap().String(), port))
	if err != nil {
		return nil, err
	}
	if uid, is := strangerAt(conn); is {
		conn.Close()
		return nil, &api.Error{
			Code:    api.Unreachable,
			Message: fmt.Sprintf("%s is served by another user (uid %d), so it was told nothing", address, uid),
			Hint: "an emulator of your own at another port: tcred emulator --address 127.0.0.1:PORT, " +
				"and endpoint in config.toml",
		}
	}
	return conn, nil
}
