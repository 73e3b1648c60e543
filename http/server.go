package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds of a connection. Answers that take longer say so as they go (keepOpen).
const (
	readHeaderMax = 5 * time.Second
	readMax       = 15 * time.Second
	writeMax      = 30 * time.Second
	idleMax       = 2 * time.Minute
	headerMax     = 16 << 10
	drainMax      = 15 * time.Second
)

// Serve answers what comes in on the listener until ctx ends, then lets requests in progress finish
// for a while. certificate and key are files in PEM; both empty means plain HTTP.
func (s *Server) Serve(ctx context.Context, listener net.Listener, certificate, key string) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderMax, ReadTimeout: readMax, WriteTimeout: writeMax, IdleTimeout: idleMax,
		MaxHeaderBytes: headerMax,
		ErrorLog:       slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		TLSConfig:      &tls.Config{MinVersion: tls.VersionTLS12},
	}
	ended := make(chan error, 1)
	go func() {
		if certificate != "" {
			ended <- server.ServeTLS(listener, certificate, key)
			return
		}
		ended <- server.Serve(listener)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	s.live.stop() // streams would never finish
	err := drain(ctx, server)
	if last := <-ended; !errors.Is(last, http.ErrServerClosed) {
		err = errors.Join(err, last)
	}
	return err
}

// drain cuts off what has not finished by then; what a client does not know the outcome of it may
// send again.
func drain(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainMax)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}
