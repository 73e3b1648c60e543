package http

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html docs.css
var files embed.FS

// cspDocs lets the documentation use its one style sheet and nothing else: no script, no other
// host.
const cspDocs = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pages are written once, at start.
type pages struct{ openAPI, docs, style []byte }

func newPages(api *huma.OpenAPI) (pages, error) {
	tidy(api)
	var p pages
	var err error
	if p.openAPI, err = json.MarshalIndent(api, "", "  "); err != nil {
		return p, fmt.Errorf("describe the API: %w", err)
	}
	layout, err := template.ParseFS(files, "docs.html")
	if err != nil {
		return p, fmt.Errorf("read the layout of the documentation: %w", err)
	}
	var page bytes.Buffer
	if err := layout.Execute(&page, newDocs(api)); err != nil {
		return p, fmt.Errorf("write the documentation: %w", err)
	}
	p.docs = page.Bytes()
	p.style, err = files.ReadFile("docs.css")
	return p, err
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	servePage(w, "application/openapi+json", s.pages.openAPI)
}

func (s *Server) docs(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Security-Policy"] = []string{cspDocs}
	servePage(w, "text/html; charset=utf-8", s.pages.docs)
}

func (s *Server) docsStyle(w http.ResponseWriter, _ *http.Request) {
	servePage(w, "text/css; charset=utf-8", s.pages.style)
}

func servePage(w http.ResponseWriter, contentType string, page []byte) {
	header := w.Header()
	header["Content-Type"] = []string{contentType}
	header["Cache-Control"] = []string{"no-cache"} // nothing personal, and new with each version
	_, _ = w.Write(page)
}

// problemDocs leads from the type of a problem to what is said about problems.
func (s *Server) problemDocs(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/docs#problem-"+url.PathEscape(pathValue(r, "code")), http.StatusSeeOther)
}
