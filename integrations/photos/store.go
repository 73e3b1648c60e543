package photos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

// decodingMax is how many photos a store decodes at once, and so bounds the memory of all: 800 MiB in
// use at worst, some 100 MiB with the photos that phones take. Before the garbage collector comes the
// process may hold half as much again; GOMEMLIMIT makes it come earlier.
const decodingMax = 2

// Errors of a store. A full disk is eventstore.ErrUnavailable instead: nothing was stored, and trying
// again later may help.
var (
	ErrNotFound = &domain.Refusal{Class: domain.Unknown, Code: "photo.not-found", Reason: "there is no such photo"}
	ErrErased   = eventstore.ErrErased
	ErrDamaged  = errors.New("the stored photo is damaged: restore it from a backup")

	// ErrStorage is a disk that did not keep what it was given. The kernel may already have dropped
	// what was not written, so the store takes nothing more; the process should end and start again.
	ErrStorage = errors.New("the storage of the photos has failed")
)

// Store is a folder of sealed photos. It is safe for use by many goroutines, and several processes
// may have the same one open.
type Store struct {
	dir      string
	sealer   eventstore.Sealer
	decoding chan struct{} // whose turn it is to decode
	uploads  locks
	disk     disk
}

// Upload says who uploads, by the id of an actor, and optionally under which idempotency key. Neither
// is personal data: By is stored in clear.
type Upload struct {
	By  string
	Key string
}

// Photo is a stored photo. ID is the SHA-256 of its file, in hex; Bytes, Width and Height are those of
// the full JPEG.
type Photo struct {
	ID            domain.ID
	Bytes         int
	Width, Height int
}

// Described is a photo and who uploaded it.
type Described struct {
	Photo

	By string
}

// Open opens the store in a folder, and makes it if it is not there. It removes nothing. The folders
// below are all made here, so that no photo waits for the entry of its folder to be durable.
func Open(dir string, sealer eventstore.Sealer) (*Store, error) {
	folders := []string{keysFolder}
	for i := range 256 {
		folders = append(folders, hex.EncodeToString([]byte{byte(i)}))
	}
	if err := sqlitefile.MakeFolder(dir); err != nil {
		return nil, fmt.Errorf("open the photos: %w", err)
	}
	if err := makeFolders(dir, folders); err != nil {
		return nil, fmt.Errorf("open the photos: %w", err)
	}
	return Existing(dir, sealer), nil
}

// Existing is the store in a folder as it is, for reading: it makes nothing, not even the folder.
// Where that is not there, no photo is.
func Existing(dir string, sealer eventstore.Sealer) *Store {
	return &Store{
		dir:      dir,
		sealer:   sealer,
		decoding: make(chan struct{}, decodingMax),
		uploads:  locks{held: map[uuid.UUID]*turn{}},
		disk:     newDisk(),
	}
}

// Put stores what Normalise makes of an upload, durably before it returns. A key that this uploader
// has used before answers the photo of that time, and says so; with another body it is
// domain.ErrDifferent. When it refuses, nothing is stored. The body is read to BytesMax and held in
// memory before its turn to be decoded comes, so the caller bounds how many uploads run at once.
func (s *Store) Put(ctx context.Context, u Upload, body io.Reader) (p Photo, replayed bool, err error) {
	if _, err := domain.ParseID(u.By); err != nil {
		return Photo{}, false, domain.ErrID.In("by")
	}
	if err := s.disk.failure(); err != nil {
		return Photo{}, false, err
	}
	content, err := read(body)
	if err != nil {
		return Photo{}, false, err
	}
	if ctx.Err() != nil {
		return Photo{}, false, context.Cause(ctx)
	}
	if u.Key == "" {
		p, err = s.keep(ctx, u.By, content)
		return p, false, err
	}
	name := u.recordName()
	release, err := s.uploads.take(ctx, name)
	if err != nil {
		return Photo{}, false, fmt.Errorf("wait for the same upload: %w", err)
	}
	defer release()
	return s.once(ctx, name, u.By, content)
}

// once answers what the record says, or stores the photo and records it. Another process may be doing
// the same: whoever comes second gives up its own photo and answers the first one's.
func (s *Store) once(ctx context.Context, name uuid.UUID, by string, content []byte) (Photo, bool, error) {
	p, err := s.replay(name, content)
	if !errors.Is(err, fs.ErrNotExist) {
		return p, err == nil, err
	}
	p, err = s.keep(ctx, by, content)
	if err != nil {
		return Photo{}, false, err
	}
	err = s.remember(name, content, p.ID)
	if errors.Is(err, fs.ErrExist) {
		if err := s.discard(p.ID); err != nil {
			return Photo{}, false, err
		}
		p, err = s.replay(name, content)
		return p, err == nil, err
	}
	if err != nil {
		return Photo{}, false, err
	}
	return p, false, nil
}

// read stops one byte after what is allowed.
func read(body io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(body, BytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("read the upload: %w", err)
	}
	if len(content) > BytesMax {
		return nil, ErrTooLarge
	}
	return content, nil
}

// keep stores a photo under a key of its own, so that it can be erased alone.
func (s *Store) keep(ctx context.Context, by string, content []byte) (Photo, error) {
	img, err := s.normalise(ctx, content)
	if err != nil {
		return Photo{}, err
	}
	fresh, err := uuid.NewRandom() //nolint:forbidigo // a key is never used for a second photo, not even the same one
	if err != nil {
		return Photo{}, fmt.Errorf("name the key of a photo: %w", err)
	}
	h := header{Key: "photo-" + fresh.String(), By: by, Bytes: len(img.Full), Width: img.Width, Height: img.Height}
	if err := s.sealer.Ensure(ctx, h.Key); err != nil {
		return Photo{}, fmt.Errorf("keep the photo: %w", err)
	}
	container, err := pack(s.sealer, h, img)
	if err != nil {
		return Photo{}, fmt.Errorf("keep the photo: %w", err)
	}
	id := identify(container)
	err = s.disk.place(s.path(id), container)
	if err != nil && !errors.Is(err, fs.ErrExist) { // the same name is the same bytes
		return Photo{}, fmt.Errorf("keep the photo: %w", err)
	}
	return h.photo(id), nil
}

// normalise waits for its turn.
func (s *Store) normalise(ctx context.Context, content []byte) (Image, error) {
	select {
	case s.decoding <- struct{}{}:
	case <-ctx.Done():
		return Image{}, fmt.Errorf("wait to decode the photo: %w", context.Cause(ctx))
	}
	defer func() { <-s.decoding }()
	return Normalise(content)
}

// Describe tells what the file says in clear. It reads no more than that: Check and the pictures
// themselves notice damage.
func (s *Store) Describe(id domain.ID) (Described, error) {
	beginning, err := s.disk.read(s.path(id), headerBytesMax)
	if err != nil {
		return Described{}, s.explain(id, err)
	}
	h, _, err := cutHeader(beginning)
	if err != nil {
		return Described{}, fmt.Errorf("photo %s: %w", id, err)
	}
	return Described{Photo: h.photo(id), By: h.By}, nil
}

// Full is the photo, as a JPEG. The error wraps ErrNotFound, ErrErased when its key was destroyed, or
// ErrDamaged.
func (s *Store) Full(ctx context.Context, id domain.ID) ([]byte, error) {
	return s.open(ctx, id, partFull)
}

// Thumb is the thumbnail, as a JPEG; its errors are those of Full.
func (s *Store) Thumb(ctx context.Context, id domain.ID) ([]byte, error) {
	return s.open(ctx, id, partThumb)
}

func (s *Store) open(ctx context.Context, id domain.ID, name part) ([]byte, error) {
	container, err := s.container(ctx, id)
	if err != nil {
		return nil, err
	}
	picture, err := unpack(ctx, s.sealer, container, name)
	if err != nil {
		return nil, fmt.Errorf("photo %s: %w", id, err)
	}
	return picture, nil
}

// Check makes sure that the photo's file is there and is what was stored. It needs no key, so it holds
// for photos that were erased too.
func (s *Store) Check(ctx context.Context, id domain.ID) error {
	_, err := s.container(ctx, id)
	return err
}

func (s *Store) container(ctx context.Context, id domain.ID) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	container, err := s.disk.read(s.path(id), containerBytesMax)
	if err != nil {
		return nil, s.explain(id, err)
	}
	if identify(container) != id {
		return nil, fmt.Errorf("photo %s: %w", id, ErrDamaged)
	}
	return container, nil
}

// discard makes no promise that the photo is gone after a crash: nobody was told its id.
func (s *Store) discard(id domain.ID) error {
	if err := os.Remove(s.path(id)); err != nil {
		return fmt.Errorf("discard a photo stored twice: %w", err)
	}
	return nil
}

func (s *Store) explain(id domain.ID, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return fmt.Errorf("read photo %s: %w", id, err)
}

// path is empty, and so a file that is not there, for whatever is not the id of a photo: ids come from
// requests, and become paths here.
func (s *Store) path(id domain.ID) string {
	sum, err := hex.DecodeString(string(id))
	if err != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != string(id) {
		return ""
	}
	return filepath.Join(s.dir, string(id[:2]), string(id))
}

func identify(container []byte) domain.ID {
	sum := sha256.Sum256(container)
	return domain.ID(hex.EncodeToString(sum[:]))
}

// locks let one upload of a name go at a time.
type locks struct {
	mu   sync.Mutex
	held map[uuid.UUID]*turn
}

type turn struct {
	taken chan struct{}
	users int // who has it or waits for it; of the locks' mutex
}

func (l *locks) take(ctx context.Context, name uuid.UUID) (release func(), err error) {
	l.mu.Lock()
	t := l.held[name]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		l.held[name] = t
	}
	t.users++
	l.mu.Unlock()
	select {
	case t.taken <- struct{}{}:
		return func() { <-t.taken; l.leave(name, t) }, nil
	case <-ctx.Done():
		l.leave(name, t)
		return nil, context.Cause(ctx)
	}
}

func (l *locks) leave(name uuid.UUID, t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(l.held, name)
	}
}
