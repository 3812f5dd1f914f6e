package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"jedel/internal/app"
	"jedel/internal/blob"
	"jedel/internal/config"
	"jedel/internal/replica"
	"jedel/recorder/verify"
)

// bucket is the way to the second copies.
type bucket struct {
	Config string `help:"Configuration of the gateway, for where the bucket is." required:"" type:"existingfile"`
}

func (b bucket) open() (config.Config, *blob.Bucket, error) {
	cfg, err := config.Load(b.Config)
	if err != nil {
		return cfg, nil, err
	}
	if cfg.Replica.Endpoint == "" {
		return cfg, nil, fmt.Errorf("%s: replica.endpoint is empty: there are no second copies", b.Config)
	}
	to, err := app.OpenBucket(cfg.Replica)
	return cfg, to, err
}

type evidenceRestoreCmd struct {
	bucket
	Call string `arg:"" help:"The archive, as YYYY/MM/DD/CALL by the UTC day on which the call was opened."`
	Out  string `required:"" help:"Folder to make; the archive comes to be in it."`
}

var archiveName = regexp.MustCompile(`^\d{4}/\d{2}/\d{2}/[0-9a-z]{26}(\.\d{1,2})?$`)

// Run fetches an archive, with its wrapped keys where their second copies are on this machine, and
// verifies it.
func (c evidenceRestoreCmd) Run(ctx context.Context) error {
	if !archiveName.MatchString(c.Call) {
		return fmt.Errorf("%q is not YYYY/MM/DD/CALL", c.Call)
	}
	cfg, from, err := c.open()
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.Out, 0o700); err != nil {
		return err
	}
	n, err := replica.Fetch(ctx, from, "calls/"+c.Call, func(name string) (io.WriteCloser, error) {
		full := filepath.Join(c.Out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			return nil, err
		}
		return os.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	})
	if err != nil {
		return err
	}
	kept, err := c.keys(cfg)
	if err != nil {
		return err
	}
	fmt.Printf("%d files from the bucket, %d wrapped keys from the keystore\n\n", n, kept)
	report, err := verify.Dir(os.DirFS(c.Out), verify.Options{})
	if err != nil {
		return err
	}
	if err := report.Text(os.Stdout); err != nil {
		return err
	}
	if report.Exit > verify.ExitPartial {
		return exitCode(report.Exit)
	}
	return nil
}

// keys copies the wrapped keys of the call from the keystore; they are never in the bucket.
func (c evidenceRestoreCmd) keys(cfg config.Config) (n int, err error) {
	store := cfg.Evidence.Keystore
	if store == "" {
		store = filepath.Join(cfg.Recorder.Dir, "keystore")
	}
	names, err := filepath.Glob(filepath.Join(store, path.Base(c.Call), "kek-*.age"))
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return n, err
		}
		if err := os.WriteFile(filepath.Join(c.Out, filepath.Base(name)), raw, 0o600); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

type evidenceCopiesCmd struct {
	bucket
	JSON bool `help:"Print a line of JSON for each archive."`
}

// Run tells how the second copies of every archive stand.
func (c evidenceCopiesCmd) Run(ctx context.Context) error {
	cfg, to, err := c.open()
	if err != nil {
		return err
	}
	if err := to.Check(ctx); err != nil {
		return err
	}
	total, behind, wrong := 0, 0, 0
	err = replica.Survey(ctx, os.DirFS(cfg.Recorder.Dir), to, func(s replica.Standing) error {
		total++
		if s.Missing > 0 {
			behind++
		}
		if s.Differs+s.Hidden > 0 {
			wrong++
		}
		if c.JSON {
			return json.NewEncoder(os.Stdout).Encode(s)
		}
		if s.Missing+s.Differs+s.Hidden > 0 {
			fmt.Printf("%s  missing %d of %d, different %d, hidden %d\n", s.Dir, s.Missing, s.Closed, s.Differs, s.Hidden)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Printf("%d archives: %d behind, %d not what they were\n", total, behind, wrong)
	}
	if behind+wrong > 0 {
		return exitCode(logWrong)
	}
	return nil
}
