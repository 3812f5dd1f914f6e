// Package tus speaks tus 1.0.0, the protocol of resumable uploads, for files that are known before their
// first byte: their names and sizes are declared, so that creating is only asking where they are. Headers,
// offsets, locks and interrupted connections are the work of tusd; who may send what, and where it goes, is
// not decided here.
package tus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"jedel/internal/fault"

	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	exp "golang.org/x/exp/slog"
)

// Version is the version of the protocol.
const Version = "1.0.0"

// File is a declared file that somebody who may is sending. Its methods are called by one request at a time.
type File interface {
	// Look returns how many bytes are here and how many there will be. It refuses where no more are taken.
	Look(ctx context.Context) (offset, size int64, err error)
	// Append adds what comes, durably, and returns how much that was. A source that breaks off is no error.
	Append(ctx context.Context, offset int64, from io.Reader) (int64, error)
	// Finish takes the whole file where it belongs. It is called when the last byte has come.
	Finish(ctx context.Context) error
}

const (
	// networkTime is tusd's bound of one read; the edge's own pace is narrower.
	networkTime = 2 * time.Minute
	// lockTime is how long a request waits for another one of the same file that it has asked to end.
	lockTime = 15 * time.Second
	// wrapTime is what a store may use after its connection has ended.
	wrapTime = 5 * time.Second
)

// ErrBrokenOff means that a sender's connection ended, or that a newer one took its place. It is no fault of
// ours, and the sender goes on.
var ErrBrokenOff = errors.New("the sender broke off")

// Handler answers requests. Make it with New.
type Handler struct {
	base string
	tusd *handler.UnroutedHandler
}

// New returns a handler whose files stand below the path base.
func New(base string) (*Handler, error) {
	parts := handler.NewStoreComposer()
	parts.UseCore(store{})
	parts.UseLocker(memorylocker.New())
	tusd, err := handler.NewUnroutedHandler(handler.Config{
		StoreComposer: parts, BasePath: base, Cors: &handler.CorsConfig{Disable: true}, DisableDownload: true, DisableTermination: true,
		Logger:         exp.New(exp.NewTextHandler(io.Discard, nil)), // it writes down addresses
		NetworkTimeout: networkTime, AcquireLockTimeout: lockTime, GracefulRequestCompletionTimeout: wrapTime,
	})
	if err != nil {
		return nil, fmt.Errorf("tus: %w", err)
	}
	return &Handler{base, tusd}, nil
}

// Metadata reads what a creation says of its file.
func Metadata(r *http.Request) map[string]string {
	return handler.ParseMetadataHeader(r.Header.Get("Upload-Metadata"))
}

// Options tells what is spoken here.
func (h *Handler) Options(w http.ResponseWriter, maxSize int64) {
	hd := w.Header()
	hd.Set("Tus-Resumable", Version)
	hd.Set("Tus-Version", Version)
	hd.Set("Tus-Extension", "creation,creation-with-upload")
	hd.Set("Tus-Max-Size", fmt.Sprint(maxSize))
	w.WriteHeader(http.StatusNoContent)
}

// Serve answers a POST, HEAD or PATCH for a file; id is its name in addresses. What it refuses it returns,
// and nothing has been answered.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, id string, f File) error {
	s := &sending{file: f, id: id, post: r.Method == http.MethodPost}
	r = r.WithContext(context.WithValue(r.Context(), sendingKey{}, s))
	out := &answer{ResponseWriter: w, ctl: http.NewResponseController(w), location: h.base + id}
	r.Body = &content{ReadCloser: r.Body, answer: out}
	var serve http.HandlerFunc
	switch r.Method {
	case http.MethodPost:
		serve = h.tusd.PostFile
	case http.MethodHead:
		serve = h.tusd.HeadFile
	default:
		serve = h.tusd.PatchFile
	}
	h.tusd.Middleware(serve).ServeHTTP(out, r)
	if !out.refused {
		return nil
	}
	if s.err != nil {
		return s.err
	}
	return refusal(out)
}

// sendingKey finds the file of a request in its context, which is all that tusd hands on.
type sendingKey struct{}

// sending is one request for a file. It implements handler.Upload.
type sending struct {
	file File
	id   string
	post bool
	err  error // what the file refused
}

func (s *sending) keep(err error) error {
	if err != nil {
		s.err = err
	}
	return err
}

// GetInfo implements handler.Upload.
func (s *sending) GetInfo(ctx context.Context) (handler.FileInfo, error) {
	offset, size, err := s.file.Look(ctx)
	return handler.FileInfo{ID: s.id, Size: size, Offset: offset}, s.keep(err)
}

// WriteChunk implements handler.Upload. Content that comes with a creation begins at 0, as its sender believes.
func (s *sending) WriteChunk(ctx context.Context, offset int64, from io.Reader) (int64, error) {
	if s.post && offset > 0 {
		return 0, s.keep(fault.New(fault.WrongOffset, "upload", nil))
	}
	n, err := s.file.Append(ctx, offset, from)
	return n, s.keep(err)
}

// GetReader implements handler.Upload: files are not given out here.
func (s *sending) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, s.keep(fault.New(fault.Forbidden, "upload", nil))
}

// FinishUpload implements handler.Upload. What has come whole is finished, whoever hung up.
func (s *sending) FinishUpload(ctx context.Context) error {
	return s.keep(s.file.Finish(context.WithoutCancel(ctx)))
}

// store implements handler.DataStore: the file of a request is in its context.
type store struct{}

// NewUpload implements handler.DataStore. The size that is said must be the declared one.
func (store) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	s, _ := ctx.Value(sendingKey{}).(*sending)
	if s == nil {
		return nil, handler.ErrNotFound
	}
	_, size, err := s.file.Look(ctx)
	if err == nil && size != info.Size {
		err = fault.Newf(fault.NotAsDeclared, "upload", "%d bytes, declared %d", info.Size, size)
	}
	return s, s.keep(err)
}

// GetUpload implements handler.DataStore.
func (store) GetUpload(ctx context.Context, _ string) (handler.Upload, error) {
	s, _ := ctx.Value(sendingKey{}).(*sending)
	if s == nil {
		return nil, handler.ErrNotFound
	}
	return s, nil
}

// answer holds back refusals, which are answered as everywhere in the API, and deadlines that come too late.
type answer struct {
	http.ResponseWriter
	ctl      *http.ResponseController
	ended    atomic.Bool // the content has been read to its end
	location string
	begun    bool
	refused  bool
	status   int
	text     bytes.Buffer
}

// Unwrap serves http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// SetReadDeadline serves http.ResponseController. tusd ends the reading of a request that another one
// interrupts; once the content is read that would end the connection's next request instead.
func (a *answer) SetReadDeadline(at time.Time) error {
	if a.ended.Load() {
		return nil
	}
	return a.ctl.SetReadDeadline(at)
}

// content notes when it has been read to its end.
type content struct {
	io.ReadCloser
	answer *answer
}

// Read implements io.Reader.
func (c *content) Read(to []byte) (int, error) {
	n, err := c.ReadCloser.Read(to)
	if errors.Is(err, io.EOF) {
		c.answer.ended.Store(true)
	}
	return n, err
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.begun {
		return
	}
	a.begun, a.status = true, status
	h := a.Header()
	if status >= http.StatusBadRequest {
		a.refused = true
		for _, key := range []string{"Content-Type", "Content-Length", "Location"} {
			h.Del(key)
		}
		return
	}
	if h.Get("Location") != "" {
		h.Set("Location", a.location) // tusd guesses the host and the scheme, which a proxy may have changed
	}
	if status == http.StatusOK { // of HEAD: the length of the file is not that of the answer
		h.Del("Content-Length")
	}
	h.Set("Cache-Control", "no-store")
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	if a.refused {
		if a.text.Len() < 1<<10 {
			a.text.Write(b)
		}
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

// refusal gives what tusd refused a code of ours.
func refusal(a *answer) error {
	code, _, _ := strings.Cut(a.text.String(), ":")
	cause := errors.New(strings.ToLower(strings.TrimSpace(a.text.String())))
	switch a.status {
	case http.StatusConflict:
		return fault.New(fault.WrongOffset, "upload", cause)
	case http.StatusPreconditionFailed:
		return fault.New(fault.WrongVersion, "upload", cause)
	case http.StatusRequestEntityTooLarge:
		return fault.New(fault.TooLarge, "upload", cause)
	case http.StatusNotFound:
		return fault.New(fault.NoSuchFile, "upload", cause)
	case http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusLocked:
		return fault.New(fault.Unavailable, "upload", cause)
	}
	switch code {
	case "ERR_UPLOAD_INTERRUPTED", "ERR_UNEXPECTED_EOF":
		return fault.New(fault.Unavailable, "upload", errors.Join(ErrBrokenOff, cause))
	}
	return fault.New(fault.BadMessage, "upload", cause)
}
