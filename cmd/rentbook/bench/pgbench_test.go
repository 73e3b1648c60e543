package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// load is what pgbench is to do for a while.
type load struct {
	script

	clients  int
	readOnly bool
}

// pgbench runs PostgreSQL's own load generator, with prepared statements, over the socket that the
// views use.
func (s *servers) pgbench(ctx context.Context, p place, does load) (l logged, err error) {
	program, err := findPgbench()
	if err != nil {
		return logged{}, err
	}
	folder := s.folder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return logged{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	file := filepath.Join(folder, "script.sql")
	if err := os.WriteFile(file, []byte(does.text), 0o600); err != nil {
		return logged{}, err
	}
	args := []string{
		"--no-vacuum", "--protocol=prepared", "--file=" + file, "--log", "--log-prefix=" + filepath.Join(folder, "log"),
		"--client=" + strconv.Itoa(does.clients), "--jobs=" + strconv.Itoa(min(does.clients, runtime.GOMAXPROCS(0))),
	}
	// It counts time in whole seconds.
	if seconds := int(s.block.Seconds()); seconds > 0 {
		args = append(args, "--time="+strconv.Itoa(seconds))
	} else {
		args = append(args, "--transactions="+strconv.Itoa(2*firstOnes))
	}
	for name, value := range does.variables {
		args = append(args, "--define="+name+"="+value)
	}
	address, err := libpq(p.url)
	if err != nil {
		return logged{}, err
	}
	cmd := exec.CommandContext(ctx, program, append(args, address)...)
	cmd.Env = append(os.Environ(), "PGOPTIONS=-c search_path="+p.location.Views()+" -c default_transaction_read_only="+strconv.FormatBool(does.readOnly))
	if out, err := cmd.CombinedOutput(); err != nil {
		return logged{}, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	l, err = readLatencies(filepath.Join(folder, "log.*"))
	l.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return l, err
}

// beside says what was done and what PostgreSQL spent on it meanwhile.
func (s *servers) beside(do func() (sample, error)) (sample, string, error) {
	before := s.serverTime()
	done, err := do()
	server := float64((s.serverTime() - before).Microseconds()) / float64(max(1, len(done.latencies)))
	return done, fmt.Sprintf("%v, PostgreSQL's %.0f us", done, server), err
}

// findPgbench takes what is in the PATH, or else the newest that Debian's packages installed.
func findPgbench() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil {
		return "", err
	}
	newest, found := 0, ""
	for _, path := range installed {
		if version, _ := strconv.Atoi(strings.Split(path, "/")[4]); version > newest {
			newest, found = version, path
		}
	}
	if found == "" {
		return "", errors.New("this needs pgbench, and there is none: install Debian's package postgresql")
	}
	return found, nil
}

// libpq is an address without what only our driver understands.
func libpq(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	query := u.Query()
	query.Del("search_path")
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// firstOnes are how many transactions of each client do not count: the first prepares the statements,
// and the server plans them anew for some more.
const firstOnes = 5

// logged is what pgbench says it did.
type logged struct {
	sample

	transactions int // with the first ones
}

func readLatencies(pattern string) (l logged, err error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return l, err
	}
	var began, ended time.Time
	done := map[string]int{}
	for _, path := range files {
		err := eachTransaction(path, func(t transaction) {
			l.transactions++
			if done[t.client]++; done[t.client] <= firstOnes {
				return
			}
			l.latencies = append(l.latencies, t.took)
			if begin := t.ended.Add(-t.took); began.IsZero() || begin.Before(began) {
				began = begin
			}
			if t.ended.After(ended) {
				ended = t.ended
			}
		})
		if err != nil {
			return l, err
		}
	}
	if len(l.latencies) == 0 {
		return l, errors.New("pgbench: hardly a transaction")
	}
	slices.Sort(l.latencies)
	l.took = ended.Sub(began)
	return l, nil
}

type transaction struct {
	client string
	took   time.Duration
	ended  time.Time
}

// eachTransaction reads one of pgbench's logs: client, transaction, microseconds, script, and when it
// ended in seconds and microseconds.
func eachTransaction(path string, do func(transaction)) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var t transaction
		var number, micros, script, seconds, rest int64
		if _, err := fmt.Sscan(lines.Text(), &t.client, &number, &micros, &script, &seconds, &rest); err != nil {
			return fmt.Errorf("pgbench: %q in its log: %w", lines.Text(), err)
		}
		t.took, t.ended = time.Duration(micros)*time.Microsecond, time.Unix(seconds, rest*1000)
		do(t)
	}
	return lines.Err()
}
