package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// sayConditions prints what the figures depend on.
func (b *bench) sayConditions() error {
	syncing, err := timeSync(filepath.Join(b.dir, "sync"))
	if err != nil {
		return err
	}
	b.say("CPU      %s, %d used by Go; generator, floor and server share them, over loopback", cpu(), runtime.GOMAXPROCS(0))
	b.say("load     %s when it began", loadAverage())
	b.say("disk     %s: fdatasync of 8 kB, preallocated, %.0f us (median)", b.dir, float64(syncing.Nanoseconds())/1000)
	if b.sleep > 0 {
		b.say("         slow-sync mode: %v more for every sync of a log", b.sleep)
	}
	b.say("Go       %s", runtime.Version())
	b.say("SQLite   %s, driver zombiezen.com/go/sqlite %s on modernc.org/sqlite %s",
		sqlite.Version, moduleVersion("zombiezen.com/go/sqlite"), moduleVersion("modernc.org/sqlite"))
	b.say("log      journal_mode=WAL, synchronous=FULL, wal_autocheckpoint=0 (checkpoints beside the commits)")
	b.say("driver   journal_mode=WAL, synchronous=FULL, wal_autocheckpoint=1000 (SQLite's default), same tables")
	b.say("views    journal_mode=WAL, synchronous=NORMAL")
	b.say("clients  charges: net/http's, one each; statements: a lean one of our own; both with connections kept open")
	b.say("rounds   %d, blocks of %v; requests are logged at level info, to a file", b.Rounds, b.block)
	return nil
}

// timeSync is the median time of a sync after 8 kB were written where the file has blocks already.
func timeSync(path string) (_ time.Duration, err error) {
	const size, times = 8 << 10, 200
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // our own scratch folder
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(path)) }()
	page := make([]byte, size)
	for range times {
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	var took []time.Duration
	for i := range int64(times) {
		page[0]++
		if _, err := file.WriteAt(page, i*size); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := syncData(file); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[times/2], nil
}

// cpu is its name, where the system tells.
func cpu() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func loadAverage() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(load))
}

func moduleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "(unknown)"
}

// resident is how much memory the process has, SQLite's included; zero where the system does not
// tell.
func resident() uint64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize()) //nolint:gosec // positive
}
