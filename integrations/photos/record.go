package photos

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/google/uuid"

	"rentbook/domain"
)

const (
	keysFolder     = "keys"
	recordBytesMax = 1 << 10
)

// record is what an idempotency key was used for. The body is kept as a digest with a salt, which
// says whether the same one has come again, and does not say which records hold the same photo.
type record struct {
	Photo  domain.ID `json:"photo"`
	Salt   []byte    `json:"salt"`
	Digest []byte    `json:"digest"`
}

// recordName follows from the uploader and the key, so that nobody meets the keys of others. The
// length keeps two pairs apart that read the same when joined.
func (u Upload) recordName() uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("rentbook photo "+strconv.Itoa(len(u.By))+" "+u.By+" "+u.Key))
}

func (s *Store) recordPath(name uuid.UUID) string {
	return filepath.Join(s.dir, keysFolder, name.String())
}

// remember records which photo was stored, once that is durable. The error wraps fs.ErrExist if
// another process was first.
func (s *Store) remember(name uuid.UUID, content []byte, id domain.ID) error {
	r := record{Photo: id, Salt: make([]byte, sha256.Size)}
	_, _ = rand.Read(r.Salt) // ends the program rather than fail
	r.Digest = digest(r.Salt, content)
	encoded, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record the upload: %w", err)
	}
	if err := s.disk.place(s.recordPath(name), encoded); err != nil {
		return fmt.Errorf("record the upload: %w", err)
	}
	return nil
}

// replay finds the photo of an upload that has come before. The error wraps fs.ErrNotExist if none
// has.
func (s *Store) replay(name uuid.UUID, content []byte) (Photo, error) {
	path := s.recordPath(name)
	encoded, err := s.disk.read(path, recordBytesMax)
	if err != nil {
		return Photo{}, fmt.Errorf("read the record of the upload: %w", err)
	}
	var r record
	if err := json.Unmarshal(encoded, &r); err != nil {
		return Photo{}, fmt.Errorf("the record of the upload, keys/%s: %w", name, ErrDamaged)
	}
	if !hmac.Equal(r.Digest, digest(r.Salt, content)) {
		return Photo{}, domain.ErrDifferent
	}
	known, err := s.Describe(r.Photo)
	if errors.Is(err, ErrNotFound) {
		return Photo{}, fmt.Errorf("photo %s was stored and is not there: %w", r.Photo, ErrDamaged)
	}
	if err != nil {
		return Photo{}, err
	}
	// Whoever wrote the record may not have come to that.
	if err := s.disk.syncFolder(filepath.Dir(path)); err != nil {
		return Photo{}, err
	}
	return known.Photo, nil
}

func digest(salt, content []byte) []byte {
	sum := hmac.New(sha256.New, salt)
	_, _ = sum.Write(content) // never fails
	return sum.Sum(nil)
}
