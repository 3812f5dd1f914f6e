package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/internal/keep"
	"jedel/internal/store"
	"jedel/recorder/proof"
	"jedel/recorder/sitelog"
	"jedel/recorder/verify"

	"github.com/gowebpki/jcs"
)

func sitelogConfig(c config.Config) (sitelog.Config, error) {
	out := sitelog.Config{
		Dir: filepath.Join(c.Recorder.Dir, "site"), Archives: c.Recorder.Dir, Keys: filepath.Join(c.Recorder.Dir, "keys"), Origin: c.Site.ID + "/log", TSA: c.Evidence.TSA,
	}
	if c.Evidence.Witnesses == "" {
		return out, nil
	}
	raw, err := os.ReadFile(c.Evidence.Witnesses)
	if err != nil {
		return out, fmt.Errorf("evidence.witnesses: %w", err)
	}
	out.Policy = string(raw)
	return out, nil
}

// configLeaf says with what program and settings the gateway starts: a hash of them, and nothing else.
func configLeaf(c config.Config, version string) (proof.Leaf, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return proof.Leaf{}, fmt.Errorf("configuration: %w", err)
	}
	sum := sha256.Sum256(raw)
	return proof.Leaf{Kind: proof.LeafConfig, At: time.Now(), Facts: map[string]any{"version": version, "config": base64Of(sum[:])}}, nil
}

// verifyLog is what this gateway knows of its own log when it verifies.
func (a *App) verifyLog() verify.Log {
	return verify.Log{Keys: []string{a.site.Key()}, Policy: a.policy}
}

// auditLeaf is what the site's log says of a line of the audit: its hash, and nothing that names
// anybody. The line's random identifier is part of the hash, so that nobody can guess at the rest.
// The second is the line as it is hashed: JSON in JCS form.
func auditLeaf(line store.Audit) (proof.Leaf, []byte, error) {
	raw, err := json.Marshal(map[string]string{
		"id": line.ID, "at": line.At.UTC().Format(time.RFC3339Nano), "who": line.Who, "action": line.Action, "object": line.Object, "detail": line.Detail,
	})
	if err == nil {
		raw, err = jcs.Transform(raw)
	}
	if err != nil {
		return proof.Leaf{}, nil, fmt.Errorf("audit line: %w", err)
	}
	sum := sha256.Sum256(raw)
	l := proof.Leaf{Kind: keep.Kind(line.Action), At: line.At, Facts: keep.Facts(line.Action, line.Who, line.Detail)}
	l.Facts["what"], l.Facts["row"] = line.Action, base64Of(sum[:])
	if id, err := ident.Parse[ident.CallID](line.Object); err == nil {
		l.Call = id
	}
	return l, raw, nil
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// audit keeps who did what, in the store and in the site's log. Both are durable when it returns
// nil; nothing may be shown before.
func (a *App) audit(ctx context.Context, line store.Audit) error {
	_, err := a.say(ctx, line)
	return err
}

// say is audit that returns the statement made in the site's log.
func (a *App) say(ctx context.Context, line store.Audit) (keep.Said, error) {
	line.ID, line.At = ident.New[string](), time.Now().Truncate(time.Microsecond) // as the store keeps it
	if err := a.db.AppendAudit(ctx, line); err != nil {
		return keep.Said{}, err
	}
	return a.logAudit(ctx, line)
}

func (a *App) logAudit(ctx context.Context, line store.Audit) (keep.Said, error) {
	leaf, _, err := auditLeaf(line)
	if err != nil {
		return keep.Said{}, err
	}
	at, err := a.site.Add(ctx, leaf)
	if err != nil {
		return keep.Said{}, err
	}
	return keep.Said{Leaf: leaf, Index: at}, a.db.SetAuditLogged(ctx, line.ID, at)
}

// logUnlogged brings lines into the site's log that a crash kept out of it.
func (a *App) logUnlogged(ctx context.Context) error {
	for {
		lines, err := a.db.ListUnlogged(ctx, 100)
		if err != nil || len(lines) == 0 {
			return err
		}
		for _, line := range lines {
			if time.Since(line.At) < time.Minute {
				return nil // on its way
			}
			if _, err := a.logAudit(ctx, line); err != nil {
				return err
			}
		}
	}
}

// AuditRows returns the hashes of the lines of an audit by their place in the site's log, for those
// who check the log. The store is opened as the gateway opens it.
func AuditRows(ctx context.Context, url string, log *slog.Logger) (rows map[uint64]string, err error) {
	db, err := store.Open(ctx, url, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows = map[uint64]string{}
	for last := uint64(0); ; {
		lines, err := db.ListLogged(ctx, last, 1000)
		if err != nil || len(lines) == 0 {
			return rows, err
		}
		for _, line := range lines {
			leaf, _, err := auditLeaf(line)
			if err != nil {
				return nil, err
			}
			rows[line.Logged-1], last = leaf.Text("row"), line.Logged
		}
	}
}
