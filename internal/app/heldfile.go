package app

import (
	"context"

	"jedel/internal/cases"
	"jedel/internal/fault"
	"jedel/internal/ident"
)

// hold keeps an archive from being sealed while a file is written into it.
func (u *uploads) hold(ctx context.Context, id ident.CallID) (release func(), err error) {
	n := u.a.intake
	n.mu.Lock()
	n.held[id]++
	n.mu.Unlock()
	release = func() {
		n.mu.Lock()
		if n.held[id]--; n.held[id] == 0 {
			delete(n.held, id)
		}
		n.mu.Unlock()
		n.wake() // perhaps it was the last one, and the archive may be sealed
	}
	row, err := u.a.db.ReportByID(ctx, id) // sealing holds mu until the store knows of it
	switch {
	case err != nil:
		release()
		return nil, fault.New(fault.Unavailable, "upload", err)
	case row.Sealed:
		release()
		return nil, fault.New(fault.TooLate, "upload", nil)
	}
	return release, nil
}

// roomFor refuses more files than one side of a case may send.
func (u *uploads) roomFor(ctx context.Context, in newRecording) error {
	if in.of == nil || len(in.request.Files) == 0 || in.kind == "camera" {
		return nil
	}
	have := len(in.request.Files)
	for _, r := range in.of.Recordings {
		k, ok, err := u.reported(ctx, r)
		if err != nil {
			return err
		}
		if ok && (k.By == "") == (in.by == "") && k.Request.Ref != in.request.Ref { // sent twice it is one
			have += len(k.Request.Files)
		}
	}
	if have > u.a.cfg.Reports.Files {
		return fault.Newf(fault.TooMany, "report", "%d files", have)
	}
	return nil
}

// reported reads what was told with a recording; false where it is no report.
func (u *uploads) reported(ctx context.Context, r cases.Recording) (keptReport, bool, error) {
	if r.Kind != "report" && r.Kind != "patrol" {
		return keptReport{}, false, nil
	}
	row, err := u.a.db.ReportByID(ctx, r.ID)
	if err != nil {
		return keptReport{}, false, fault.New(fault.Unavailable, "report", err)
	}
	k, err := readReport(row)
	return k, err == nil, err
}
