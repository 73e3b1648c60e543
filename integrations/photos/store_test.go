package photos_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rentbook/domain"
	"rentbook/integrations/photos"
)

func TestFull_OfAnErasedPhoto(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	u := photos.Upload{By: "token-7", Key: "once"}
	p, _ := s.put(t, u, asPNG(t, scene(48, 32)))
	kept, _ := s.put(t, byTenant(), asPNG(t, scene(48, 32)))
	if err := s.vault.Destroy(t.Context(), s.keyOf(t, p.ID)); err != nil {
		t.Fatal(err)
	}
	for _, get := range []func(context.Context, domain.ID) ([]byte, error){s.Full, s.Thumb} {
		if _, err := get(t.Context(), p.ID); !errors.Is(err, photos.ErrErased) {
			t.Errorf("got %v, want ErrErased", err)
		}
		if _, err := get(t.Context(), kept.ID); err != nil {
			t.Errorf("the other photo: %v", err)
		}
	}
	if err := s.Check(t.Context(), p.ID); err != nil {
		t.Errorf("the file of an erased photo: %v", err)
	}
	if again, replayed := s.put(t, u, asPNG(t, scene(48, 32))); again != p || !replayed {
		t.Errorf("uploading it again made %+v", again)
	}
}

func TestFull_OfADamagedPhoto(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	p, _ := s.put(t, byTenant(), asPNG(t, scene(48, 32)))
	whole, err := os.ReadFile(s.path(p.ID))
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range [][]byte{nil, whole[:len(whole)-1], append(bytes.Clone(whole), 0)} {
		checkDamaged(t, s, p.ID, content)
	}
	for at := 0; at < len(whole); at += 7 {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x10
		checkDamaged(t, s, p.ID, flipped)
	}
	if err := os.WriteFile(s.path(p.ID), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), p.ID); err != nil {
		t.Errorf("put back: %v", err)
	}
}

func checkDamaged(t *testing.T, s shelf, id domain.ID, content []byte) {
	t.Helper()
	if err := os.WriteFile(s.path(id), content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, full := s.Full(t.Context(), id)
	_, thumb := s.Thumb(t.Context(), id)
	for _, err := range []error{full, thumb, s.Check(t.Context(), id)} {
		if !errors.Is(err, photos.ErrDamaged) {
			t.Errorf("got %v, want ErrDamaged", err)
		}
	}
}

// A file that has its right name, and is no photo.
func TestFull_OfAMalformedFile(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	p, _ := s.put(t, byTenant(), asPNG(t, scene(48, 32)))
	whole, err := os.ReadFile(s.path(p.ID))
	if err != nil {
		t.Fatal(err)
	}
	header := 10 + int(whole[8])<<8 + int(whole[9])
	for name, content := range map[string][]byte{
		"nothing":               {},
		"another format":        append([]byte("RBPHOTO\x02"), whole[8:]...),
		"a header cut off":      whole[:20],
		"a header of no sense":  []byte("RBPHOTO\x01\x00\x02[]"),
		"a header without key":  []byte("RBPHOTO\x01\x00\x02{}"),
		"no parts":              whole[:header],
		"a part cut off":        whole[:len(whole)-1],
		"something behind it":   append(bytes.Clone(whole), 0),
		"a part of any length":  append(bytes.Clone(whole[:header]), 0xff, 0xff, 0xff, 0xff, 1),
		"a header of any width": []byte("RBPHOTO\x01\xff\xff{}"),
	} {
		sum := sha256.Sum256(content)
		id := domain.ID(hex.EncodeToString(sum[:]))
		if err := os.WriteFile(s.path(id), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Full(t.Context(), id); !errors.Is(err, photos.ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDamaged", name, err)
		}
		if err := s.Check(t.Context(), id); err != nil {
			t.Errorf("%s hashes to its name, and yet: %v", name, err)
		}
	}
}

// What is sealed is bound to its place: a file put together from true parts opens nothing.
func TestFull_OfExchangedParts(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	p, _ := s.put(t, byTenant(), asPNG(t, scene(48, 32)))
	whole, err := os.ReadFile(s.path(p.ID))
	if err != nil {
		t.Fatal(err)
	}
	header := 10 + int(whole[8])<<8 + int(whole[9])
	length := int(whole[header+2])<<8 + int(whole[header+3]) + 4
	for name, content := range map[string][]byte{
		"parts exchanged": slices.Concat(whole[:header], whole[header+length:], whole[header:header+length]),
		"another owner":   bytes.Replace(whole, []byte("token-7"), []byte("token-8"), 1),
	} {
		sum := sha256.Sum256(content)
		id := domain.ID(hex.EncodeToString(sum[:]))
		if err := os.WriteFile(s.path(id), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Full(t.Context(), id); err == nil || errors.Is(err, photos.ErrErased) {
			t.Errorf("%s: got %v, want a failure", name, err)
		}
	}
}

func TestStore_KnowsOnlyItsPhotos(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	p, _ := s.put(t, photos.Upload{By: "token-7", Key: "once"}, asPNG(t, scene(48, 32)))
	for _, id := range []domain.ID{
		"", "x", "keys", "../../vault/master.key", domain.ID(strings.Repeat("0", 64)), domain.ID(strings.ToUpper(string(p.ID))),
		p.ID[:62], p.ID + "00", domain.ID(strings.Repeat("../", 21) + "x"),
	} {
		_, described := s.Describe(id)
		_, full := s.Full(t.Context(), id)
		_, thumb := s.Thumb(t.Context(), id)
		for _, err := range []error{described, full, thumb, s.Check(t.Context(), id)} {
			if !errors.Is(err, photos.ErrNotFound) {
				t.Errorf("%q: got %v, want ErrNotFound", id, err)
			}
		}
	}
}

func TestPut_MissesThePhotoOfItsKey(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	u := photos.Upload{By: "token-7", Key: "once"}
	body := asPNG(t, scene(48, 32))
	p, _ := s.put(t, u, body)
	if err := os.Remove(s.path(p.ID)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), u, bytes.NewReader(body)); !errors.Is(err, photos.ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

func TestOpen_NeedsAFolder(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := photos.Open(path, s.vault); err == nil {
		t.Error("a file was taken for a folder")
	}
}
