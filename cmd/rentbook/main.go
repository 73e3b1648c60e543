// Rentbook is a tenant portal whose books can be proved. This is its one binary: flags and wiring,
// nothing else. README.md says where everything is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"rentbook/projections"
)

// What the program exits with.
const (
	exitDone    = 0
	exitRefused = 1  // refused or failed; stderr says why
	exitUsage   = 2  // wrong usage
	exitStorage = 70 // storage failed: nothing may be believed until the log has been opened anew
)

// cli is the command line. Every flag may also be given as RENTBOOK_ and its name.
type cli struct {
	globals

	Serve     serveCommand     `cmd:"" help:"Serve the API; follow the log, keep the views."`
	Demo      demoCommand      `cmd:"" help:"Serve a realistic portfolio and print what to try."`
	Import    importCommand    `cmd:"" help:"Bring in CSV files or folders of them; again is harmless."`
	Charge    chargeCommand    `cmd:"" help:"Raise every charge due up to and including a day."`
	Statement statementCommand `cmd:"" help:"Write the statement of an account over some days."`
	History   historyCommand   `cmd:"" help:"Show every event of a stream."`
	Export    exportCommand    `cmd:"" help:"Write the log, one event a line."`
	Rebuild   rebuildCommand   `cmd:"" help:"Rebuild views beside the live ones and switch."`
	Verify    verifyCommand    `cmd:"" help:"Check the log and the views against each other, and the photos."`
	Triage    triageCommand    `cmd:"" help:"Check, make and list the questions that diagnose repairs."`
	Policy    policyCommand    `cmd:"" help:"Check and list targets, limits and holidays."`
	Token     tokenCommand     `cmd:"" help:"Create, list and revoke bearer tokens."`
	Move      moveCommand      `cmd:"" help:"Move a data directory to EventStoreDB, PostgreSQL, or both."`
	Doctor    doctorCommand    `cmd:"" help:"Say what is configured, reachable, behind or stopped."`
	Bench     benchCommand     `cmd:"" help:"Measure this machine, as ratios."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// globals are flags that every command has, and the world it runs in.
type globals struct {
	stores

	TimeZone *zone         `default:"UTC" placeholder:"ZONE" help:"Says what day today is, and nothing else (${default})."`
	LogLevel slog.Level    `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
	Wait     time.Duration `default:"60s" help:"How long to wait for views that another process is writing (${default})."`

	repairs *repairOptions // of a command that serves; nil: of any other
	stdout  io.Writer
	stderr  io.Writer
	exit    func(code int)
}

// zone is a time zone by name.
type zone struct{ *time.Location }

// UnmarshalText loads the zone.
func (z *zone) UnmarshalText(name []byte) (err error) {
	z.Location, err = time.LoadLocation(string(name))
	return err
}

func main() { os.Exit(process(os.Args[1:])) }

// process runs the program until it is done or told to end by a signal.
func process(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return run(ctx, args, os.Stdout, os.Stderr, os.Exit)
}

// run is the program. exit ends it at once, when storage has failed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, exit func(int)) int {
	var c cli
	c.stdout, c.stderr, c.exit = stdout, stderr, exit
	ended := -1
	parser, err := kong.New(&c, kong.Name("rentbook"),
		kong.Description("A tenant portal whose books can be proved."),
		kong.DefaultEnvars("RENTBOOK"), kong.Writers(stdout, stderr),
		kong.Vars{"views": strings.Join(projections.Names(), ", ")},
		kong.Exit(func(code int) { ended = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return complain(stderr, exitUsage, err)
	}
	command, err := parser.Parse(args)
	switch {
	case ended >= 0: // --help
		return ended
	case err != nil:
		return complain(stderr, exitUsage, fmt.Errorf("%w; see rentbook --help", err))
	}
	if c.Data == "" && !strings.HasPrefix(command.Command(), "demo") {
		c.Data = "rentbook-data"
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err = errors.Join(mustMean(args), c.check()); err == nil {
		err = command.Run(&c.globals)
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage):
		return complain(stderr, exitUsage, err)
	case errors.Is(err, errSaid):
		return exitRefused
	}
	return complain(stderr, exitRefused, err)
}

var (
	// errSaid is a failure that has been reported already.
	errSaid = errors.New("reported")
	// errUsage is a combination of flags that makes no sense.
	errUsage = errors.New("wrong usage")
)

func complain(stderr io.Writer, code int, err error) int {
	_, _ = fmt.Fprintln(stderr, "rentbook:", err)
	return code
}
