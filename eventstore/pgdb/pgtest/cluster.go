package pgtest

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// startMax bounds how long a server may take to start, recovery after a crash included.
	startMax = time.Minute

	// staleMin is the age at which a folder was surely left behind by a machine that died.
	staleMin = 24 * time.Hour

	folderPattern = "rentbook-pg-*"
)

// Options of a cluster. The zero Options keep every promise of PostgreSQL.
type Options struct {
	// Fast gives up durability: fsync, full_page_writes and synchronous_commit are off. What was
	// committed last may be gone after Kill, and the cluster damaged after a power cut.
	Fast bool

	// Settings are further parameters of the server: {"max_connections": "20"}.
	Settings map[string]string
}

func (o Options) arguments() []string {
	settings := map[string]string{"listen_addresses": "", "max_connections": "200"}
	if o.Fast {
		settings["fsync"], settings["full_page_writes"], settings["synchronous_commit"] = "off", "off", "off"
	}
	maps.Copy(settings, o.Settings)
	var arguments []string
	for name, value := range settings {
		arguments = append(arguments, "-c", name+"="+value)
	}
	return arguments
}

// Cluster is a PostgreSQL server and its data. It is safe for use by many goroutines.
type Cluster struct {
	place   place
	options Options
	folder  string
	guard   *guard

	mu     sync.Mutex
	server *server // nil: it does not run
}

// Start makes a cluster for one test, which may kill and restart it. It is removed when the test
// ends.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, err := create(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.remove)
	return c
}

// URL is the address of the server, with a search_path that no other call has got.
func (c *Cluster) URL(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(c.url())
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", freshName())
	u.RawQuery = query.Encode()
	return u.String()
}

// Kill ends the server as a power cut would, all its processes at once, and returns when they are
// gone. What the operating system holds for the disk is not lost.
func (c *Cluster) Kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end((*server).kill)
}

// Stop ends the server as an administrator would ("fast"), and returns when it is gone: statements
// under way fail, connections are closed.
func (c *Cluster) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end((*server).stop)
}

// Restart starts the server, and stops it first if it runs. It returns when connections are
// accepted again. It ends the test if they are not, so only the test's own goroutine may call it.
func (c *Cluster) Restart(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end((*server).stop)
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) url() string {
	return "postgres://postgres@/postgres?" + url.Values{"host": {c.folder}}.Encode()
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }

// create makes a cluster and starts it.
func create(o Options) (_ *Cluster, err error) {
	p, err := findPlace()
	if err != nil {
		return nil, err
	}
	sweep(p.temporary)
	c := &Cluster{place: p, options: o}
	if c.folder, err = os.MkdirTemp(p.temporary, folderPattern); err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	if c.guard, err = newGuard(c.folder); err != nil {
		_ = os.RemoveAll(c.folder) // the first error says more
		return nil, err
	}
	if err := c.prepare(); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) prepare() error {
	if owner := c.place.owner; owner != nil {
		if err := os.Chown(c.folder, int(owner.Uid), int(owner.Gid)); err != nil {
			return fmt.Errorf("give the folder of PostgreSQL to its user: %w", err)
		}
	}
	initdb := c.command("initdb", "--pgdata", c.data(), "--username", "postgres", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c.start()
}

// command is one of PostgreSQL's programs, run by a user it accepts, and away from the terminal: an
// interrupt is for the tests, which then end the server.
func (c *Cluster) command(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.place.binaries, name), arguments...)
	cmd.Dir = c.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.place.owner}
	return cmd
}

// start starts a server that does not run.
func (c *Cluster) start() error {
	arguments := append([]string{"-D", c.data(), "-k", c.folder}, c.options.arguments()...)
	s := &server{
		cmd:   c.command("postgres", arguments...),
		log:   journal{ready: make(chan struct{})},
		ended: make(chan struct{}),
	}
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.guard.watch(s.cmd.Process.Pid)
	c.server = s
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // how it ended is in its log
	}()
	select {
	case <-s.log.ready:
		return nil
	case <-s.ended:
	case <-time.After(startMax):
	}
	c.end((*server).kill)
	return fmt.Errorf("PostgreSQL did not start:\n%s", s.log.String())
}

func (c *Cluster) end(how func(*server)) {
	if c.server == nil {
		return
	}
	how(c.server)
	<-c.server.ended
	c.server = nil
	c.guard.watch(0)
}

func (c *Cluster) remove() {
	c.Kill()
	c.guard.dismiss()
}

// sweep removes what machines that died have left.
func sweep(temporary string) {
	folders, _ := filepath.Glob(filepath.Join(temporary, folderPattern))
	for _, folder := range folders {
		if info, err := os.Lstat(folder); err == nil && time.Since(info.ModTime()) > staleMin {
			_ = os.RemoveAll(folder) // the next run tries again
		}
	}
}
