// Command server runs the test double of EventStoreDB as a process of its own, for tests of what
// outlives a killed rentbook. Its first line of output is the connection string; it serves until it
// is told to end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rentbook/eventstore/esdb/esdbtest"
)

func main() {
	//nolint:forbidigo // a program is where the first context comes from
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o esdbtest.Options
	var faults []esdbtest.Fault
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.StringVar(&o.Addr, "addr", "127.0.0.1:0", "where to listen")
	flags.BoolVar(&o.TLS, "tls", false, "with a certificate made for the occasion")
	flags.StringVar(&o.User, "user", "", "who may read and write, with --tls")
	flags.StringVar(&o.Password, "password", "", "of the user")
	flags.IntVar(&o.Nodes, "nodes", 1, "nodes of the cluster")
	flags.Func("fault", "METHOD=KIND[:TIMES[:DELAY]], any number of them", func(text string) error {
		f, err := parseFault(text)
		faults = append(faults, f)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	server, err := esdbtest.New(o)
	if err != nil {
		return err
	}
	defer server.Close()
	for _, f := range faults {
		server.Inject(f)
	}
	if _, err := fmt.Fprintln(out, server.ConnectionString()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func parseFault(text string) (esdbtest.Fault, error) {
	var f esdbtest.Fault
	method, rest, ok := strings.Cut(text, "=")
	if f.On = esdbtest.Method(method); !ok || !slices.Contains(esdbtest.Methods(), f.On) {
		return f, fmt.Errorf("want METHOD=KIND with one of the methods %v", esdbtest.Methods())
	}
	parts := strings.Split(rest, ":")
	if f.Kind = esdbtest.Kind(parts[0]); !slices.Contains(esdbtest.Kinds(), f.Kind) {
		return f, fmt.Errorf("want one of the kinds %v", esdbtest.Kinds())
	}
	var err error
	if len(parts) > 1 {
		if f.Times, err = strconv.Atoi(parts[1]); err != nil {
			return f, err
		}
	}
	if len(parts) > 2 {
		if f.Delay, err = time.ParseDuration(parts[2]); err != nil {
			return f, err
		}
	}
	if len(parts) > 3 {
		return f, errors.New("too many parts")
	}
	return f, nil
}
