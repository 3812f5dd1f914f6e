package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"jedel/internal/casectl"
	"jedel/internal/cases"
	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder"
	"jedel/signaling"
)

// intake takes what is sent without a call: reports of citizens, photos of patrols. Each is a recording
// of its own. It implements signaling.Intake.
type intake struct {
	a     *App
	nudge chan struct{} // capacity 1: a recording may be ready to be sealed

	mu   sync.Mutex // guards the rest and the order of writes into archives
	most int        // archives that are open for files which are still to come
	open map[ident.CallID]*recorder.Archive
	held map[ident.CallID]int // files that are being written into an archive: it is not sealed meanwhile
}

// intakeEvery is how often recordings that are not sealed are looked at.
const intakeEvery = 10 * time.Second

func newIntake(a *App) *intake {
	return &intake{a: a, nudge: make(chan struct{}, 1), most: mostOpen, open: map[ident.CallID]*recorder.Archive{}, held: map[ident.CallID]int{}}
}

// newRecording is what is to be recorded.
type newRecording struct {
	client  string       // together with the request's ref it names the recording
	key     string       // who may see it
	kind    string       // report, patrol
	of      *cases.State // the case it belongs to; nil: it begins one
	by      ident.StaffID
	caller  store.Caller // zero: not registered
	request signaling.ReportRequest
	raw     []byte // as it came; nil: the request written anew
}

// keptReport is what the store keeps of a recording.
type keptReport struct {
	ID      ident.CallID            `json:"id"`
	Number  string                  `json:"number"`
	Case    ident.CaseID            `json:"case"`
	At      time.Time               `json:"at"`
	By      ident.StaffID           `json:"by,omitempty"`
	SHA256  string                  `json:"sha256"` // of Raw
	Raw     string                  `json:"raw"`    // the request as it came and as it is in the archive
	Request signaling.ReportRequest `json:"request"`

	sealed bool // its archive has ended
}

// declared returns what was announced of a file.
func (k keptReport) declared(id ident.FileID) (signaling.DeclaredFile, bool) {
	for _, d := range k.Request.Files {
		if d.File == string(id) {
			return d, true
		}
	}
	return signaling.DeclaredFile{}, false
}

func staffKey(id ident.StaffID) string { return "staff:" + string(id) }

func readReport(r store.Report) (keptReport, error) {
	var k keptReport
	if err := json.Unmarshal(r.Body, &k); err != nil {
		return k, fault.New(fault.Internal, "report", err)
	}
	k.sealed = r.Sealed
	return k, nil
}

// record makes a recording durable: its row and number, what was told, its place in a case, and, where
// the disk lets it, its archive. The same again returns what is there.
func (n *intake) record(ctx context.Context, in newRecording) (keptReport, error) {
	const op = "report"
	now := time.Now().UTC()
	if err := n.a.uploads.roomFor(ctx, in); err != nil {
		return keptReport{}, err
	}
	raw := in.raw
	if raw == nil {
		var err error
		if raw, err = json.Marshal(in.request); err != nil {
			return keptReport{}, fault.New(fault.Internal, op, err)
		}
	}
	row := store.CallSummary{
		Call: ident.New[ident.CallID](), Ref: in.request.Ref, Client: ident.ClientID(in.client), Caller: in.caller.ID, Name: in.request.Name, Phone: in.request.Phone,
		Kind: in.kind, Lang: in.request.Lang, Phase: "ended", Priority: callClass + 1, Operator: in.by, OperatorName: n.a.people.name(in.by), CreatedAt: now, EndedAt: now, EndReason: in.kind, Category: in.request.Kind,
	}
	if in.caller.ID != "" {
		row.Name, row.Phone = in.caller.Name, in.caller.Phone
	}
	of := ""
	if in.of != nil {
		of = in.of.Number
	}
	row, existed, err := n.a.db.CreateRecording(ctx, n.a.owner, of, row)
	if err != nil {
		return keptReport{}, fault.New(fault.Unavailable, op, err)
	}
	if existed {
		if have, err := n.a.db.ReportByID(ctx, row.Call); err == nil {
			return n.adopt(ctx, have, in)
		}
	}
	sum := sha256.Sum256(raw)
	kept := keptReport{ID: row.Call, Number: row.Number, Case: casectl.IDOf(row.Call), At: row.CreatedAt.UTC(), By: in.by, SHA256: hex.EncodeToString(sum[:]), Raw: string(raw), Request: in.request}
	if in.of != nil {
		kept.Case = in.of.ID
	}
	body, err := json.Marshal(kept)
	if err != nil {
		return kept, fault.New(fault.Internal, op, err)
	}
	if err := n.a.db.AddReport(ctx, store.Report{ID: kept.ID, KeyHash: in.key, MadeAt: now, Body: body}); err != nil {
		return kept, fault.New(fault.Unavailable, op, err)
	}
	return kept, n.register(ctx, kept, in)
}

// adopt answers for a recording that is there already: its case may still be missing.
func (n *intake) adopt(ctx context.Context, have store.Report, in newRecording) (keptReport, error) {
	kept, err := readReport(have)
	if err != nil {
		return kept, err
	}
	return kept, n.register(ctx, kept, in)
}

// register gives a recording its case and begins its archive.
func (n *intake) register(ctx context.Context, kept keptReport, in newRecording) error {
	rec := cases.Recording{ID: kept.ID, Kind: in.kind, At: kept.At}
	var ev cases.Event = cases.Record{Recording: rec}
	if in.of == nil {
		open := n.opening(kept, in, rec)
		n.a.derived(ctx, open.Card)
		ev = open
	}
	if _, err := n.a.cases.Post(ctx, kept.Case, ev); err != nil {
		return err
	}
	n.wake()
	return nil
}

// opening is the case that a report begins.
func (n *intake) opening(kept keptReport, in newRecording, rec cases.Recording) cases.Open {
	r := in.request
	open := cases.Open{
		ID: kept.Case, Number: kept.Number, Lane: cases.ReportLane, Kind: r.Kind, Priority: 3, Recording: rec,
		Citizen: cases.Citizen{Caller: in.caller.ID, Name: r.Name, Phone: r.Phone, Lang: r.Lang}, Card: cardOf(r, kept.At),
	}
	if in.caller.ID != "" {
		open.Citizen.Name, open.Citizen.Phone = in.caller.Name, in.caller.Phone
	}
	for _, k := range n.a.cfg.Cases.Kinds {
		if k.Key == r.Kind {
			open.Priority = k.Priority
		}
	}
	return open
}

// cardOf is what a report says, as lines of a card.
func cardOf(r signaling.ReportRequest, at time.Time) []cases.Line {
	var out []cases.Line
	add := func(l cases.Line) {
		l.At = at
		out = append(out, l)
	}
	if r.Fix != nil {
		add(cases.Line{ID: "fix", What: cases.PlaceLine, Place: placeOf(*r.Fix)})
	}
	if r.Pin != nil {
		pin := placeOf(*r.Pin)
		pin.Source = "caller"
		add(cases.Line{ID: "pin", What: cases.PlaceLine, Place: pin})
	}
	if r.Where != "" {
		add(cases.Line{ID: "where", What: cases.PlaceLine, Place: &cases.Place{Source: "words", Words: r.Where}})
	}
	if r.Plate != "" {
		add(cases.Line{ID: "plate", What: cases.VehicleLine, Name: r.Plate})
	}
	for i, text := range parts(r.Text, cases.MaxText) {
		add(cases.Line{ID: fmt.Sprint("text", i), What: cases.NoteLine, Text: text})
	}
	return out
}

// parts divides a text at runes into pieces of at most limit bytes.
func parts(s string, limit int) []string {
	var out []string
	for len(s) > limit {
		cut := limit
		for cut > 0 && s[cut]&0xc0 == 0x80 {
			cut--
		}
		out, s = append(out, s[:cut]), s[cut:]
	}
	if s != "" {
		out = append(out, s)
	}
	return out
}

// Register implements signaling.Intake.
func (n *intake) Register(ctx context.Context, key signaling.ReportKey, caller ident.CallerID, raw signaling.Raw[signaling.ReportRequest]) (signaling.Receipt, error) {
	r := raw.Request
	if r.Kind != "" && !slices.ContainsFunc(n.a.cfg.Cases.Kinds, func(k config.CaseKind) bool { return k.Key == r.Kind }) {
		return signaling.Receipt{}, fault.Newf(fault.BadValue, "report", "no kind %q", r.Kind)
	}
	in := newRecording{client: string(key), key: string(key), kind: "report", request: r, raw: raw.Bytes}
	if caller != "" {
		c, err := n.a.db.CallerByID(ctx, caller)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return signaling.Receipt{}, fault.New(fault.Unavailable, "report", err)
		}
		in.caller = c
	}
	kept, err := n.record(ctx, in)
	if err != nil {
		return signaling.Receipt{}, err
	}
	return n.receipt(ctx, kept)
}

func (n *intake) receipt(ctx context.Context, k keptReport) (signaling.Receipt, error) {
	files, err := n.files(ctx, k)
	return signaling.Receipt{Report: string(k.ID), Number: k.Number, AtMs: millis(k.At), MadeMs: k.Request.MadeMs, SHA256: k.SHA256, Files: files}, err
}

// maxMine bounds the list of a phone's reports.
const maxMine = 100

// reportsOf reads the reports of a key, the newest first, one by one and without their bytes: anybody may ask,
// often, and have made each as large as a request may be.
func (a *App) reportsOf(ctx context.Context, key string) ([]keptReport, error) {
	ids, err := a.db.ReportsByKey(ctx, key, maxMine)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "report", err)
	}
	out := make([]keptReport, len(ids))
	for i, id := range ids {
		row, err := a.db.ReportByID(ctx, id)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "report", err)
		}
		if out[i], err = readReport(row); err != nil {
			return nil, err
		}
		out[i].Raw = ""
	}
	return out, nil
}

// Reports implements signaling.Intake.
func (n *intake) Reports(ctx context.Context, key signaling.ReportKey) ([]signaling.MyReport, error) {
	all, err := n.a.reportsOf(ctx, string(key))
	if err != nil {
		return nil, err
	}
	out := []signaling.MyReport{}
	for _, k := range all {
		if k.Case != casectl.IDOf(k.ID) {
			continue // what was added later belongs to the report it was added to
		}
		mine, err := n.mine(ctx, k, all)
		if fault.CodeOf(err) == fault.NoSuchCase {
			continue // it was never finished: the phone sends it again
		}
		if err != nil {
			return nil, err
		}
		out = append(out, mine)
	}
	return out, nil
}

// mine is a report as its citizen sees it; all has what the same phone added to it.
func (n *intake) mine(ctx context.Context, k keptReport, all []keptReport) (signaling.MyReport, error) {
	s, err := n.a.cases.State(ctx, k.Case)
	if err != nil {
		return signaling.MyReport{}, err
	}
	receipt, err := n.receipt(ctx, k)
	for _, more := range all {
		if err == nil && more.Case == k.Case && more.ID != k.ID {
			var added []signaling.CaseFile
			added, err = n.files(ctx, more)
			receipt.Files = append(receipt.Files, added...)
		}
	}
	mine := signaling.MyReport{Receipt: receipt, Kind: s.Kind, Text: k.Request.Text, Status: string(s.Status), Replies: repliesOf(s)}
	if len(s.Replies) > 0 {
		mine.Status = string(s.Replies[len(s.Replies)-1].Status) // what they were told, no more and no less
	}
	mine.MayReopen = mine.Status == string(cases.Closed) && time.Since(s.Closing.At) < cases.ReopenTime
	return mine, err
}

// passOn gives what was added to a merged case to the one it was merged into as well: that is where people
// look. The same again is one. A case that has no room keeps what it has.
func passOn(ctx context.Context, book *casectl.Book, s cases.State, ev cases.Event) error {
	if s.Into == "" {
		return nil
	}
	switch e := ev.(type) {
	case cases.Add:
		name := sha256.Sum256([]byte(string(s.ID) + "." + e.Line.ID)) // two citizens may have chosen the same
		e.Line.ID, e.Line.From = hex.EncodeToString(name[:16]), s.ID
		ev = e
	case cases.Record:
		e.Recording.From = s.ID
		ev = e
	}
	if _, err := book.Post(ctx, s.Into, ev); fault.CodeOf(err) != fault.TooMany {
		return err
	}
	return nil
}

// Amend implements signaling.Intake.
func (n *intake) Amend(ctx context.Context, key signaling.ReportKey, id ident.CallID, raw signaling.Raw[signaling.Amendment]) (signaling.MyReport, error) {
	a := raw.Request
	const op = "report.amend"
	row, err := n.a.db.ReportByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && row.KeyHash != string(key) {
		return signaling.MyReport{}, fault.New(fault.NoSuchCase, op, nil)
	}
	if err != nil {
		return signaling.MyReport{}, fault.New(fault.Unavailable, op, err)
	}
	kept, err := readReport(row)
	if err != nil {
		return signaling.MyReport{}, err
	}
	s, err := n.a.cases.State(ctx, kept.Case)
	if err != nil {
		return signaling.MyReport{}, err
	}
	if a.ID == "" || a.Text == "" && a.Pin == nil && len(a.Files) == 0 && !a.Reopen {
		return signaling.MyReport{}, fault.New(fault.EmptyReport, op, nil)
	}
	more, err := n.record(ctx, newRecording{
		client: string(key), key: string(key), kind: "report", of: &s,
		request: signaling.ReportRequest{Ref: "+" + a.ID, Text: a.Text, Pin: a.Pin, Files: a.Files, Lang: s.Citizen.Lang}, raw: raw.Bytes,
	})
	if err != nil {
		return signaling.MyReport{}, err
	}
	for i, l := range n.a.derived(ctx, cardOf(more.Request, more.At)) {
		l.ID = fmt.Sprint(a.ID[:min(len(a.ID), 26)], "+", i)
		if _, err := n.a.cases.Post(ctx, kept.Case, cases.Add{Line: l}); err != nil {
			return signaling.MyReport{}, err
		}
		if err := passOn(ctx, n.a.cases, s, cases.Add{Line: l}); err != nil {
			return signaling.MyReport{}, err
		}
	}
	if err := passOn(ctx, n.a.cases, s, cases.Record{Recording: cases.Recording{ID: more.ID, Kind: "report", At: more.At}}); err != nil {
		return signaling.MyReport{}, err
	}
	if a.Reopen {
		if _, err := n.a.cases.Post(ctx, kept.Case, cases.Reopen{Why: a.Text}); err != nil {
			return signaling.MyReport{}, err
		}
	}
	all, err := n.a.reportsOf(ctx, string(key))
	if err != nil {
		return signaling.MyReport{}, err
	}
	return n.mine(ctx, kept, all)
}
