package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/export"
	"jedel/recorder/keys"
	"jedel/web"
)

type evidenceExportCmd struct {
	identity
	outsiders
	Dir          string   `arg:"" help:"Folder of the archive." type:"existingdir"`
	Out          string   `required:"" help:"File to write: NAME.zip or NAME.tar; it must not be there yet."`
	Lang         string   `help:"Language of the pages: kk, ru, en." enum:"kk,ru,en" default:"kk"`
	By           string   `help:"Who makes the copy."`
	Organization string   `help:"For whom it is made."`
	Case         string   `help:"Case number."`
	Reason       string   `help:"Why it is made."`
	Withhold     []string `help:"What the receiver does not get: STREAM or STREAM:FROM-TO, such as 0, 3:10s-1m30s, all:0s-20s; 0 is the journal with chat and positions." placeholder:"STREAM[:FROM-TO]"`
	To           string   `help:"File with the age recipient of the receiver: the copy is encrypted for it alone." type:"existingfile"`
}

// Run writes the copy; nothing is left of it where it fails.
func (c evidenceExportCmd) Run(ctx context.Context) error {
	dir := os.DirFS(c.Dir)
	request, err := c.request()
	if err != nil {
		return err
	}
	site, err := c.site(dir)
	if err != nil {
		return err
	}
	x, err := export.Prepare(ctx, dir, request, site)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(c.pack(ctx, f, x, request.Recipient), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	tags, err := x.TagSum(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s, %d bytes of content, tagmanifest SHA-256 %s\n", c.Out, x.Name(), x.Size(), tags)
	return nil
}

func (c evidenceExportCmd) request() (export.Request, error) {
	r := export.Request{ID: ident.New[string](), At: time.Now().Truncate(time.Second), By: c.By, Organization: c.Organization, Case: c.Case, Reason: c.Reason, Lang: c.Lang}
	for _, w := range c.Withhold {
		s, err := export.ParseStretch(w)
		if err != nil {
			return r, err
		}
		r.Withhold = append(r.Withhold, s)
	}
	if c.To == "" {
		return r, nil
	}
	raw, err := os.ReadFile(c.To)
	if err != nil {
		return r, err
	}
	to, err := keys.ParseRecipients(string(raw))
	if err != nil || len(to) != 1 {
		return r, errors.Join(fmt.Errorf("%s: one recipient is wanted, there are %d", c.To, len(to)), err)
	}
	r.Recipient = to[0]
	return r, nil
}

// site is what stands in the folder of the archives beside the archive.
func (c evidenceExportCmd) site(dir fs.FS) (s export.Site, err error) {
	s.Version = version
	if s.Ring, err = c.ring(dir, c.Dir); err != nil {
		return s, err
	}
	beside := filepath.Join(c.Dir, "../../../../..", "keys")
	if raw, err := os.ReadFile(filepath.Join(beside, "recorder.pub")); err == nil {
		s.Key = strings.TrimSpace(string(raw))
	}
	if s.Log, err = c.log(beside); err != nil {
		return s, err
	}
	if s.Viewer, err = fs.ReadFile(web.Pages(), "viewer.html"); err != nil {
		return s, fmt.Errorf("viewer: %w", err)
	}
	s.Tools, err = export.ToolsIn(tools())
	return s, err
}

func (c evidenceExportCmd) pack(ctx context.Context, w io.Writer, x *export.Export, to keys.Recipient) (err error) {
	name := strings.TrimSuffix(c.Out, ".age")
	if (to.Text != "") != (name != c.Out) {
		return fmt.Errorf("%s: a copy for one receiver ends in .age, any other does not", c.Out)
	}
	switch filepath.Ext(name) {
	case ".zip":
		return x.Pack(ctx, w, to, false)
	case ".tar":
		return x.Pack(ctx, w, to, true)
	}
	return fmt.Errorf("%s: neither .zip nor .tar", c.Out)
}
