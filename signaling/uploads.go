package signaling

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/tus"
)

// Uploads takes the content of files that were declared.
type Uploads interface {
	// Open returns a declared file to whoever declared it; everybody else is told that there is none. report
	// is the recording that declared it, or for a citizen the report whose amendment did.
	Open(ctx context.Context, by Sender, report ident.CallID, file ident.FileID) (tus.File, error)
}

// Sender is who sends files: a phone by the key of its reports, or a member of staff.
type Sender struct {
	Key   ReportKey // empty: a member of staff
	Staff ident.StaffID
}

// Limits are the sizes that files may have.
type Limits struct {
	Photo int64 // bytes of a photo or a sound
	Video int64 // bytes of a film
	Files int   // of one side of a case
}

// usual fills in what is not configured.
func (l Limits) usual() Limits {
	if l.Photo == 0 {
		l.Photo = maxPhoto
	}
	if l.Video == 0 {
		l.Video = maxVideo
	}
	if l.Files == 0 {
		l.Files = maxFiles
	}
	return l
}

// of is the limit of a file whose sender takes it for mime.
func (l Limits) of(mime string) int64 {
	if kind, _, _ := strings.Cut(mime, "/"); kind == "image" || kind == "audio" {
		return l.Photo
	}
	return l.Video
}

// uploadsPath is where declared files are sent; each stands below it as RECORDING-FILE.
const uploadsPath = "/api/v1/reports/uploads/"

// Bounds of files that are under way at once. One phone sends one after the other; a tab that was left
// and one that goes on may overlap.
const (
	maxSending     = 256
	maxSendingEach = 8
)

// inbox answers senders of declared files.
type inbox struct {
	*Server
	tus *tus.Handler
	way *gate // what is under way, by sender
}

func newInbox(s *Server) (*inbox, error) {
	h, err := tus.New(uploadsPath)
	return &inbox{s, h, &gate{all: maxSending, each: maxSendingEach, from: map[string]int{}}}, err
}

// table is every route of files that are sent in parts.
func (b *inbox) table() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"OPTIONS " + uploadsPath + "{$}": func(w http.ResponseWriter, _ *http.Request) { b.tus.Options(w, b.cfg.Limits.usual().Video) },
		"POST " + uploadsPath + "{$}":    b.take(named),
		"HEAD " + uploadsPath + "{upload}": b.take(func(r *http.Request) (ident.CallID, ident.FileID, error) {
			return split(r.PathValue("upload"))
		}),
		"PATCH " + uploadsPath + "{upload}": b.take(func(r *http.Request) (ident.CallID, ident.FileID, error) {
			return split(r.PathValue("upload"))
		}),
	}
}

// split reads the name of a file in an address.
func split(name string) (ident.CallID, ident.FileID, error) {
	report, file, _ := strings.Cut(name, "-")
	return both(report, file)
}

// named reads which file a creation is about.
func named(r *http.Request) (ident.CallID, ident.FileID, error) {
	meta := tus.Metadata(r)
	return both(meta["report"], meta["file"])
}

func both(report, file string) (ident.CallID, ident.FileID, error) {
	r, err := ident.Parse[ident.CallID](report)
	if err != nil {
		return "", "", fault.New(fault.NoSuchFile, "upload", err)
	}
	f, err := ident.Parse[ident.FileID](file)
	if err != nil {
		return "", "", fault.New(fault.NoSuchFile, "upload", err)
	}
	return r, f, nil
}

// take answers one request for a file.
func (b *inbox) take(which func(*http.Request) (ident.CallID, ident.FileID, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b.paces.pacedFile(w, r)
		if r.Context().Err() != nil { // something ended this connection's life while the request before was answered
			w.Header().Set("Connection", "close")
		}
		if err := b.serve(w, r, which); err != nil {
			b.refuse(w, r, err)
		}
	}
}

func (b *inbox) serve(w http.ResponseWriter, r *http.Request, which func(*http.Request) (ident.CallID, ident.FileID, error)) error {
	by, err := b.sender(r)
	if err != nil {
		return err
	}
	leave, ok := b.way.enter(string(by.Key) + string(by.Staff))
	if !ok {
		return fault.Newf(fault.RateLimited, "upload", "too many files under way")
	}
	defer leave()
	report, file, err := which(r)
	if err != nil {
		return err
	}
	f, err := b.declared.Open(r.Context(), by, report, file)
	if err != nil {
		return err
	}
	return b.tus.Serve(w, r, string(report)+"-"+string(file), f)
}

// sender tells who sends: a phone by its key, or staff by their session.
func (b *inbox) sender(r *http.Request) (Sender, error) {
	if r.Header.Get(keyHeader) != "" {
		key, err := reportKey(r)
		return Sender{Key: key}, err
	}
	who, err := b.staffWho(r.Context(), r)
	if err == nil {
		err = b.allowed(r, who, access.ReadCases)
	}
	return Sender{Staff: who.Staff}, err
}

// refuse answers as everywhere in the API, with what the protocol asks for beside it.
func (b *inbox) refuse(w http.ResponseWriter, r *http.Request, err error) {
	h := w.Header()
	h.Set("Tus-Resumable", tus.Version)
	switch fault.CodeOf(err) {
	case fault.RateLimited, fault.Unavailable, fault.NoRoom:
		h.Set("Retry-After", strconv.Itoa(holdRetry))
	case fault.WrongVersion:
		h.Set("Tus-Version", tus.Version)
	}
	if errors.Is(err, tus.ErrBrokenOff) { // on mobile networks that happens all day
		b.met.refused.WithLabelValues(string(fault.Unavailable)).Inc()
		b.answer(w, http.StatusServiceUnavailable, map[string]any{"error": errorBody(err, false)})
		return
	}
	b.fail(w, r, err)
}
