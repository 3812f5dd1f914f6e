package signaling

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed openapi.json
var openAPIDoc []byte

// openAPI serves the description of the REST interface.
func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(openAPIDoc))
}

// pages serves the built pages from memory, compressed once.
type pages struct {
	files map[string]page
	csp   map[bool]string // whether the page may be framed
}

type page struct {
	plain, packed []byte
	mime, etag    string
	immutable     bool
}

// routesToPages are the addresses of pages; each keeps its own history below itself.
var routesToPages = map[string]string{"/": "index.html", "/console": "console.html", "/evidence": "evidence.html"}

func newPages(dir fs.FS, cfg Config) (*pages, error) {
	p := &pages{files: map[string]page{}}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		f := page{
			plain: raw, mime: mimeOf(name), etag: `"` + hex.EncodeToString(sum[:8]) + `"`, immutable: strings.HasPrefix(name, "assets/"),
		}
		if compressible(f.mime) {
			if f.packed, err = pack(raw); err != nil {
				return err
			}
		}
		p.files[name] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	const policy = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; media-src 'self' blob:; " +
		"worker-src 'self' blob:; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors "
	frames := "'none'"
	if len(cfg.FrameAncestors) > 0 {
		frames = strings.Join(cfg.FrameAncestors, " ")
	}
	p.csp = map[bool]string{false: policy + "'none'", true: policy + frames}
	return p, nil
}

func mimeOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func compressible(t string) bool {
	return strings.HasPrefix(t, "text/") || strings.Contains(t, "json") || strings.Contains(t, "svg") || strings.Contains(t, "javascript")
}

func pack(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(raw); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ServeHTTP serves a page or a file of the pages.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	for prefix, file := range routesToPages {
		if r.URL.Path == prefix || prefix != "/" && strings.HasPrefix(r.URL.Path, prefix+"/") {
			name = file
		}
	}
	f, ok := p.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.mime)
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.HasPrefix(f.mime, "text/html") {
		h.Set("Content-Security-Policy", p.csp[name == "index.html"])
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(self)")
	}
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	out := f.plain
	if f.packed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		out = f.packed
	}
	h.Set("Content-Length", fmt.Sprint(len(out)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(out)
	}
}
