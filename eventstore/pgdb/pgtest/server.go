package pgtest

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// server is one run of a server.
type server struct {
	cmd   *exec.Cmd
	log   journal
	ended chan struct{} // closed when the last of its processes has let go of the log
}

func (s *server) stop() { _ = s.cmd.Process.Signal(syscall.SIGINT) }

// kill stops the parent first, so that it makes no more children while they are counted. One that
// is missed ends when it sees that its parent is gone.
func (s *server) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGSTOP)
	for _, pid := range children(s.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = s.cmd.Process.Kill()
}

// children asks Linux; elsewhere it knows of none.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var pid, ppid int
		var state string
		_, after, _ := bytes.Cut(stat, []byte(") ")) // no name of PostgreSQL's holds a bracket
		if _, err := fmt.Sscan(string(after), &state, &ppid); err != nil || ppid != parent {
			continue
		}
		if _, err := fmt.Sscan(string(stat), &pid); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// journal keeps the end of a server's log, and notices when the server is ready.
type journal struct {
	mu    sync.Mutex
	tail  []byte
	seen  bool
	ready chan struct{}
}

const journalMax = 16 << 10

func (j *journal) Write(text []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tail = append(j.tail, text...)
	if !j.seen && bytes.Contains(j.tail, []byte("ready to accept connections")) {
		j.seen = true
		close(j.ready)
	}
	if excess := len(j.tail) - journalMax; excess > 0 {
		j.tail = append(j.tail[:0], j.tail[excess:]...)
	}
	return len(text), nil
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return cmp.Or(string(j.tail), "(it said nothing)")
}
