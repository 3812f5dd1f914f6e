package signaling

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// Intake takes the reports of citizens and answers what became of them.
type Intake interface {
	// Register makes a report durable with its case and returns the receipt. The same ref of the same
	// key again returns the same receipt.
	Register(ctx context.Context, key ReportKey, caller ident.CallerID, r Raw[ReportRequest]) (Receipt, error)
	// Reports returns the reports of a key, the newest first.
	Reports(ctx context.Context, key ReportKey) ([]MyReport, error)
	// Amend adds words to a report, or reopens its case.
	Amend(ctx context.Context, key ReportKey, report ident.CallID, a Raw[Amendment]) (MyReport, error)
}

// Raw is a request with the bytes it came as, which are what is kept.
type Raw[T any] struct {
	Request T
	Bytes   []byte
}

// ReportKey is the SHA-256 of the key that a phone made for its reports, in hex.
type ReportKey string

// keyHeader carries the key itself.
const keyHeader = "X-Report-Key"

// reportKey reads the key of a request: 128 bits or more as base64url.
func reportKey(r *http.Request) (ReportKey, error) {
	raw, err := base64.RawURLEncoding.DecodeString(r.Header.Get(keyHeader))
	if err != nil || len(raw) < 16 || len(raw) > 64 {
		return "", fault.New(fault.NotSignedIn, "report", nil)
	}
	sum := sha256.Sum256(raw)
	return ReportKey(hex.EncodeToString(sum[:])), nil
}

// ReportRequest is a report as a phone sends it.
type ReportRequest struct {
	Ref    string         `json:"ref"`            // chosen by the phone: sent twice it is one report
	Kind   string         `json:"kind,omitempty"` // of the choices; empty: not chosen
	Text   string         `json:"text,omitempty"`
	Lang   string         `json:"lang,omitempty"`
	MadeMs int64          `json:"madeMs,omitempty"` // when it was written, by the phone's clock
	Plate  string         `json:"plate,omitempty"`
	Where  string         `json:"where,omitempty"` // in words
	Fix    *wire.Fix      `json:"fix,omitempty"`   // where the phone is
	Pin    *wire.Fix      `json:"pin,omitempty"`   // where the citizen says it is
	Name   string         `json:"name,omitempty"`
	Phone  string         `json:"phone,omitempty"`
	Files  []DeclaredFile `json:"files,omitempty"`
}

// DeclaredFile is a file that will follow.
type DeclaredFile struct {
	File       string   `json:"file"` // an identifier chosen by the phone
	Bytes      int64    `json:"bytes"`
	SHA256     string   `json:"sha256"` // hex
	Name       string   `json:"name,omitempty"`
	Mime       string   `json:"mime,omitempty"` // as the phone believes
	CapturedMs int64    `json:"capturedMs,omitempty"`
	Lat        *float64 `json:"lat,omitempty"`
	Lon        *float64 `json:"lon,omitempty"`
	AccuracyM  float64  `json:"accuracyM,omitempty"`
}

// Receipt is what a citizen holds in their hand. SHA256 is over the bytes of the request as they came,
// without the files; theirs are beside them.
type Receipt struct {
	Report string     `json:"report"`
	Number string     `json:"number"`
	AtMs   int64      `json:"atMs"`
	MadeMs int64      `json:"madeMs"`
	SHA256 string     `json:"sha256"`
	Files  []CaseFile `json:"files"`
}

// MyReport is a report as its citizen sees it.
type MyReport struct {
	Receipt
	Kind      string      `json:"kind"`
	Text      string      `json:"text"`
	Status    string      `json:"status"`
	Replies   []CaseReply `json:"replies"`
	MayReopen bool        `json:"mayReopen"`
}

// Amendment is what a citizen adds to a report.
type Amendment struct {
	ID     string         `json:"id"` // chosen by the phone: sent twice it is one
	Text   string         `json:"text,omitempty"`
	Reopen bool           `json:"reopen,omitempty"` // the case is to be opened again
	Pin    *wire.Fix      `json:"pin,omitempty"`
	Files  []DeclaredFile `json:"files,omitempty"`
}

// Bounds of a report.
const (
	maxReportText = 8 << 10
	maxPast       = 31 * 24 * time.Hour // a report may wait this long for a network
	maxAhead      = 10 * time.Minute    // by which a phone's clock may be ahead
	maxVideo      = 500 << 20
)

// check refuses what no page of ours sends.
func (r ReportRequest) check(now time.Time, l Limits) error {
	const op = "report"
	bad := func(format string, args ...any) error { return fault.Newf(fault.BadValue, op, format, args...) }
	for _, err := range []error{
		wire.Line("ref", r.Ref, 64), wire.Text("text", r.Text, maxReportText), oneLang(r.Lang), wire.Line("plate", r.Plate, 20), wire.Line("kind", r.Kind, 64),
		wire.Text("where", r.Where, 500), wire.Line("name", r.Name, wire.MaxName), wire.Line("phone", r.Phone, 32), checkFiles(r.Files, l), checkFix(r.Fix, now), checkFix(r.Pin, now),
	} {
		if err != nil {
			return coded(op, err)
		}
	}
	switch at := time.UnixMilli(r.MadeMs); {
	case r.Ref == "":
		return bad("ref: empty")
	case r.MadeMs != 0 && (at.After(now.Add(maxAhead)) || at.Before(now.Add(-maxPast))):
		return bad("madeMs: %s is not near now", at.UTC().Format(time.RFC3339))
	case strings.TrimSpace(r.Text) == "" && len(r.Files) == 0:
		return fault.New(fault.EmptyReport, op, nil)
	}
	return nil
}

// coded keeps the code that err has, or makes it a bad value.
func coded(op string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.New(fault.BadValue, op, err)
}

// checkFix refuses positions that cannot be.
func checkFix(f *wire.Fix, now time.Time) error {
	if f == nil {
		return nil
	}
	if err := f.Check(); err != nil {
		return err
	}
	if at := time.UnixMilli(f.ClientMs); f.ClientMs != 0 && at.After(now.Add(maxAhead)) {
		return fault.Newf(fault.BadValue, "report", "fix: in the future")
	}
	return nil
}

func checkFiles(list []DeclaredFile, l Limits) error {
	if len(list) > l.Files {
		return fault.New(fault.TooMany, "report", nil)
	}
	seen := map[string]bool{}
	for _, f := range list {
		sum, err := hex.DecodeString(f.SHA256)
		switch {
		case err != nil || len(sum) != sha256.Size:
			return fault.Newf(fault.BadValue, "report", "sha256: not one")
		case f.Bytes <= 0:
			return fault.New(fault.BadFile, "report", nil)
		case f.Bytes > l.of(f.Mime):
			return fault.New(fault.TooLarge, "report", nil)
		case seen[f.File]:
			return fault.Newf(fault.BadValue, "report", "file: twice")
		case f.Lat != nil && f.Lon != nil && (*f.Lat < -90 || *f.Lat > 90 || *f.Lon < -180 || *f.Lon > 180), (f.Lat == nil) != (f.Lon == nil):
			return fault.Newf(fault.BadValue, "report", "file: nowhere on earth")
		}
		if _, err := ident.Parse[ident.FileID](f.File); err != nil {
			return fault.New(fault.BadValue, "report", err)
		}
		for _, err := range []error{wire.Line("name", f.Name, wire.MaxName), wire.Line("mime", f.Mime, 100)} {
			if err != nil {
				return err
			}
		}
		seen[f.File] = true
	}
	return nil
}

// intakeTable is every route of citizens' reports.
func (s *Server) intakeTable() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"POST /api/v1/reports":                 s.withKey(s.reportRegister),
		"GET /api/v1/reports":                  s.withKey(s.reportList),
		"POST /api/v1/reports/{report}/amends": s.withKey(s.reportAmend),
	}
}

type keyHandler func(w http.ResponseWriter, r *http.Request, key ReportKey) error

// withKey lets in who has a report key; how often, is bounded by address.
func (s *Server) withKey(h keyHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := reportKey(r)
		if err == nil && r.Method != http.MethodGet && !s.reporters.take(s.addr(r), time.Now()) {
			err = fault.New(fault.RateLimited, "report", nil)
		}
		if err == nil {
			err = h(w, r, key)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

func (s *Server) reportRegister(w http.ResponseWriter, r *http.Request, key ReportKey) error {
	b, raw, err := rawBody[ReportRequest](r, "report")
	if err == nil {
		err = b.check(time.Now(), s.cfg.Limits.usual())
	}
	if err != nil {
		return err
	}
	var caller ident.CallerID
	if token := bearer(r); token != "" {
		if c, err := s.accounts.Caller(r.Context(), token); err == nil { // an expired registration is no reason to lose a report
			caller = c.ID
		}
	}
	receipt, err := s.intake.Register(r.Context(), key, caller, Raw[ReportRequest]{b, raw})
	if err == nil {
		s.answer(w, http.StatusCreated, receipt)
	}
	return err
}

func (s *Server) reportList(w http.ResponseWriter, r *http.Request, key ReportKey) error {
	list, err := s.intake.Reports(r.Context(), key)
	if err == nil {
		s.answer(w, http.StatusOK, map[string]any{"reports": list})
	}
	return err
}

func (s *Server) reportAmend(w http.ResponseWriter, r *http.Request, key ReportKey) error {
	const op = "report.amend"
	id, err := ident.Parse[ident.CallID](r.PathValue("report"))
	if err != nil {
		return fault.New(fault.NoSuchCase, op, err)
	}
	b, raw, err := rawBody[Amendment](r, op)
	if err != nil {
		return err
	}
	for _, err := range []error{wire.Text("text", b.Text, maxReportText), wire.Line("id", b.ID, 32), checkFix(b.Pin, time.Now()), checkFiles(b.Files, s.cfg.Limits.usual())} {
		if err != nil {
			return coded(op, err)
		}
	}
	mine, err := s.intake.Amend(r.Context(), key, id, Raw[Amendment]{b, raw})
	if err == nil {
		s.answer(w, http.StatusOK, mine)
	}
	return err
}
