package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
)

const (
	roleVariable   = "RENTBOOK_TEST_ROLE"
	folderVariable = "RENTBOOK_TEST_FOLDER"
)

const (
	sharedStreams   = 4
	appendsOfOne    = 60
	callersOfOne    = 4
	patienceOfTests = 2 * time.Minute
)

// play is what another process does; it tells of it on standard output, a line at a time.
func play(role, dir string) error {
	log, err := sqlite.Open(context.Background(), dir, sqlite.Options{})
	if err != nil {
		return err
	}
	switch role {
	case "append":
		return errors.Join(appendShared(context.Background(), log), log.Close())
	case "append for ever":
		return appendForEver(log)
	case "follow":
		fmt.Println("ready")
		for e, err := range log.Follow(context.Background(), eventstore.Position{}) {
			if err != nil {
				return err
			}
			fmt.Println(e.ID)
		}
		return nil
	default:
		return fmt.Errorf("nobody plays %q", role)
	}
}

// process is the test binary as another process.
type process struct {
	*exec.Cmd

	lines *bufio.Scanner
}

func start(t *testing.T, role, dir string) process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patienceOfTests)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, folderVariable+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return process{cmd, bufio.NewScanner(out)}
}

func (p process) line(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the other process said no more: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// kill ends the process as a power cut would, and answers what it had still said.
func (p process) kill(t *testing.T) []string {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var rest []string
	for p.lines.Scan() {
		rest = append(rest, p.lines.Text())
	}
	if err := p.Wait(); err == nil {
		t.Error("the other process was not killed")
	}
	return rest
}

// appendShared appends to streams others append to as well, and tries again after each conflict.
func appendShared(ctx context.Context, log *sqlite.Log) error {
	errs := make([]error, callersOfOne)
	var all sync.WaitGroup
	for c := range callersOfOne {
		all.Go(func() {
			for i := range appendsOfOne {
				stream := eventstore.NewStream("shared", fmt.Sprint((c+i)%sharedStreams))
				if err := appendNext(ctx, log, stream, proposed()); err != nil {
					errs[c] = err
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func appendNext(ctx context.Context, log *sqlite.Log, s eventstore.Stream, e eventstore.Proposed) error {
	var after eventstore.Version
	for {
		_, err := log.Append(ctx, s, after, e)
		conflict, ok := errors.AsType[*eventstore.ConflictError](err)
		if !ok {
			return err
		}
		after = conflict.Got
	}
}

func TestLog_SharedByProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := open(t, dir, sqlite.Options{}), open(t, dir, sqlite.Options{})
	others := []process{start(t, "append", dir), start(t, "append", dir)}
	var all sync.WaitGroup
	for _, log := range []*sqlite.Log{one, two} {
		all.Go(func() {
			if err := appendShared(t.Context(), log); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, p := range others {
		if err := p.Wait(); err != nil {
			t.Errorf("the other process: %v", err)
		}
	}
	if n := whole(t, one); n != 4*callersOfOne*appendsOfOne {
		t.Errorf("the log has %d events, want %d", n, 4*callersOfOne*appendsOfOne)
	}
}

// whole counts the events of a log, and wants them in order, without gaps, each once.
func whole(t *testing.T, log *sqlite.Log) int {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n, at := 0, time.Time{}
	versions, ids := map[eventstore.Stream]eventstore.Version{}, map[uuid.UUID]bool{}
	for e, err := range eventstore.ReadTo(t.Context(), log, eventstore.Position{}, head) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		versions[e.Stream]++
		if e.Version != versions[e.Stream] || e.Position != eventstore.PositionAt(uint64(n)) {
			t.Fatalf("%s version %d at %v, want version %d at %d", e.Stream, e.Version, e.Position, versions[e.Stream], n)
		}
		if !e.At.After(at) || ids[e.ID] {
			t.Fatalf("%v was recorded at %v after %v, id seen before: %v", e.Position, e.At, at, ids[e.ID])
		}
		at, ids[e.ID] = e.At, true
	}
	return n
}

func TestLog_FollowersNoticeOtherProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := open(t, dir, sqlite.Options{})
	follower := start(t, "follow", dir)
	if got := follower.line(t); got != "ready" {
		t.Fatalf("the follower said %q", got)
	}
	delays := make([]time.Duration, 25)
	for i := range delays {
		e := proposed()
		if _, err := log.Append(t.Context(), "s-1", eventstore.Version(i), e); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if got := follower.line(t); got != e.ID.String() {
			t.Fatalf("the follower saw %s, want %s", got, e.ID)
		}
		delays[i] = time.Since(began)
	}
	slices.Sort(delays)
	median, worst := delays[len(delays)/2], delays[len(delays)-1]
	t.Logf("noticed after %v (median), %v (worst)", median, worst)
	if median > 2*time.Second { // the promise is 100 ms; a busy machine is not a broken one
		t.Errorf("noticed after %v", median)
	}
	follower.kill(t)
}

// appendForEver tells of an event only after it was acknowledged.
func appendForEver(log *sqlite.Log) error {
	errs := make(chan error)
	var tell sync.Mutex
	for c := range callersOfOne {
		go func() {
			stream := eventstore.NewStream("killed", fmt.Sprint(c))
			for {
				e := proposed()
				if err := appendNext(context.Background(), log, stream, e); err != nil {
					errs <- err
					return
				}
				tell.Lock()
				fmt.Println(e.ID, stream)
				tell.Unlock()
			}
		}()
	}
	return <-errs
}

func TestLog_SurvivesKill(t *testing.T) {
	t.Parallel()
	const kills = 25
	dir := t.TempDir()
	var acknowledged []string
	for k := range kills {
		p := start(t, "append for ever", dir)
		for range 5 + 7*k { // at a different moment each time
			acknowledged = append(acknowledged, p.line(t))
		}
		acknowledged = append(acknowledged, p.kill(t)...)
	}

	log := open(t, dir, sqlite.Options{})
	there := map[string]bool{}
	total := whole(t, log)
	for e, err := range eventstore.ReadTo(t.Context(), log, eventstore.Position{}, eventstore.PositionAt(uint64(total))) {
		if err != nil {
			t.Fatal(err)
		}
		there[fmt.Sprint(e.ID, " ", e.Stream)] = true
	}
	lost := slices.DeleteFunc(acknowledged, func(line string) bool {
		return there[line] || !strings.Contains(line, " killed-") // a line cut off by the kill
	})
	if len(lost) > 0 {
		t.Errorf("%d acknowledged events are lost: %v", len(lost), lost)
	}
	t.Logf("%d kills, %d events recorded", kills, total)
}
