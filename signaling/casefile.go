package signaling

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strconv"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// caseFileOf opens the file that a path names, having written down who reads it.
func (s *Server) caseFileOf(r *http.Request, who Who, op string) (pictureID, CaseFile, func(io.Writer) error, error) {
	id, err := pathCase(r)
	if err != nil {
		return pictureID{}, CaseFile{}, nil, err
	}
	recording, err := ident.Parse[ident.CallID](r.PathValue("recording"))
	if err != nil {
		return pictureID{}, CaseFile{}, nil, fault.New(fault.NoSuchFile, op, err)
	}
	file, err := ident.Parse[ident.FileID](r.PathValue("file"))
	if err != nil {
		return pictureID{}, CaseFile{}, nil, fault.New(fault.NoSuchFile, op, err)
	}
	if err := s.probes.Audit(r.Context(), who, op, string(recording), string(file)); err != nil {
		return pictureID{}, CaseFile{}, nil, err
	}
	ref, write, err := s.dispatch.File(r.Context(), who, id, recording, file)
	return pictureID{recording, file}, ref, write, err
}

// caseFile serves an original as a download from a sandbox, never inline.
func (s *Server) caseFile(w http.ResponseWriter, r *http.Request, who Who) error {
	_, ref, write, err := s.caseFileOf(r, who, "case.file")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": ref.Name}))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(ref.Bytes, 10))
	h.Set("Cache-Control", "private, no-store")
	out := &counted{Writer: w}
	err = write(out)
	if err != nil && out.n == 0 {
		for _, key := range []string{"Content-Disposition", "Content-Length"} {
			h.Del(key)
		}
		return err
	}
	if err != nil {
		s.log.Warn("a file of a case broke off", "recording", r.PathValue("recording"), "err", err)
		panic(http.ErrAbortHandler) // nobody takes half a file for the whole
	}
	return nil
}

// counted knows whether anything was written.
type counted struct {
	io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

// casePreview serves a photo of a case as we drew it.
func (s *Server) casePreview(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "case.preview"
	id, ref, write, err := s.caseFileOf(r, who, op)
	if err != nil {
		return err
	}
	if !ref.Preview {
		return fault.Newf(fault.NoPreview, op, "%s", ref.Mime)
	}
	small, err := s.gallery.show(r.Context(), id, func() (io.Reader, error) {
		var raw bytes.Buffer
		err := write(&raw)
		return &raw, err
	})
	if fault.CodeOf(err) == fault.BadFile { // it was taken as it came, and cannot be drawn
		return fault.New(fault.NoPreview, op, err)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "private, max-age=3600")
	_, _ = w.Write(small)
	return nil
}
