//nolint:misspell // image/color is not ours to spell
package http_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bomb is a PNG of a few kB that says it is 10,000 by 10,000 pixels.
func bomb(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		check(t, binary.Write(&out, binary.BigEndian, uint32(len(data))))
		body := append([]byte(kind), data...)
		out.Write(body)
		check(t, binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body)))
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 10_000), 10_000)
	chunk("IHDR", append(header, 1, 0, 0, 0, 0))
	var pixels bytes.Buffer
	w := zlib.NewWriter(&pixels)
	must(w.Write(make([]byte, 1_251*10_000)))(t)
	check(t, w.Close())
	chunk("IDAT", pixels.Bytes())
	chunk("IEND", nil)
	return out.String()
}

// withEXIF is a photo that says where it was taken, in words.
func withEXIF(photo, canary string) string {
	segment := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00" + canary
	length := len(segment) + 2
	return photo[:2] + "\xff\xe1" + string([]byte{byte(length >> 8), byte(length)}) + segment + photo[2:]
}

func (p *portal) photoFiles() []string {
	p.t.Helper()
	var names []string
	check(p.t, filepath.WalkDir(p.folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	}))
	return names
}

func TestPhotos_that_are_refused(t *testing.T) {
	t.Parallel()
	p := estate(t)
	p.photo("tenant", color.White)
	before := p.photoFiles()
	good := photograph(t, color.Black)
	large := strings.Repeat("x", 12<<20+1)
	for _, row := range []struct {
		name, body, kind string
		status           int
	}{
		{"a bomb", bomb(t), "photo.too-many-pixels", 422},
		{"a script", "#!/bin/sh\nrm -rf /\n", "photo.type", 422},
		{"a page", "<script>alert(1)</script>", "photo.type", 422},
		{"half of a photo", good[:len(good)/2], "photo.truncated", 422},
		{"HEIC", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + strings.Repeat("\x00", 64), "photo.heic", 422},
		{"nothing", "", "photo.truncated", 422},
		{"too much", large, "too-large", 413},
	} {
		got := p.refused(row.status, row.kind, p.ask("tenant", http.MethodPost, "/photos", row.body, "Content-Type: image/jpeg", "Idempotency-Key: "+row.kind))
		if row.kind == "photo.heic" && !strings.Contains(got.Errors[0].Message, "Most Compatible") {
			t.Errorf("no advice: %+v", got)
		}
	}
	for name, body := range map[string]io.Reader{
		"too-large": strings.NewReader(large), "malformed": io.MultiReader(strings.NewReader(good[:50]), cutOff{}),
	} { // in pieces, of a length that nobody says
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/photos", body)
		r.ContentLength = -1
		r.Header.Set("Authorization", "Bearer "+p.tokens["tenant"])
		w := httptest.NewRecorder()
		p.server.ServeHTTP(w, r)
		got := problemOf(t, answer{w.Code, w.Header(), w.Body.String()})
		if got.Type != "/problems/"+name || got.Status >= http.StatusInternalServerError || w.Header().Get("Connection") != "close" {
			t.Errorf("%s in pieces: %d %s %v", name, w.Code, w.Body, w.Header())
		}
	}
	same(t, "what is stored", p.photoFiles(), before)
	p.want(http.StatusForbidden, p.ask("auditor", http.MethodPost, "/photos", good, "Content-Type: image/jpeg"))
	p.want(http.StatusBadRequest, p.ask("tenant", http.MethodPost, "/photos", good, "Idempotency-Key: a b"))
}

// cutOff is a body that breaks off.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestPhotos_are_uploaded_once(t *testing.T) {
	t.Parallel()
	p := estate(t)
	send := func(who, body string) answer {
		return p.ask(who, http.MethodPost, "/photos", body, "Content-Type: image/jpeg", "Idempotency-Key: K1")
	}
	red, blue := photograph(t, color.RGBA{R: 255, A: 255}), photograph(t, color.RGBA{B: 255, A: 255})
	first := p.want(http.StatusCreated, send("tenant", red))
	again := p.want(http.StatusCreated, send("tenant", red))
	same(t, "again", again.Body, first.Body)
	same(t, "replayed", []string{first.Header.Get("Idempotent-Replayed"), again.Header.Get("Idempotent-Replayed")}, []string{"", "true"})
	p.refused(http.StatusConflict, "different", send("tenant", blue))
	if other := p.want(http.StatusCreated, send("neighbour", red)); other.Body == first.Body {
		t.Error("two tenants have one photo")
	}
}

func TestPhotos_are_for_who_may_see_the_repair(t *testing.T) {
	t.Parallel()
	p := estate(t)
	const canary = "CANARY-53.2307N-0.5406W"
	sent := withEXIF(photograph(t, color.RGBA{G: 255, A: 255}), canary)
	id := decoded[struct{ Photo string }](t, p.want(http.StatusCreated, p.ask("tenant", http.MethodPost, "/photos", sent)).Body).Photo
	link := `{"action":"note","note":"x","photos":["` + id + `"]}`
	p.report("neighbour", "R2", otherSink)
	p.refused(http.StatusConflict, "unknown-reference", p.act("neighbour", "R2", "A1", link))
	none := p.act("neighbour", "R2", "A1", strings.Replace(link, id, strings.Repeat("0", 64), 1))
	same(t, "a photo of somebody else and none", p.act("neighbour", "R2", "A1", link).Body, none.Body)

	p.report("tenant", "R1", strings.Replace(brokenSink, `{`, `{"photos":["`+id+`"],`, 1))
	for _, who := range []string{"tenant", "plumber", "manager", "auditor"} {
		full := p.want(http.StatusOK, p.get(who, "/photos/"+id))
		thumb := p.want(http.StatusOK, p.get(who, "/photos/"+id+"?size=thumb"))
		for _, got := range []answer{full, thumb} {
			if strings.Contains(got.Body, canary) || strings.Contains(got.Body, "Exif") || got.Header.Get("Content-Type") != "image/jpeg" {
				t.Errorf("%s gets %.40q as %s", who, got.Body, got.Header.Get("Content-Type"))
			}
			picture := must(jpeg.Decode(strings.NewReader(got.Body)))(t)
			same(t, "its size", picture.Bounds(), image.Rect(0, 0, 64, 48))
		}
	}
	for _, who := range []string{"neighbour", "electrician", "contractor"} {
		got := p.want(http.StatusNotFound, p.get(who, "/photos/"+id))
		same(t, who+" learns of it", got.Body, p.get(who, "/photos/"+strings.Repeat("0", 64)).Body)
	}
	for _, path := range p.photoFiles() {
		if strings.Contains(path, canary) {
			t.Errorf("a file is called %s", path)
		}
	}
	if strings.Contains(p.logged.String(), id) {
		t.Error("the log names a photo")
	}
	p.want(http.StatusUnprocessableEntity, p.get("tenant", "/photos/"+id+"?size=huge"))
}

// slow is a body that begins, and goes on when it is told to.
type slow struct{ began, goesOn chan struct{} }

func (s slow) Read([]byte) (int, error) {
	s.began <- struct{}{}
	<-s.goesOn
	return 0, io.EOF
}

func TestPhotos_are_not_all_held_at_once(t *testing.T) {
	t.Parallel()
	p := estate(t)
	body := slow{make(chan struct{}), make(chan struct{})}
	var running sync.WaitGroup
	for range 16 {
		running.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/photos", body)
			r.Header.Set("Authorization", "Bearer "+p.tokens["tenant"])
			p.server.ServeHTTP(httptest.NewRecorder(), r)
		})
		<-body.began
	}
	got := p.ask("neighbour", http.MethodPost, "/photos", photograph(t, color.White))
	p.refused(http.StatusServiceUnavailable, "too-many-uploads", got)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no word of when to come back")
	}
	close(body.goesOn)
	running.Wait()
	p.photo("neighbour", color.White)
}
