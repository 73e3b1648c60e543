package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// double is EventStoreDB's as a process of its own.
type double struct {
	cmd     *exec.Cmd
	tell    io.Closer
	address string // as a connection string
}

// waiting ends the program when nobody is left who could want it.
const waiting = `"$0" & pid=$!; read -r _; kill "$pid"; wait "$pid"`

func (s *servers) newDouble(ctx context.Context) (_ *double, err error) {
	if err := s.buildDouble(ctx); err != nil {
		return nil, err
	}
	d := &double{cmd: exec.Command("/bin/sh", "-c", waiting, s.program)}
	d.cmd.Stderr = os.Stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // away from the terminal
	if d.tell, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	said, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the double of EventStoreDB: %w", err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the double of EventStoreDB says nothing: %w", err), d.close())
	}
	d.address = strings.TrimSpace(line)
	return d, nil
}

func (d *double) close() error {
	return errors.Join(d.tell.Close(), d.cmd.Wait())
}

// host is where it listens.
func (d *double) host() (string, error) {
	u, err := url.Parse(d.address)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

func (s *servers) buildDouble(ctx context.Context) error {
	if s.program != "" {
		return nil
	}
	program := filepath.Join(s.dir, "double")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "rentbook/eventstore/esdb/esdbtest/server")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the double of EventStoreDB: %w\n%s", err, out)
	}
	s.program = program
	return nil
}
