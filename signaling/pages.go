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
	"strconv"
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
	files  map[string]page
	frames string // who may frame the caller page
}

type page struct {
	plain, packed []byte
	mime, etag    string
	immutable     bool
}

// tipFolder has the page of anonymous tips. It is served by its own listener alone.
const tipFolder = "tip"

// routesToPages are the addresses of pages; each keeps its own history below itself.
var routesToPages = map[string]string{"/": "index.html", "/console": "console.html", "/evidence": "evidence.html", "/admin": "admin.html", "/patrol": "patrol.html"}

func newPages(dir fs.FS, cfg Config) (*pages, error) {
	p := &pages{files: map[string]page{}}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && name == tipFolder {
			return fs.SkipDir
		}
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
	p.frames = "'none'"
	if len(cfg.FrameAncestors) > 0 {
		p.frames = strings.Join(cfg.FrameAncestors, " ")
	}
	return p, nil
}

// policy is the Content-Security-Policy of a page.
func (p *pages) policy(r *http.Request, framed bool) string {
	frames := "'none'"
	if framed {
		frames = p.frames
	}
	return "default-src 'self'; connect-src 'self'" + socketSource(r) + "; img-src 'self' blob: data:; media-src 'self' blob:; " +
		"worker-src 'self' blob:; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors " + frames
}

// socketSource names our own sockets for browsers whose 'self' means http only (Safari before
// 15.4): those of the host that the page was asked from, encrypted ones alone where the page is. A
// host that is not plainly one is not named: the header is the sender's, and the policy is a list.
func socketSource(r *http.Request) string {
	if !plainHost(r.Host) {
		return ""
	}
	if r.TLS != nil {
		return " wss://" + r.Host
	}
	return " ws://" + r.Host + " wss://" + r.Host // a proxy may have taken the encryption off
}

// plainHost takes what a source in a policy may name (CSP level 3 section 2.3.1): a name or an
// IPv4 address, with or without a port.
func plainHost(host string) bool {
	name, port, ported := strings.Cut(host, ":")
	if ported {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strings.Trim(port, "0123456789") != "" {
			return false
		}
	}
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
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
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
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
		h.Set("Content-Security-Policy", p.policy(r, name == "index.html"))
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
