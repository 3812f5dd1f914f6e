package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jedel/recorder/derive"
	"jedel/recorder/verify"
)

type evidenceCmd struct {
	List      evidenceListCmd   `cmd:"" help:"List the archives of this machine."`
	Verify    evidenceVerifyCmd `cmd:"" help:"Check an archive; needs no secret and no network. Exit code 0: everything is right; 2: what could be checked is right, but not everything could be; 4, 8, 16 added up: V0, V1, V2 failed."`
	PlayFiles evidencePlayCmd   `cmd:"" help:"Make playable files (WebM, MP4) of an archive."`
	Fetch     evidenceFetchCmd  `cmd:"" help:"Fetch an archive from a gateway, as it is stored."`
}

type evidenceListCmd struct {
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
		rec, err := derive.Load(sub)
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
	Dir  string   `arg:"" help:"Folder of the archive." type:"existingdir"`
	Key  []string `help:"File with the recorder's public key, got from elsewhere than the archive. Left out, the one of the archive folder is used if there is one." type:"existingfile"`
	JSON bool     `help:"Print the report as JSON."`
}

// Run prints the report and ends with its code.
func (c evidenceVerifyCmd) Run() error {
	files := c.Key
	if len(files) == 0 { // DIR = .../calls/YYYY/MM/DD/CALL
		beside := filepath.Join(c.Dir, "../../../../..", "keys", "recorder.pub")
		if _, err := os.Stat(beside); err == nil {
			files = []string{beside}
		}
	}
	var opts verify.Options
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		opts.Keys = append(opts.Keys, strings.TrimSpace(string(raw)))
	}
	report, err := verify.Dir(os.DirFS(c.Dir), opts)
	if err != nil {
		return err
	}
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
	Dir string `arg:"" help:"Folder of the archive." type:"existingdir"`
	Out string `help:"Folder for the files." default:"."`
}

// Run writes one file per participant.
func (c evidencePlayCmd) Run() error {
	rec, err := derive.Load(os.DirFS(c.Dir))
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

type evidenceFetchCmd struct {
	Call     string `arg:"" help:"Id of the call."`
	URL      string `name:"url" help:"Address of the gateway." default:"http://localhost:8080"`
	Login    string `help:"Account of an investigator." required:""`
	Password string `help:"Its password." env:"JEDEL_PASSWORD" required:""`
	Out      string `help:"File to write; CALL.tar where it is left out."`
}

// Run signs in, fetches, and gives the file its name only when it is whole.
func (c evidenceFetchCmd) Run(ctx context.Context) error {
	body, err := json.Marshal(map[string]string{"login": c.Login, "password": c.Password})
	if err != nil {
		return err
	}
	var session struct {
		Token string `json:"token"`
	}
	raw, err := c.ask(ctx, http.MethodPost, "/api/v1/staff/session", "", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	defer raw.Close()
	if err := json.NewDecoder(raw).Decode(&session); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	in, err := c.ask(ctx, http.MethodGet, "/api/v1/evidence/calls/"+c.Call+"/archive.tar", session.Token, nil)
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	defer in.Close()
	out := c.Out
	if out == "" {
		out = filepath.Base(c.Call) + ".tar"
	}
	f, err := os.Create(out + ".part")
	if err != nil {
		return err
	}
	n, err := io.Copy(f, in)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	fmt.Printf("%s, %d bytes\n", out, n)
	return os.Rename(out+".part", out)
}

func (c evidenceFetchCmd) ask(ctx context.Context, method, path, token string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.URL, "/")+path, body)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
		return nil, errors.Join(fmt.Errorf("%s: %s", res.Status, text), res.Body.Close())
	}
	return res.Body, nil
}
