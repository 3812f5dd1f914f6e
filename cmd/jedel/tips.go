package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"jedel/internal/app"
	"jedel/internal/fault"
	"jedel/internal/tipmail"
	"jedel/internal/tips"
	"jedel/recorder/keys"
)

type tipsCmd struct {
	Keygen tipsKeygenCmd `cmd:"" help:"Make a unit's key on the unit's own machine; prints what goes into the configuration."`
	List   tipsListCmd   `cmd:"" help:"List the letters to a unit."`
	Read   tipsReadCmd   `cmd:"" help:"Open letters: words are printed, files are written to a folder."`
	Reply  tipsReplyCmd  `cmd:"" help:"Reply to whoever wrote a letter; the words come from standard input."`
	Prune  tipsPruneCmd  `cmd:"" help:"Delete letters on the gateway for good. Reply first: a mailbox without letters and replies is gone."`
	Send   tipsSendCmd   `cmd:"" help:"Write a tip without the page; the words come from standard input. Prints the code of the mailbox."`
	Inbox  tipsInboxCmd  `cmd:"" help:"Read the replies in a mailbox; the code comes from standard input."`
}

// tipsServer is where a listener of tips is.
type tipsServer struct {
	Server string `required:"" help:"Address of the listener, https://tips.example.kz/. Through Tor: set ALL_PROXY or HTTP_PROXY to socks5h://127.0.0.1:9050."`
	CA     string `name:"ca" help:"Certificate (PEM) that the listener's goes back to, where this machine does not know it." type:"existingfile"`
}

func (s tipsServer) client() (tipmail.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if s.CA != "" {
		raw, err := os.ReadFile(s.CA)
		if err != nil {
			return tipmail.Client{}, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(raw) {
			return tipmail.Client{}, fmt.Errorf("%s: no certificate in it", s.CA)
		}
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	return tipmail.Client{Server: s.Server, HTTP: &http.Client{Transport: t, Timeout: 20 * time.Minute}}, nil
}

// said turns a refusal of the listener into words.
func said(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return &refusal{code: string(f.Code), words: fault.Words(f.Code).EN}
	}
	return err
}

// tipsUnit is a unit with its key at a listener.
type tipsUnit struct {
	tipsServer
	Unit string `required:"" help:"Key of the unit in the configuration."`
	Key  string `required:"" help:"File with the unit's secret keys, as keygen makes it; several lines where keys were changed." type:"existingfile"`
}

func (u tipsUnit) duty(ctx context.Context) (*tipmail.Duty, error) {
	raw, err := os.ReadFile(u.Key)
	if err != nil {
		return nil, err
	}
	ids, err := keys.ParseIdentities(string(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Key, err)
	}
	c, err := u.client()
	if err != nil {
		return nil, err
	}
	d, err := c.Duty(ctx, u.Unit, ids)
	if errors.Is(err, keys.ErrNoKey) {
		return nil, fmt.Errorf("%s: not a key of the unit %s there", u.Key, u.Unit)
	}
	return d, said(err)
}

type tipsKeygenCmd struct {
	Out string `arg:"" help:"File for the secret key; it must not be there yet. It stays with the unit."`
}

// Run makes a key.
func (c tipsKeygenCmd) Run() error {
	id, err := newKeyFile(c.Out)
	if err != nil {
		return err
	}
	public := id.Recipient("").Text
	fmt.Printf("%s opens every tip to the unit. Keep a second copy locked away; it never goes to the gateway's machine.\n"+
		"For tips.units in the configuration:\nrecipients: [%s]\nFingerprint, if this is the unit's only key: %s\nPublish it where citizens believe it: on paper, in the newspaper.\n", c.Out, public, tips.Fingerprint([]string{public}))
	return nil
}

type tipsListCmd struct{ tipsUnit }

// Run lists letters; letters of one mailbox are of one citizen.
func (c tipsListCmd) Run(ctx context.Context) error {
	d, err := c.duty(ctx)
	if err != nil {
		return err
	}
	list, err := d.List(ctx)
	if err != nil {
		return said(err)
	}
	fmt.Println("DAY         MAILBOX   BYTES     LETTER")
	for _, e := range list {
		fmt.Printf("%s  %.8s  %-8d  %s\n", e.Day, e.Mailbox, e.Bytes, e.Letter)
	}
	return nil
}

type tipsReadCmd struct {
	tipsUnit
	Letter []string `arg:"" optional:"" help:"Letters, by the beginning of their names; all where none is given."`
	Out    string   `help:"Folder for the files of letters. Left out, files are named and not written."`
}

// Run opens letters.
func (c tipsReadCmd) Run(ctx context.Context) error {
	d, err := c.duty(ctx)
	if err != nil {
		return err
	}
	list, err := chosen(ctx, d, c.Letter, true)
	if err != nil {
		return err
	}
	bad := 0
	for _, e := range list {
		fmt.Printf("--- %s  mailbox %.8s  letter %.16s\n", e.Day, e.Mailbox, e.Letter)
		l, err := d.Read(ctx, e.Letter)
		if err != nil {
			if bad++; fault.CodeOf(err) == fault.Internal {
				err = errors.New("does not open with this key, or is no letter")
			}
			fmt.Println("(!)", said(err))
			continue
		}
		fmt.Println(shown(l.Text))
		for i, f := range l.Files {
			name, err := keepFile(c.Out, fmt.Sprintf("%s-%.8s-%d", e.Day, e.Letter, i+1), f)
			if err != nil {
				return err
			}
			fmt.Printf("[%s, %d bytes, called %q by the sender]\n", name, len(f.Data), shown(f.Name))
		}
	}
	if bad > 0 {
		return exitCode(4)
	}
	return nil
}

// chosen returns the letters whose names begin so.
func chosen(ctx context.Context, d *tipmail.Duty, starts []string, orAll bool) ([]tipmail.Entry, error) {
	list, err := d.List(ctx)
	if err != nil || len(starts) == 0 && orAll {
		return list, said(err)
	}
	var out []tipmail.Entry
	for _, start := range starts {
		n := len(out)
		for _, e := range list {
			if start != "" && strings.HasPrefix(e.Letter, start) {
				out = append(out, e)
			}
		}
		if len(out) != n+1 {
			return nil, fmt.Errorf("%d letters begin with %q", len(out)-n, start)
		}
	}
	return out, nil
}

// shown makes hostile text fit for a terminal: nothing in it moves the cursor or turns the line around.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// suffixes of files that are kept under their kind; all others become .bin and open by nothing.
var suffixes = map[string]string{
	".jpg": ".jpg", ".jpeg": ".jpg", ".png": ".png", ".webp": ".webp", ".pdf": ".pdf", ".txt": ".txt", ".mp4": ".mp4", ".m4a": ".m4a", ".ogg": ".ogg", ".webm": ".webm",
}

// keepFile writes a file of a letter under a name of ours. What is in it is hostile: it belongs on a
// machine without a network.
func keepFile(dir, name string, f tips.File) (string, error) {
	suffix, ok := suffixes[strings.ToLower(filepath.Ext(f.Name))]
	if !ok {
		suffix = ".bin"
	}
	name += suffix
	if dir == "" {
		return "not written: " + name, nil
	}
	path := filepath.Join(dir, name)
	return path, app.WriteSecret(path, f.Data)
}

type tipsReplyCmd struct {
	tipsUnit
	Letter string `arg:"" help:"The letter, by the beginning of its name."`
}

// Run seals a reply and sends it.
func (c tipsReplyCmd) Run(ctx context.Context) error {
	text, err := words(os.Stdin)
	if err != nil {
		return err
	}
	d, err := c.duty(ctx)
	if err != nil {
		return err
	}
	one, err := chosen(ctx, d, []string{c.Letter}, false)
	if err != nil {
		return err
	}
	if err := d.Reply(ctx, one[0], text); err != nil {
		return said(err)
	}
	fmt.Println("It lies in the mailbox until the citizen comes back with the code.")
	return nil
}

// words reads what is written, to its end.
func words(r io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(r, tips.MaxText+2))
	text := strings.TrimSpace(string(raw))
	if err == nil && (text == "" || len(text) > tips.MaxText) {
		err = fmt.Errorf("%d bytes of words, want 1 to %d", len(text), tips.MaxText)
	}
	return text, err
}

type tipsPruneCmd struct {
	tipsUnit
	Letter []string `arg:"" optional:"" help:"Letters, by the beginning of their names."`
	Before string   `help:"All letters of days before this one, 2026-11-01."`
}

// Run deletes letters.
func (c tipsPruneCmd) Run(ctx context.Context) error {
	if _, err := time.Parse(time.DateOnly, c.Before); c.Before != "" && err != nil {
		return fmt.Errorf("--before: %q is not a day such as 2026-11-01", c.Before)
	}
	d, err := c.duty(ctx)
	if err != nil {
		return err
	}
	list, err := chosen(ctx, d, c.Letter, c.Before != "")
	if err != nil {
		return err
	}
	n := 0
	for _, e := range list {
		if c.Before != "" && e.Day >= c.Before {
			continue
		}
		if err := d.Prune(ctx, e.Letter); err != nil {
			return said(err)
		}
		n++
	}
	fmt.Println(n, "letters are deleted.")
	return nil
}
