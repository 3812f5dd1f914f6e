package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jedel/recorder/derive"
	"jedel/recorder/export"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/verify"
)

type evidenceCmd struct {
	List      evidenceListCmd     `cmd:"" help:"List the archives of this machine."`
	Verify    evidenceVerifyCmd   `cmd:"" help:"Check an archive; integrity needs no secret and no network. Exit code 0: everything is right; 2: what could be checked is right, but not everything could be; 4, 8, 16, 32, 64, 128 added up: V0 to V5 failed."`
	PlayFiles evidencePlayCmd     `cmd:"" help:"Make playable files (WebM, MP4) of an archive."`
	Disclose  evidenceDiscloseCmd `cmd:"" help:"Write the keys that open a part of a recording, for whoever may have that part; the rest of it stays closed and proven."`
	Export    evidenceExportCmd   `cmd:"" help:"Make a copy of an archive for somebody outside: a BagIt bag with reports, a viewer and what verifies it."`
	Log       evidenceLogCmd      `cmd:"" help:"Check the whole site log: that nothing of it was changed since it was signed or seen, that every recording it has is there, and every line of the audit. Exit code 0: all is right; 2: what could be checked is right, but not everything could be; 4: something is wrong; 1: there is no log to check."`
	Copies    evidenceCopiesCmd   `cmd:"" help:"Tell how the second copies in the bucket stand. Exit code 0: all there; 4: something is behind or not what it was."`
	Restore   evidenceRestoreCmd  `cmd:"" help:"Bring an archive back from the bucket, and verify it."`
	Fetch     evidenceFetchCmd    `cmd:"" help:"Fetch an archive from a gateway, as it is stored. Exit code 3: the gateway refused the account; 1: anything else went wrong, and no file is left."`
}

// identity is where the secret key lies that opens recordings. Integrity needs none.
type identity struct {
	Identity  string `help:"File with the secret key of a recipient. Left out, the playback key of the gateway's folder is used if it is there." type:"existingfile"`
	Disclosed string `help:"File of disclosed keys; used alone unless --identity is given." type:"existingfile"`
}

// ring returns the keys that open an archive: the given identity's, or that of the gateway whose
// archives lie in .../data/archive/calls/YYYY/MM/DD/CALL.
func (i identity) ring(dir fs.FS, path string) (*keys.Ring, error) {
	name := i.Identity
	if name == "" && i.Disclosed == "" {
		name = filepath.Join(path, "../../../../../..", "keys", "playback.key")
		if path == "" {
			name = filepath.Join("data", "keys", "playback.key")
		}
		if _, err := os.Stat(name); err != nil {
			name = "" // no key is no fault: the archive is read as far as that goes
		}
	}
	return plain.FromFiles(dir, name, i.Disclosed)
}

type evidenceListCmd struct {
	identity
	Archive string `help:"Folder of the archives." default:"data/archive" type:"existingdir"`
}

// Run prints a line per archive.
func (c evidenceListCmd) Run() error {
	dirs, err := fs.Glob(os.DirFS(c.Archive), "calls/*/*/*/*")
	if err != nil {
		return err
	}
	for _, d := range dirs {
		sub, err := fs.Sub(os.DirFS(c.Archive), d)
		if err != nil {
			return err
		}
		ring, err := c.ring(sub, "")
		if err != nil {
			return err
		}
		rec, err := derive.Load(sub, ring)
		if err != nil {
			fmt.Printf("%s  unreadable: %v\n", d, err)
			continue
		}
		state := "open  "
		if rec.Sealed {
			state = "sealed"
		}
		fmt.Printf("%s  %s  %s  %s\n", rec.Opened.Local().Format(time.DateTime), state, rec.Duration.Round(time.Second), filepath.Join(c.Archive, d))
	}
	return nil
}

type evidenceVerifyCmd struct {
	identity
	outsiders
	Dir  string   `arg:"" help:"Folder of the archive, or of an export." type:"existingdir"`
	Key  []string `help:"File with the recorder's public key, got from elsewhere than the archive. Left out, the one of the archive folder is used if there is one." type:"existingfile"`
	JSON bool     `help:"Print the report as JSON."`
}

// Run prints the report and ends with its code.
func (c evidenceVerifyCmd) Run(ctx context.Context) error {
	files := c.Key
	dir, err := verify.Archive(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	if len(files) == 0 { // DIR = .../calls/YYYY/MM/DD/CALL
		beside := filepath.Join(c.Dir, "../../../../..", "keys", "recorder.pub")
		if _, err := os.Stat(beside); err == nil {
			files = []string{beside}
		}
	}
	var opts verify.Options
	if opts.Ring, err = c.ring(dir, c.Dir); err != nil {
		return err
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		opts.Keys = append(opts.Keys, strings.TrimSpace(string(raw)))
	}
	if opts.Log, err = c.log(filepath.Join(c.Dir, "../../../../..", "keys")); err != nil {
		return err
	}
	report, err := verify.Dir(os.DirFS(c.Dir), opts)
	if err != nil {
		return err
	}
	made, err := export.Remake(ctx, os.DirFS(c.Dir), opts.Ring)
	if err != nil {
		return err
	}
	report.Remade(made, "jedel "+version)
	arrived, err := export.Arrived(os.DirFS(c.Dir), opts.Ring)
	if err != nil {
		return err
	}
	report.Arrived(arrived)
	show := report.Text
	if c.JSON {
		show = report.JSON
	}
	if err := show(os.Stdout); err != nil {
		return err
	}
	if report.Exit != 0 {
		return exitCode(report.Exit)
	}
	return nil
}

type evidencePlayCmd struct {
	identity
	Dir string `arg:"" help:"Folder of the archive." type:"existingdir"`
	Out string `help:"Folder for the files." default:"."`
}

// Run writes one file per participant.
func (c evidencePlayCmd) Run() error {
	dir, err := verify.Archive(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	ring, err := c.ring(dir, c.Dir)
	if err != nil {
		return err
	}
	rec, err := derive.Load(dir, ring)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	for _, m := range rec.Timeline().Media {
		ending := ".webm"
		if strings.Contains(m.Mime, "mp4") {
			ending = ".mp4"
		}
		name := filepath.Join(c.Out, m.Participant+ending)
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		_, err = rec.WriteMedia(f, m.Participant)
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%s  %s, begins at %.3f s, %.3f s long\n", name, m.Mime, float64(m.OffsetMs)/1e3, float64(m.DurationMs)/1e3)
	}
	return nil
}

type evidenceDiscloseCmd struct {
	identity
	Dir    string        `arg:"" help:"Folder of the archive." type:"existingdir"`
	Stream []uint16      `help:"Only these streams; 0 is the journal with chat, positions and events. Their numbers are in the report of verify --json."`
	From   time.Duration `help:"Only from this time of the call on, in steps of ten seconds."`
	To     time.Duration `help:"Only up to this time of the call, in steps of ten seconds."`
	Out    string        `required:"" help:"File for the keys; it must not be there yet."`
}

// Run writes the file of keys.
func (c evidenceDiscloseCmd) Run() error {
	ring, err := c.ring(os.DirFS(c.Dir), c.Dir)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := plain.Disclose(f, os.DirFS(c.Dir), ring, plain.Selection{Streams: c.Stream, From: uint64(c.From), To: uint64(c.To)})
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	fmt.Printf("%s: %d keys. Whoever has this file and the archive can open that part of the call.\n", c.Out, n)
	return nil
}
