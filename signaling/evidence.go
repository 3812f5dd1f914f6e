package signaling

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
)

// query reads the search of an address.
func query(r *http.Request) (store.CallQuery, error) {
	v := r.URL.Query()
	q := store.CallQuery{
		Number: v.Get("number"), Phone: v.Get("phone"), Name: v.Get("name"), Operator: v.Get("operator"), Text: v.Get("q"), Category: v.Get("category"), Cursor: v.Get("cursor"),
	}
	for _, s := range []string{q.Number, q.Phone, q.Name, q.Operator, q.Text, q.Category, q.Cursor} {
		if len(s) > 200 {
			return q, fault.New(fault.TooLarge, "evidence.calls", nil)
		}
	}
	for key, to := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		if v.Get(key) == "" {
			continue
		}
		ms, err := strconv.ParseInt(v.Get(key), 10, 64)
		if err != nil {
			return q, fault.New(fault.BadValue, "evidence.calls", err)
		}
		*to = time.UnixMilli(ms)
	}
	if near := v.Get("near"); near != "" {
		n, err := nearOf(near)
		if err != nil {
			return q, fault.New(fault.BadValue, "evidence.calls", err)
		}
		q.Near = &n
	}
	if l := v.Get("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 || n > store.MaxPage {
			return q, fault.New(fault.BadValue, "evidence.calls", err)
		}
		q.Limit = n
	}
	return q, nil
}

// maxNear is the largest distance of a search by place, in metres.
const maxNear = 100_000

// nearOf reads LAT,LON,METRES.
func nearOf(text string) (n store.Near, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return n, errors.New("not LAT,LON,METRES")
	}
	for i, to := range []*float64{&n.Lat, &n.Lon, &n.Metres} {
		if *to, err = strconv.ParseFloat(parts[i], 64); err != nil {
			return n, err
		}
	}
	if !(n.Lat >= -90 && n.Lat <= 90 && n.Lon >= -180 && n.Lon <= 180 && n.Metres > 0 && n.Metres <= maxNear) {
		return n, errors.New("not a place")
	}
	return n, nil
}

func (s *Server) evidenceCalls(w http.ResponseWriter, r *http.Request, who Who) error {
	q, err := query(r)
	if err != nil {
		return err
	}
	if err := s.probes.Audit(r.Context(), who, "search", "", r.URL.RawQuery); err != nil {
		return err
	}
	calls, next, err := s.evidence.Calls(r.Context(), q)
	if errors.Is(err, store.ErrCursor) {
		return fault.New(fault.BadValue, "evidence.calls", err)
	}
	if err != nil {
		return fault.New(fault.Unavailable, "evidence.calls", err)
	}
	s.answer(w, http.StatusOK, map[string]any{"calls": calls, "next": next})
	return nil
}

// opens are the acts that need the keys of a recording.
var opens = map[string]bool{"open": true, "play": true, "custody": true, "export": true, "take": true}

// evidenceCall checks the call of a path and that a reason was given, and keeps who looks at it, or
// tried to, before anything is shown.
func (s *Server) evidenceCall(r *http.Request, who Who, action string) (ident.CallID, error) {
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil {
		return "", fault.New(fault.NoSuchCall, action, err)
	}
	open := action == "verify" // a proof shows nothing of what was said
	if !open {
		_, open = s.openings.use(openedBy{who.Staff, call}, time.Now())
	}
	var gone error
	switch {
	case !open:
		action += " refused"
	case opens[action]:
		if gone = s.evidence.keeping.Gone(r.Context(), call); gone != nil {
			action += " gone"
		}
	}
	if err := s.probes.Audit(r.Context(), who, action, string(call), r.PathValue("participant")+r.Header.Get("Range")); err != nil {
		return "", err
	}
	if !open {
		return "", fault.New(fault.ReasonNeeded, action, nil)
	}
	return call, gone
}

func (s *Server) evidenceDetail(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := s.evidenceCall(r, who, "open")
	if err != nil {
		return err
	}
	d, err := s.evidence.Detail(r.Context(), call)
	if err != nil {
		return err
	}
	s.answer(w, http.StatusOK, d)
	return nil
}

func (s *Server) evidenceMedia(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := s.evidenceCall(r, who, "play")
	if err != nil {
		return err
	}
	f, err := s.evidence.Media(r.Context(), call, r.PathValue("participant"))
	if err != nil {
		return err
	}
	defer f.Content.Close()
	if r.URL.Query().Get("download") == "1" {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	}
	w.Header().Set("Content-Type", f.Mime)
	w.Header().Set("Cache-Control", "private, no-cache")
	http.ServeContent(w, r, "", f.ModTime, f.Content)
	return nil
}

func (s *Server) evidenceVerify(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := s.evidenceCall(r, who, "verify")
	if err != nil {
		return err
	}
	report, err := s.evidence.Verify(r.Context(), call)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(report)
	return nil
}

// evidenceArchive streams the archive as it is stored.
func (s *Server) evidenceArchive(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := s.evidenceCall(r, who, "fetch")
	if err != nil {
		return err
	}
	dir, err := s.evidence.Archive(r.Context(), call)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": string(call) + ".tar"}))
	out := tar.NewWriter(w)
	if err := tarDir(out, dir, string(call)); err != nil {
		s.log.Warn("archive download broke off", "call", call, "err", err)
		panic(http.ErrAbortHandler) // the receiver must not take half for the whole
	}
	return nil
}

// tarDir writes the plain files of dir. A file that grows meanwhile is cut at the size it had.
func tarDir(out *tar.Writer, dir fs.FS, prefix string) error {
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := dir.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			return err
		}
		if err := out.WriteHeader(&tar.Header{Name: prefix + "/" + name, Mode: 0o444, Size: st.Size(), ModTime: st.ModTime()}); err != nil {
			return err
		}
		_, err = io.CopyN(out, f, st.Size())
		return err
	})
	if err != nil {
		return fmt.Errorf("tar: %w", err)
	}
	return out.Close()
}
