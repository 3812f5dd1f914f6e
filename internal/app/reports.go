package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/recorder/derive"
	"jedel/recorder/evr"
	"jedel/recorder/export"
	"jedel/recorder/proof"
	"jedel/recorder/report"
	"jedel/recorder/verify"
	"jedel/signaling"
)

// reports implements signaling.Reports.
type reports struct {
	a       *App
	version string
}

// proofTime bounds the wait for witnesses before a report is made without them.
const proofTime = 5 * time.Second

// Call implements signaling.Reports.
func (r reports) Call(ctx context.Context, who signaling.Who, id ident.CallID, why signaling.Why, f signaling.Form) (func(io.Writer) error, error) {
	const op = "evidence.custody"
	sum, _, err := r.a.db.LoadCall(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.NoSuchCall, op, nil)
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, op, err)
	}
	dir, err := r.a.archiveDir(ctx, id)
	if err != nil {
		return nil, err
	}
	c := report.Custody{
		Made: time.Now(), Zone: r.a.cfg.Site.Zone, Software: "jedel " + r.version, About: r.a.about(sum),
		Request: report.Request{By: r.a.people.name(who.Staff), Case: why.Case, Reason: why.Reason},
	}
	if err := r.fill(ctx, &c, id, dir); err != nil {
		return nil, fault.New(fault.Unavailable, op, err)
	}
	return paper(c.Doc, f)
}

// fill reads and verifies the archive, and tells who has had it.
func (r reports) fill(ctx context.Context, c *report.Custody, id ident.CallID, dir folder) error {
	ring, err := r.a.vault.ring(ctx, opening{id, "custody", dir})
	if err != nil {
		return err
	}
	rec, err := derive.Load(dir, ring)
	if err != nil {
		return err
	}
	c.Line = rec.Timeline()
	c.About.OpenedMs = c.Line.OpenedMs
	if c.Proof, err = verify.Dir(dir, verify.Options{Keys: []string{r.a.rec.Key()}, Ring: ring, Log: r.a.verifyLog()}); err != nil {
		return err
	}
	if c.Files, err = export.Sums(ctx, dir); err != nil {
		return err
	}
	if c.Writer, c.Host, err = writer(dir); err != nil {
		return err
	}
	seen, err := r.a.accessed(ctx, id)
	c.Accesses, c.Log = seen.list, seen.log
	return err
}

// writer tells what program recorded an archive, and where.
func writer(dir fs.FS) (program, host string, err error) {
	sc, err := evr.NewScanner(dir)
	if err != nil {
		return "", "", err
	}
	for _, s := range sc.Segments() {
		if s.Raw != nil {
			program, host = s.Header.Writer, s.Header.Host
			break
		}
	}
	return program, host, sc.Close()
}

// about is what the centre knows of a call.
func (a *App) about(s store.CallSummary) report.About {
	return report.About{
		Call: string(s.Call), Number: s.Number, Site: a.cfg.Site.ID, Kind: s.Kind, Name: s.Name, Phone: s.Phone, Operator: s.OperatorName,
		OpenedMs: millis(s.CreatedAt), AnsweredMs: millis(s.AnsweredAt), EndedMs: millis(s.EndedAt), EndReason: s.EndReason, Category: s.Category, Outcome: s.Outcome,
	}
}

// accessed is who has had a recording, with what the site's log has of it.
type accessed struct {
	list   []report.Access
	proven []export.Proven
	log    *report.Log
}

// accessed tells of one call, oldest first.
func (a *App) accessed(ctx context.Context, id ident.CallID) (accessed, error) {
	lines, err := a.db.ListAudit(ctx, string(id), maxAccesses)
	if err != nil {
		return accessed{}, err
	}
	return a.proveAccesses(ctx, lines)
}

// proveAccesses proves lines of the audit, given newest first.
func (a *App) proveAccesses(ctx context.Context, lines []store.Audit) (out accessed, err error) {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	anchor := a.site.Newest()
	if c, ok := checkpoint(anchor.Checkpoint); ok {
		out.log = &report.Log{Origin: c.Origin, Size: c.Size, Root: base64Of(c.Root), Witnessed: a.policy != "" && anchor.Witnessed}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		line := lines[i]
		seen := report.Access{AtMs: millis(line.At), Name: a.people.name(ident.StaffID(line.Who)), Action: line.Action, Detail: line.Detail}
		leaf, raw, err := auditLeaf(line)
		if err != nil {
			return out, err
		}
		seen.Row = leaf.Text("row")
		if line.Logged > 0 {
			index := line.Logged - 1
			seen.Index = &index
			if p, _, err := a.site.Proof(ctx, leaf, index); err == nil { // else it is in the log, and too new to be proven
				out.proven = append(out.proven, export.Proven{Line: raw, Leaf: string(p.Entry), Index: index, Proof: string(p.Marshal())})
			}
		}
		out.list = append(out.list, seen)
	}
	return out, nil
}

func checkpoint(raw []byte) (proof.Checkpoint, bool) {
	text, _, ok := bytes.Cut(raw, []byte("\n\n"))
	if !ok {
		return proof.Checkpoint{}, false
	}
	c, err := proof.ParseCheckpoint(string(text) + "\n")
	return c, err == nil
}

// Person implements signaling.Reports.
func (r reports) Person(ctx context.Context, who signaling.Who, q signaling.PersonQuery, f signaling.Form) (func(io.Writer) error, error) {
	const op = "evidence.person"
	staff, err := r.a.db.StaffByLogin(ctx, q.Login)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.NotFound, op, nil)
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, op, err)
	}
	lines, err := r.a.db.ListAuditBy(ctx, string(staff.ID), q.From, q.To, maxAccesses+1)
	if err != nil {
		return nil, fault.New(fault.Unavailable, op, err)
	}
	more := len(lines) > maxAccesses
	lines = lines[:min(len(lines), maxAccesses)]
	seen, err := r.a.proveAccesses(ctx, lines)
	if err != nil {
		return nil, fault.New(fault.Unavailable, op, err)
	}
	for i := range seen.list {
		object := lines[len(lines)-1-i].Object
		seen.list[i].Call = object
		if id, err := ident.Parse[ident.CallID](object); err == nil {
			if sum, _, err := r.a.db.LoadCall(ctx, id); err == nil {
				seen.list[i].Call = sum.Number
			}
		}
	}
	return paper(report.Person{
		Made: time.Now(), Zone: r.a.cfg.Site.Zone, Software: "jedel " + r.version, Name: staff.Name, Login: staff.Login, From: q.From, To: q.To,
		Request:  report.Request{By: r.a.people.name(who.Staff), Case: q.Why.Case, Reason: q.Why.Reason},
		Accesses: seen.list, Log: seen.log, More: more,
	}.Doc, f)
}

// paper returns what writes a page in the form asked for.
func paper(page func(report.Words) report.Doc, f signaling.Form) (func(io.Writer) error, error) {
	words, err := report.In(f.Lang)
	if err != nil {
		return nil, fault.New(fault.BadValue, "evidence.custody", err)
	}
	if d := page(words); f.PDF {
		return d.PDF, nil
	} else {
		return d.HTML, nil
	}
}
