package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	nethttp "net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rentbook/eventstore/vault"
)

// photographed is a place whose repair R1 and hazard HZ1 name a photo each, and both a third one.
func photographed(t *testing.T) (p place, ofRepair, ofHazard, ofBoth string) {
	t.Helper()
	p = files(t)
	p.must("import", portfolioFolder())
	t.Run("a repair and a hazard", func(t *testing.T) { // whose end is that of the server
		s := startServer(place{t: t, dir: p.dir})
		ofRepair, ofHazard, ofBoth = s.photo(8), s.photo(16), s.photo(24)
		s.put("/api/v1/repairs/R1", map[string]any{
			"tenancy": "A-weekly", "path": []string{"kitchen", "sink", "taps"}, "answers": map[string]string{"what": "drips"},
			"description": "The tap drips all night.", "photos": []string{ofRepair, ofBoth},
		})
		s.put("/api/v1/hazards/HZ1", map[string]any{"tenancy": "A-weekly", "kind": "damp_mould", "grade": "significant", "channel": "call"})
		s.put("/api/v1/hazards/HZ1/actions/E1", map[string]any{"action": "evidence", "photos": []string{ofHazard, ofBoth}})
	})
	return p, ofRepair, ofHazard, ofBoth
}

// photo uploads a picture of so many pixels a side.
func (s server) photo(side int) string {
	s.t.Helper()
	var body bytes.Buffer
	if err := png.Encode(&body, image.NewRGBA(image.Rect(0, 0, side, side))); err != nil {
		s.t.Fatal(err)
	}
	request, err := nethttp.NewRequestWithContext(s.t.Context(), nethttp.MethodPost, s.url+"/api/v1/photos", &body)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", "image/png")
	response, err := nethttp.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var said struct{ Photo string }
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil || said.Photo == "" {
		s.t.Fatalf("POST /photos: %s, %v", response.Status, err)
	}
	return said.Photo
}

// photoFile is where a photo is, without servers.
func (p place) photoFile(photo string) string {
	return filepath.Join(p.dir, "photos", photo[:2], photo)
}

func TestVerify_ChecksThePhotosThatAreNamed(t *testing.T) {
	t.Parallel()
	p, ofRepair, ofHazard, ofBoth := photographed(t)
	sound := func(args ...string) {
		t.Helper()
		if out := p.must(append([]string{"verify"}, args...)...); !strings.Contains(out, "1 repairs, 1 hazards, 3 photos\nlog and views agree") {
			t.Errorf("verify said %q", out)
		}
	}
	wrong := func(words ...string) {
		t.Helper()
		code, out, stderr := rentbook(t, p.args("verify")...)
		for _, word := range words {
			if !strings.Contains(stderr, word) {
				t.Errorf("%q is not in %q", word, stderr)
			}
		}
		if code != exitRefused || strings.Contains(out, "agree") {
			t.Errorf("exit %d, want 1: %q", code, out)
		}
	}
	sound()
	for photo, by := range map[string]string{ofRepair: "repair R1: ", ofHazard: "hazard HZ1: ", ofBoth: "repair R1: "} {
		whole, err := os.ReadFile(p.photoFile(photo))
		if err != nil {
			t.Fatal(err)
		}
		damaged := slices.Clone(whole)
		damaged[len(damaged)/2] ^= 1
		p.keep(photo, damaged)
		wrong(by, photo, "damaged")
		if err := os.Remove(p.photoFile(photo)); err != nil {
			t.Fatal(err)
		}
		wrong(by, photo, "is not in "+filepath.Join(p.dir, "photos"))
		p.keep(photo, whole)
	}

	elsewhere := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(filepath.Join(p.dir, "photos"), elsewhere); err != nil {
		t.Fatal(err)
	}
	wrong(": name its folder with --photos")
	if p.has("photos") {
		t.Error("verify made a folder")
	}
	sound("--photos", elsewhere)
	named := program(t.Context(), p.args("verify")...)
	named.Env = append(named.Env, "RENTBOOK_PHOTOS="+elsewhere)
	if out, err := named.CombinedOutput(); err != nil || !strings.Contains(string(out), "3 photos") {
		t.Errorf("with RENTBOOK_PHOTOS: %v, %s", err, out)
	}
}

func (p place) keep(photo string, content []byte) {
	p.t.Helper()
	if err := os.WriteFile(p.photoFile(photo), content, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// What is erased is the key of a photo; its file can be checked all the same.
func TestVerify_PassesErasedPhotos(t *testing.T) {
	t.Parallel()
	p, photo, _, _ := photographed(t)
	content, err := os.ReadFile(p.photoFile(photo))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Open(t.Context(), p.dir, vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(content, []byte("photo-"))
	if err := keys.Destroy(t.Context(), string(content[at:at+len("photo-")+36])); err != nil {
		t.Fatal(err)
	}
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	if out := p.must("verify"); !strings.Contains(out, "3 photos\nlog and views agree") {
		t.Errorf("verify said %q", out)
	}
}

func TestVerify_WantsNoFolderWhereNoPhotoIsNamed(t *testing.T) {
	t.Parallel()
	p := files(t)
	p.must("import", portfolioFolder())
	if out := p.must("verify"); !strings.Contains(out, "0 repairs, 0 hazards, 0 photos\nlog and views agree") {
		t.Errorf("verify said %q", out)
	}
	if p.has("photos") {
		t.Error("verify made a folder")
	}
}
