package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jedel/internal/ident"
)

// Report is a citizen's report: who has the key of KeyHash may see it.
type Report struct {
	ID      ident.CallID
	KeyHash string
	MadeAt  time.Time
	Sealed  bool
	Body    []byte // JSON, opaque here
}

// ReportFile is a file that came with a report.
type ReportFile struct {
	Report ident.CallID
	ID     ident.FileID
	KeptAt time.Time
	Body   []byte // JSON, opaque here
}

// reports keeps the reports.
type reports struct{ c *conn }

func scanReport(s scanner) (r Report, err error) {
	var sealed int64
	err = s.Scan(&r.ID, &r.KeyHash, instant{&r.MadeAt}, &sealed, &r.Body)
	r.Sealed = sealed != 0
	return r, found(err)
}

const reportColumns = `id, key_hash, made_at, sealed, body`

// AddReport keeps a report; the same again changes nothing.
func (k reports) AddReport(ctx context.Context, r Report) error {
	err := k.c.exec(ctx, `INSERT INTO reports (`+reportColumns+`) VALUES (?, ?, ?, 0, ?) ON CONFLICT (id) DO NOTHING`, r.ID, r.KeyHash, r.MadeAt, r.Body)
	if err != nil {
		return fmt.Errorf("put report: %w", err)
	}
	return nil
}

// ReportByID returns a report, or ErrNotFound.
func (k reports) ReportByID(ctx context.Context, id ident.CallID) (Report, error) {
	return one(ctx, k.c, scanReport, `SELECT `+reportColumns+` FROM reports WHERE id = ?`, id)
}

// ReportsByKey names the newest reports of a key. They may be large: each is read by itself.
func (k reports) ReportsByKey(ctx context.Context, hash string, limit int) ([]ident.CallID, error) {
	return many(ctx, k.c, scanReportID, `SELECT id FROM reports WHERE key_hash = ? ORDER BY made_at DESC, id LIMIT ?`, hash, limit)
}

func scanReportID(s scanner) (id ident.CallID, err error) { return id, s.Scan(&id) }

// UnsealedReports names the reports whose archives have not ended, the oldest first. There may be very many,
// and large ones: each is read by itself.
func (k reports) UnsealedReports(ctx context.Context) ([]ident.CallID, error) {
	return many(ctx, k.c, scanReportID, `SELECT id FROM reports WHERE sealed = 0 ORDER BY made_at, id`)
}

// SealReport notes that the archive of a report has ended.
func (k reports) SealReport(ctx context.Context, id ident.CallID) error {
	if err := k.c.exec(ctx, `UPDATE reports SET sealed = 1 WHERE id = ?`, id); err != nil {
		return fmt.Errorf("seal report: %w", err)
	}
	return nil
}

// PutReportFile notes a file that is in the archive of its report; the same again changes nothing.
func (k reports) PutReportFile(ctx context.Context, f ReportFile) error {
	err := k.c.exec(ctx, `INSERT INTO report_files (report, id, kept_at, body) VALUES (?, ?, ?, ?) ON CONFLICT (report, id) DO NOTHING`,
		f.Report, f.ID, f.KeptAt, f.Body)
	if err != nil {
		return fmt.Errorf("put report file: %w", err)
	}
	return nil
}

// ReportFiles returns the files that came with a report.
func (k reports) ReportFiles(ctx context.Context, id ident.CallID) ([]ReportFile, error) {
	return many(ctx, k.c, func(s scanner) (f ReportFile, err error) {
		err = s.Scan(&f.Report, &f.ID, instant{&f.KeptAt}, &f.Body)
		return f, err
	}, `SELECT report, id, kept_at, body FROM report_files WHERE report = ? ORDER BY kept_at, id`, id)
}

// CreateRecording makes the row of a recording that is no call: a report, a patrol's photos, a clip. Its
// number is the next of the year, or the next part of a case's number ("26-000123/2") where of is one.
// The same (client, ref) again gives the row that is there, and existed. build may be called more than
// once.
func (k calls) CreateRecording(ctx context.Context, owner Owner, of string, row CallSummary) (CallSummary, bool, error) {
	var m made
	var err error
	for range tries {
		m, err = inTx(ctx, k.c, func(ctx context.Context, t txn) (made, error) {
			sum, err := scanCall(t.row(ctx, `SELECT `+callColumns+` FROM calls WHERE client = ? AND ref = ?`, row.Client, row.Ref))
			if !errors.Is(err, ErrNotFound) {
				return made{sum, true}, err
			}
			build := func(number string) (CallSummary, CallRecord, error) {
				row.Number, row.Version = number, 1
				return row, CallRecord{Version: 1, At: row.CreatedAt, Kind: "recorded", Body: []byte(`{}`)}, nil
			}
			if of == "" {
				sum, err = k.create(ctx, t, owner, build)
				return made{sum, false}, err
			}
			var n int
			if err := t.row(ctx, `INSERT INTO number_parts (number, last) VALUES (?, 2)
				ON CONFLICT (number) DO UPDATE SET last = number_parts.last + 1 RETURNING last`, of).Scan(&n); err != nil {
				return made{}, fmt.Errorf("part: %w", err)
			}
			sum, err = k.insert(ctx, t, owner, fmt.Sprintf("%s/%d", of, n), build)
			return made{sum, false}, err
		})
		if !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err != nil {
		return CallSummary{}, false, fmt.Errorf("create recording: %w", err)
	}
	return m.sum, m.existed, nil
}
