package pgtest

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// guard is a process that outlives the tests, however they end, for as long as it takes to end the
// server and to remove its folder.
type guard struct {
	cmd  *exec.Cmd
	tell io.WriteCloser
}

// guarding reads the server's process id, a line each time there is a new one, until nobody is left
// to write any.
const guarding = `
trap '' HUP INT TERM
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
	kill -QUIT "$pid"
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -0 "$pid" || break
		sleep 0.1
	done
	kill -KILL "$pid"
fi
rm -rf -- "$1"`

func newGuard(folder string) (*guard, error) {
	cmd := exec.Command("/bin/sh", "-c", guarding, "guard", folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Dir = "/"
	tell, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("guard the scratch PostgreSQL: %w", err)
	}
	return &guard{cmd, tell}, nil
}

// watch names the process to end; 0 is none.
func (g *guard) watch(pid int) {
	line := "\n"
	if pid != 0 {
		line = fmt.Sprintf("%d\n", pid)
	}
	_, _ = io.WriteString(g.tell, line) // somebody killed the guard: then nobody guards
}

// dismiss lets the guard do its work, and waits for it.
func (g *guard) dismiss() {
	_ = g.tell.Close()
	_ = g.cmd.Wait()
}
