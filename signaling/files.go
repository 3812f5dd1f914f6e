package signaling

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/photo"
	"jedel/signaling/wire"
)

// sender finds out who uses a call's files: staff by session, a caller by their client's key.
func (s *Server) sender(r *http.Request) (Who, error) {
	if id, key := r.Header.Get("X-Client"), r.Header.Get("X-Client-Key"); id != "" {
		if !s.hub.proves(id, key) {
			return Who{}, fault.New(fault.NotSignedIn, "files", nil)
		}
		return Who{Role: wire.RoleCaller, Client: ident.ClientID(id)}, nil
	}
	who, err := s.staffWho(r.Context(), r)
	if err == nil && !access.May(who.Roles, access.ReadOwn) {
		err = fault.New(fault.Forbidden, "files", nil)
	}
	return who, err
}

// fileCall checks that the sender has a part in the call of the path.
func (s *Server) fileCall(r *http.Request) (Who, ident.CallID, int, error) {
	who, err := s.sender(r)
	if err != nil {
		return who, "", 0, err
	}
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil {
		return who, "", 0, fault.New(fault.NoSuchCall, "files", err)
	}
	n, err := s.files.MayUse(r.Context(), who, call)
	return who, call, n, err
}

// putFile takes a picture. It is told from everything else by decoding it, kept bit by bit, and
// never served inline.
func (s *Server) putFile(w http.ResponseWriter, r *http.Request) {
	s.paces.pacedFile(w, r)
	ref, err := s.takeFile(r)
	if err != nil {
		s.failFile(w, r, err)
		return
	}
	s.answer(w, http.StatusCreated, ref)
}

// failFile is fail for files, of which too many may be under way.
func (s *Server) failFile(w http.ResponseWriter, r *http.Request, err error) {
	if fault.CodeOf(err) == fault.RateLimited {
		w.Header().Set("Retry-After", strconv.Itoa(holdRetry))
	}
	s.fail(w, r, err)
}

func (s *Server) takeFile(r *http.Request) (wire.FileRef, error) {
	const op = "files.put"
	who, call, have, err := s.fileCall(r)
	if err != nil {
		return wire.FileRef{}, err
	}
	if have >= maxFiles {
		return wire.FileRef{}, fault.New(fault.TooMany, op, nil)
	}
	size := r.ContentLength
	if size < 0 {
		size = maxPhoto
	}
	if size > maxPhoto {
		return wire.FileRef{}, fault.New(fault.TooLarge, op, nil)
	}
	nth, done, err := s.uploads.begin(op, call, size)
	if err != nil {
		return wire.FileRef{}, err
	}
	defer done()
	// Counted again now that this one has its place: what was kept meanwhile is among them.
	if have, err = s.files.MayUse(r.Context(), who, call); err != nil {
		return wire.FileRef{}, err
	}
	if have+nth > maxFiles {
		return wire.FileRef{}, fault.New(fault.TooMany, op, nil)
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxPhoto+1))
	if err != nil {
		return wire.FileRef{}, fault.New(fault.BadFile, op, err)
	}
	if len(raw) > maxPhoto {
		return wire.FileRef{}, fault.New(fault.TooLarge, op, nil)
	}
	small, info, err := s.gallery.draw(r.Context(), raw)
	if err != nil {
		return wire.FileRef{}, refused(op, err)
	}
	sum := sha256.Sum256(raw)
	ref, err := s.files.Put(r.Context(), who, call, wire.FileRef{
		File: ident.New[string](), Mime: info.Mime, Name: fileName(r.Header.Get("X-File-Name"), info.Mime), Bytes: int64(len(raw)),
		Width: info.Width, Height: info.Height, SHA256: hex.EncodeToString(sum[:]),
	}, raw)
	if err == nil {
		s.gallery.keep(pictureID{call, ident.FileID(ref.File)}, small)
	}
	return ref, err
}

// refused gives what is wrong with a picture its code.
func refused(op string, err error) error {
	switch {
	case errors.Is(err, photo.ErrNotPicture):
		return fault.New(fault.BadFile, op, err)
	case errors.Is(err, photo.ErrTooLarge):
		return fault.New(fault.TooLarge, op, err)
	}
	return fault.New(fault.Unavailable, op, err)
}

// fileName keeps what a person would recognise of a name, with the ending of the content.
func fileName(header, mimeType string) string {
	name, err := url.PathUnescape(header)
	if err != nil || wire.Text("name", name, wire.MaxName) != nil {
		name = ""
	}
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	if name == "" || name == "." || name == "/" {
		name = "photo"
	}
	return name + map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}[mimeType]
}

// fileOf checks that the sender has a part in the call of the path, which names a file.
func (s *Server) fileOf(r *http.Request) (pictureID, error) {
	_, call, _, err := s.fileCall(r)
	if err != nil {
		return pictureID{}, err
	}
	file, err := ident.Parse[ident.FileID](r.PathValue("file"))
	if err != nil {
		return pictureID{}, fault.New(fault.NoSuchFile, "files.get", err)
	}
	return pictureID{call, file}, nil
}

// getFile serves an original as a download from a sandbox.
func (s *Server) getFile(w http.ResponseWriter, r *http.Request) {
	id, err := s.fileOf(r)
	var ref wire.FileRef
	var raw []byte
	if err == nil {
		ref, raw, err = s.readFile(r.Context(), id)
	}
	var done func()
	if err == nil {
		_, done, err = s.downloads.begin("files.get", id.call, int64(len(raw)))
	}
	if err != nil {
		s.failFile(w, r, err)
		return
	}
	defer done()
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": ref.Name}))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	h.Set("Cache-Control", "private, max-age=3600")
	_, _ = w.Write(raw)
}

// readFile reads an original whole; its archive checks it before a byte of it is served.
func (s *Server) readFile(ctx context.Context, id pictureID) (wire.FileRef, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	case <-ctx.Done():
		return wire.FileRef{}, nil, fault.New(fault.Unavailable, "files.get", ctx.Err())
	}
	var b bytes.Buffer
	ref, err := s.files.Get(ctx, id.call, id.file, &b)
	return ref, b.Bytes(), err
}

// getPreview serves the picture as we drew it.
func (s *Server) getPreview(w http.ResponseWriter, r *http.Request) {
	id, err := s.fileOf(r)
	var small []byte
	if err == nil {
		small, err = s.gallery.show(r.Context(), id, func() (io.Reader, error) {
			_, raw, err := s.readFile(r.Context(), id)
			return bytes.NewReader(raw), err
		})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "private, max-age=3600")
	_, _ = w.Write(small)
}
