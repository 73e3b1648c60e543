package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// versionMin is the oldest PostgreSQL that Rentbook supports.
const versionMin = 15

// socketMax keeps the path of a socket in a folder below within the 103 bytes that every system
// takes.
const socketMax = 60

// place is where a scratch server comes from, and who runs it.
type place struct {
	binaries  string
	owner     *syscall.Credential // nil: whoever runs the tests
	temporary string
}

func findPlace() (p place, err error) {
	if p.binaries, err = findBinaries(); err != nil {
		return place{}, err
	}
	if os.Geteuid() == 0 {
		if p.owner, err = unprivileged(); err != nil {
			return place{}, err
		}
	}
	p.temporary = os.TempDir()
	if len(p.temporary) > socketMax || p.owner != nil && !open(p.temporary) {
		p.temporary = "/tmp"
	}
	return p, nil
}

// findBinaries takes what is in the PATH, or else the newest that Debian's packages installed.
func findBinaries() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		if folder := filepath.Dir(path); version(folder) >= versionMin {
			return folder, nil
		}
	}
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	newest, found := versionMin-1, ""
	for _, folder := range installed {
		if v := version(folder); v > newest {
			newest, found = v, folder
		}
	}
	if found == "" {
		return "", fmt.Errorf("these tests need PostgreSQL %d or later, and there is none: install Debian's package postgresql "+
			"(make test does), or name a server in %s", versionMin, variable)
	}
	return found, nil
}

// version is the major version of the programs in a folder, 0 if they are not all there.
func version(folder string) (major int) {
	if _, err := os.Stat(filepath.Join(folder, "initdb")); err != nil {
		return 0
	}
	out, err := exec.Command(filepath.Join(folder, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscanf(string(out), "postgres (PostgreSQL) %d", &major) // 0 if it says something else
	return major
}

// unprivileged is the user that PostgreSQL runs as where the tests run as root, whom it refuses.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it")
}

// open says whether everybody may go through a folder.
func open(path string) bool {
	for ; ; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err != nil || info.Mode()&1 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}
