// Command server runs the simulated scheduler on this machine, so that Rentbook can be tried against
// one: any contractor works Mondays to Fridays, from 8 to 12 and from 12 to 17 o'clock. What is booked
// is forgotten when it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"rentbook/integrations/drs/drstest"
)

const headerMax = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) //nolint:forbidigo // the first context
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(out)
	port := flags.Int("port", 0, "port on the loopback interface; 0 is any that is free")
	name := flags.String("zone", "Europe/London", "time zone of the diaries; Rentbook must mean the same")
	places := flags.Int("places", 1, "visits that fit each window")
	if err := flags.Parse(args); err != nil {
		return err
	}
	zone, err := time.LoadLocation(*name)
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           drstest.NewServer(drstest.Options{Zone: zone, Diary: drstest.Weekdays(zone, *places)}),
		ReadHeaderTimeout: headerMax,
	}
	forget := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer forget()
	if _, err := fmt.Fprintf(out, "http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
