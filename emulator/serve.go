package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Serve answers requests on l until ctx ends, then closes l and every connection and returns nil. For https give it
// a [tls.NewListener] with what [ServerTLS] made; a client that does not trust it is a line of the log.
func Serve(ctx context.Context, l net.Listener, e *Emulator) error {
	server := &http.Server{
		Handler: e, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelError),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the emulator on %s: %w", l.Addr(), err)
	}
	return nil
}
