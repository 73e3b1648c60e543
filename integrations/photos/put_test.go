package photos_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"rentbook/domain"
	"rentbook/eventstore/vault"
	"rentbook/integrations/photos"
)

// shelf is a store, with a vault beside it.
type shelf struct {
	*photos.Store

	dir   string
	vault *vault.Vault
}

func newShelf(t testing.TB) shelf {
	t.Helper()
	keys, err := vault.Open(t.Context(), filepath.Join(t.TempDir(), "vault"), vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	})
	return shelf{dir: filepath.Join(t.TempDir(), "data", "photos"), vault: keys}.reopened(t)
}

// reopened is what another process sees.
func (s shelf) reopened(t testing.TB) shelf {
	t.Helper()
	store, err := photos.Open(s.dir, s.vault)
	if err != nil {
		t.Fatal(err)
	}
	s.Store = store
	return s
}

func (s shelf) put(t testing.TB, u photos.Upload, body []byte) (photos.Photo, bool) {
	t.Helper()
	p, replayed, err := s.Put(t.Context(), u, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return p, replayed
}

func (s shelf) path(id domain.ID) string { return filepath.Join(s.dir, string(id[:2]), string(id)) }

// files are those of the photos and the keys.
func (s shelf) files(t testing.TB) (names []string) {
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

// keyOf reads the name of the key where it stands in clear.
func (s shelf) keyOf(t testing.TB, id domain.ID) string {
	t.Helper()
	content, err := os.ReadFile(s.path(id))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(content, []byte("photo-"))
	return string(content[at : at+len("photo-")+36])
}

func byTenant() photos.Upload { return photos.Upload{By: "token-7"} }

func TestPut_KeepsThePhoto(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	body := withSegments(asJPEG(t, scene(640, 480)), exifSegment(exif(binary.BigEndian, 1, "GPS-CANARY")))
	p, replayed := s.put(t, byTenant(), body)
	if replayed || len(p.ID) != 64 || p.Width != 640 || p.Height != 480 {
		t.Errorf("got %+v, replayed %t", p, replayed)
	}
	if _, err := domain.ParseID(string(p.ID)); err != nil {
		t.Errorf("%s is no id: %v", p.ID, err)
	}
	for _, later := range []shelf{s, s.reopened(t)} {
		full, err := later.Full(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		thumb, err := later.Thumb(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(full) != p.Bytes {
			t.Errorf("the photo has %d bytes, said %d", len(full), p.Bytes)
		}
		for width, picture := range map[int][]byte{640: full, 320: thumb} {
			img, err := jpeg.Decode(bytes.NewReader(picture))
			if err != nil {
				t.Fatal(err)
			}
			checkScene(t, img, width, width*3/4)
		}
		described, err := later.Describe(p.ID)
		if want := (photos.Described{Photo: p, By: "token-7"}); err != nil || described != want {
			t.Errorf("got %+v, %v, want %+v", described, err, want)
		}
		if err := later.Check(t.Context(), p.ID); err != nil {
			t.Error(err)
		}
	}
}

// Neither what was uploaded nor what was made of it can be read in the files.
func TestPut_SealsThePhoto(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	body := withSegments(asJPEG(t, scene(48, 32)), segment(0xfe, "CANARY"))
	p, _ := s.put(t, photos.Upload{By: "token-7", Key: "CANARY-key"}, body)
	full, err := s.Full(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	for _, path := range s.files(t) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range [][]byte{[]byte("CANARY"), []byte("\xff\xd8\xff"), full[20:60], sum[:], []byte(hex.EncodeToString(sum[:]))} {
			if bytes.Contains(content, secret) || strings.Contains(path, string(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
	}
}

func TestPut_FilesBelongToTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put(t, photos.Upload{By: "token-7", Key: "once"}, asPNG(t, scene(48, 32)))
	files := 0
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil || files != 2 {
		t.Errorf("%d files, want a photo and a key; %v", files, err)
	}
}

func TestPut_StoresNothingThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.put(t, byTenant(), asPNG(t, scene(48, 32)))
	before := s.files(t)
	good := asJPEG(t, scene(48, 32))
	broken := errors.New("the line went dead")
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx  context.Context
		by   string
		body io.Reader
		want error
	}{
		"a script":        {t.Context(), "token-7", strings.NewReader("#!/bin/sh"), photos.ErrType},
		"half a photo":    {t.Context(), "token-7", bytes.NewReader(good[:len(good)/2]), photos.ErrTruncated},
		"an endless one":  {t.Context(), "token-7", io.MultiReader(bytes.NewReader(good), endless{}), photos.ErrTooLarge},
		"a broken line":   {t.Context(), "token-7", io.MultiReader(bytes.NewReader(good), iotest.ErrReader(broken)), broken},
		"nobody":          {t.Context(), "", bytes.NewReader(good), domain.ErrID},
		"a name":          {t.Context(), "Ann Smith", bytes.NewReader(good), domain.ErrID},
		"a closed window": {ended, "token-7", bytes.NewReader(good), context.Canceled},
	} {
		_, _, err := s.Put(c.ctx, photos.Upload{By: c.by, Key: "again"}, c.body)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if after := s.files(t); !slices.Equal(before, after) {
			t.Errorf("%s left %v", name, after)
		}
	}
	if _, replayed := s.put(t, photos.Upload{By: "token-7", Key: "again"}, good); replayed {
		t.Error("a refused upload used up its key")
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestPut_ReadsNoFurtherThanItMust(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	var count counter
	if _, _, err := s.Put(t.Context(), byTenant(), io.TeeReader(endless{}, &count)); !errors.Is(err, photos.ErrTooLarge) {
		t.Fatal(err)
	}
	if count != photos.BytesMax+1 {
		t.Errorf("%d bytes were read, want %d", count, photos.BytesMax+1)
	}
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

func TestPut_AKeyIsGoodForOneBody(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	first, second := asPNG(t, scene(48, 32)), asPNG(t, scene(32, 48))
	u := photos.Upload{By: "token-7", Key: "upload-1"}
	p, _ := s.put(t, u, first)
	before := s.files(t)
	for _, later := range []shelf{s, s.reopened(t)} {
		if again, replayed := later.put(t, u, first); again != p || !replayed {
			t.Errorf("got %+v, replayed %t, want %+v", again, replayed, p)
		}
		for _, body := range [][]byte{second, []byte("#!/bin/sh")} {
			if _, _, err := later.Put(t.Context(), u, bytes.NewReader(body)); !errors.Is(err, domain.ErrDifferent) {
				t.Errorf("another body: %v", err)
			}
		}
	}
	if after := s.files(t); !slices.Equal(before, after) {
		t.Errorf("doing it again left %v", after)
	}
	for _, other := range []photos.Upload{
		{By: "token-7", Key: "upload-2"}, {By: "token-8", Key: "upload-1"}, {By: "token-7"}, {By: "token", Key: "-7 upload-1"},
	} {
		if q, replayed := s.put(t, other, first); replayed || q.ID == p.ID {
			t.Errorf("%+v got the photo of another upload", other)
		}
	}
}

func TestPut_OfFiftyAtOnceOneIsKept(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	another := s.reopened(t) // as another process: they share no lock
	body := asPNG(t, scene(48, 32))
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids, fresh := map[domain.ID]int{}, 0
	for i := range 50 {
		wg.Go(func() {
			p, replayed, err := []shelf{s, another}[i%2].Put(t.Context(), photos.Upload{By: "token-7", Key: "once"}, bytes.NewReader(body))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[p.ID]++
			if !replayed {
				fresh++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || fresh != 1 {
		t.Errorf("%d photos, %d of them new, want one", len(ids), fresh)
	}
	if files := s.files(t); len(files) != 2 {
		t.Errorf("left %v, want a photo and a key", files)
	}
}

func TestPut_OfFiftyDifferentAllAreKept(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	var wg sync.WaitGroup
	for i := range 50 {
		body := asPNG(t, scene(20+i, 30))
		wg.Go(func() {
			p, _, err := s.Put(t.Context(), byTenant(), bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			full, err := s.Full(t.Context(), p.ID)
			if err != nil || p.Width != 20+i || len(full) != p.Bytes {
				t.Errorf("photo %d: %+v, %v", i, p, err)
			}
		})
	}
	wg.Wait()
}

// A draft is what a crash leaves between writing and linking.
func TestPut_SweepsOldDrafts(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	old := time.Now().Add(-25 * time.Hour)
	folders, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil || len(folders) != 257 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	for _, folder := range folders {
		for _, name := range []string{".tmp-new", ".tmp-old"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("half a pho"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(filepath.Join(folder, ".tmp-old"), old, old); err != nil {
			t.Fatal(err)
		}
	}
	s = s.reopened(t)
	if drafts := len(s.files(t)); drafts != 2*257 {
		t.Errorf("Open left %d drafts, want all", drafts)
	}
	p, _ := s.put(t, photos.Upload{By: "token-7", Key: "once"}, asPNG(t, scene(48, 32)))
	for _, folder := range []string{filepath.Dir(s.path(p.ID)), filepath.Join(s.dir, "keys")} {
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 2 || entries[0].Name() != ".tmp-new" {
			t.Errorf("%s holds %v, want the new draft and what was put; %v", folder, entries, err)
		}
	}
}
