package photos

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/vault"
)

func openStore(t *testing.T) (s *Store, body []byte) {
	t.Helper()
	keys, err := vault.Open(t.Context(), t.TempDir(), vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	})
	if s, err = Open(filepath.Join(t.TempDir(), "photos"), keys); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return s, b.Bytes()
}

func (s *Store) files(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPut_OnAFullDisk(t *testing.T) {
	t.Parallel()
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		s, body := openStore(t)
		working := s.disk.write
		s.disk.write = func(file *os.File, content []byte) error {
			return errors.Join(working(file, content[:len(content)/2]), &fs.PathError{Op: "write", Path: file.Name(), Err: full})
		}
		u := Upload{By: "token-7", Key: "once"}
		_, _, err := s.Put(t.Context(), u, bytes.NewReader(body))
		if !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, ErrStorage) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		if left := s.files(t); len(left) > 0 {
			t.Errorf("left %v", left)
		}
		s.disk.write = working // somebody has made room
		if _, replayed, err := s.Put(t.Context(), u, bytes.NewReader(body)); err != nil || replayed {
			t.Errorf("afterwards: %v, replayed %t", err, replayed)
		}
	}
}

// The n-th sync fails: those of the photo, of its folder, of the key and of its folder; the fifth is
// that of a replay.
func TestPut_StopsAfterAFailedSync(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 5; n++ {
		s, body := openStore(t)
		working, syncs := s.disk.sync, 0
		s.disk.sync = func(file *os.File) error {
			if syncs++; syncs == n {
				return &fs.PathError{Op: "sync", Path: file.Name(), Err: syscall.EIO}
			}
			return working(file)
		}
		put := func() error {
			_, _, err := s.Put(t.Context(), Upload{By: "token-7", Key: "once"}, bytes.NewReader(body))
			return err
		}
		if n == 5 {
			if err := put(); err != nil {
				t.Fatal(err)
			}
		}
		if err := put(); !errors.Is(err, ErrStorage) || !errors.Is(err, syscall.EIO) {
			t.Errorf("sync %d: got %v, want ErrStorage", n, err)
		}
		if err := put(); !errors.Is(err, ErrStorage) {
			t.Errorf("sync %d: the store went on: %v", n, err)
		}
		if syncs != n {
			t.Errorf("sync %d: %d syncs", n, syncs)
		}
		checkNoDrafts(t, s)
		checkPutAgain(t, s, body)
	}
}

// checkPutAgain is the same upload after the process has started again.
func checkPutAgain(t *testing.T, s *Store, body []byte) {
	t.Helper()
	again, err := Open(s.dir, s.sealer)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := again.Put(t.Context(), Upload{By: "token-7", Key: "once"}, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Full(t.Context(), p.ID); err != nil {
		t.Error(err)
	}
}

func checkNoDrafts(t *testing.T, s *Store) {
	t.Helper()
	if drafts, err := filepath.Glob(filepath.Join(s.dir, "*", draftPrefix+"*")); err != nil || len(drafts) > 0 {
		t.Errorf("left %v, %v", drafts, err)
	}
}

// Nothing has the name of a photo before all of it is on disk.
func TestPut_NamesWhatIsSynced(t *testing.T) {
	t.Parallel()
	s, body := openStore(t)
	working := s.disk.sync
	var order []string
	s.disk.sync = func(file *os.File) error {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		named := 0
		for _, path := range s.files(t) {
			if filepath.Base(path)[:1] != "." {
				named++
			}
		}
		kind := "file"
		if info.IsDir() {
			kind = "folder"
		}
		order = append(order, kind+" with "+string(rune('0'+named))+" named")
		return working(file)
	}
	if _, _, err := s.Put(t.Context(), Upload{By: "token-7", Key: "once"}, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	want := []string{"file with 0 named", "folder with 1 named", "file with 1 named", "folder with 2 named"}
	if len(order) != len(want) {
		t.Fatalf("got %v, want %v", order, want)
	}
	for i := range want {
		if order[i] != want[i] {
			t.Errorf("got %v, want %v", order, want)
		}
	}
}

// Whatever the moment of a crash, what is left is a store in which every name stands for a whole photo,
// and the upload can be sent again.
func TestPut_ACrashLeavesWholePhotos(t *testing.T) {
	t.Parallel()
	s, body := openStore(t)
	working := s.disk.sync
	var left []string
	s.disk.sync = func(file *os.File) error {
		left = append(left, filepath.Join(t.TempDir(), "photos"))
		return errors.Join(os.CopyFS(left[len(left)-1], os.DirFS(s.dir)), working(file))
	}
	if _, _, err := s.Put(t.Context(), Upload{By: "token-7", Key: "once"}, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	drafts := 0
	for _, dir := range left {
		crashed, err := Open(dir, s.sealer)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range crashed.files(t) {
			switch name := filepath.Base(path); {
			case filepath.Base(filepath.Dir(path)) == keysFolder:
			case name[:1] == ".":
				drafts++
			default:
				if err := crashed.Check(t.Context(), domain.ID(name)); err != nil {
					t.Error(err)
				}
			}
		}
		checkPutAgain(t, crashed, body)
	}
	if len(left) != 4 || drafts == 0 {
		t.Errorf("%d crashes left %d drafts", len(left), drafts)
	}
}

func TestPut_WaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	s, body := openStore(t)
	put := func(key string) error {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, _, err := s.Put(ctx, Upload{By: "token-7", Key: key}, bytes.NewReader(body))
		return err
	}
	for range decodingMax {
		s.decoding <- struct{}{}
	}
	if err := put(""); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting to decode: %v", err)
	}
	release, err := s.uploads.take(t.Context(), Upload{By: "token-7", Key: "once"}.recordName())
	if err != nil {
		t.Fatal(err)
	}
	if err := put("once"); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for the same upload: %v", err)
	}
	release()
	if len(s.uploads.held) > 0 {
		t.Errorf("%d locks were left", len(s.uploads.held))
	}
}
