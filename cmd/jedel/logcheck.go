package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"jedel/internal/app"
	"jedel/recorder/logcheck"
)

type evidenceLogCmd struct {
	outsiders
	Archive string   `help:"Folder of the archives, with the log in its folder site." default:"data/archive" type:"existingdir"`
	Older   []string `help:"File with a checkpoint of the log that was seen before; a .tlog-proof is none." type:"existingfile"`
	Store   string   `help:"Where the gateway keeps its audit, as store.url of its configuration; its lines are held against the log." placeholder:"URL"`
	JSON    bool     `help:"Print the report as JSON."`
}

// Exit codes of the check.
const (
	logPartial = 2
	logWrong   = 4
)

// Run reads the whole log.
func (c evidenceLogCmd) Run(ctx context.Context) error {
	known, err := c.log(filepath.Join(c.Archive, "keys"))
	if err != nil {
		return err
	}
	cfg := logcheck.Config{Dir: os.DirFS(filepath.Join(c.Archive, "site")), Archives: os.DirFS(c.Archive), Keys: known.Keys, Policy: known.Policy}
	for _, name := range c.Older {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		cfg.Older = append(cfg.Older, raw)
	}
	if c.Store != "" {
		if cfg.Rows, err = app.AuditRows(ctx, c.Store, slog.New(slog.DiscardHandler)); err != nil {
			return err
		}
	}
	if !c.JSON {
		cfg.Progress = func(done, of uint64) {
			if done > 0 {
				fmt.Fprintf(os.Stderr, "%d of %d statements\n", done, of)
			}
		}
	}
	report, err := logcheck.Check(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", " ")
		err = enc.Encode(report)
	} else {
		_, err = fmt.Print(report.Text())
	}
	switch {
	case err != nil:
		return err
	case len(report.Problems) > 0 || report.Policy && !report.Witnessed:
		return exitCode(logWrong)
	case len(c.LogKey) == 0 || !report.Policy || c.Store == "":
		return exitCode(logPartial)
	}
	return nil
}
