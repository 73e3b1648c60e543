package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"rentbook/http"
)

type serveCommand struct {
	Addr        string `default:"127.0.0.1:8080" help:"Address to listen on (${default}); another than loopback needs TLS or a proxy."`
	TLSCert     string `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificate, PEM."`
	TLSKey      string `name:"tls-key" type:"path" placeholder:"FILE" help:"Its key, PEM."`
	BehindProxy bool   `help:"A proxy in front ends TLS."`

	repairOptions
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context, g *globals) error {
	if err := c.safe(); err != nil {
		return err
	}
	g.repairs = &c.repairOptions
	n, err := g.create(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // what counts is durable
	return c.serve(ctx, g, n, func(url string) {
		_, _ = fmt.Fprintf(g.stderr, "Rentbook serves %s from %s; its API is described at %s/docs\n", url, g.places(), url)
	})
}

// safe refuses to send tokens and personal data over a network in clear.
func (c *serveCommand) safe() error {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("%w: --addr: %w", errUsage, err)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return fmt.Errorf("%w: --tls-cert and --tls-key go together", errUsage)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || (ip != nil && ip.IsLoopback()) || c.TLSCert != "" || c.BehindProxy {
		return nil
	}
	return fmt.Errorf("%w: --addr %s is not loopback: give --tls-cert and --tls-key, or --behind-proxy", errUsage, c.Addr)
}

// serve answers requests and keeps the views until the context ends. said hears the URL once it
// listens.
func (c *serveCommand) serve(ctx context.Context, g *globals, n *node, said func(url string)) error {
	tokens, err := g.openTokens(ctx)
	if err != nil {
		return err
	}
	defer tokens.Close() //nolint:errcheck // what counts is durable
	n.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	server, err := http.New(ctx, http.Config{
		Commands: n.commands, Views: n.views, Store: n.log, Log: n.log, LogID: n.identity.Log, Identity: tokens.Tokens, Photos: n.photos,
		Logger: n.logger, Metrics: n.metrics, Now: n.now, Zone: g.TimeZone.Location, Version: version(),
		Secure: c.TLSCert != "" || c.BehindProxy, LogHealth: n.health(),
	})
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return err
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	said(scheme + "://" + listener.Addr().String())
	return c.together(ctx, n, server, listener)
}

// together runs the server and the views: when one ends, so does the other. The views go on until
// the server has answered its last request, which may be waiting for them.
func (c *serveCommand) together(ctx context.Context, n *node, server *http.Server, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	viewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		defer stop()
		return server.Serve(ctx, listener, c.TLSCert, c.TLSKey)
	})
	group.Go(func() error {
		n.remind(ctx)
		return nil
	})
	group.Go(func() error {
		err := n.views.Run(viewing)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	})
	return group.Wait()
}
