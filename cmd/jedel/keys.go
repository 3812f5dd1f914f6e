package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jedel/internal/app"
	"jedel/internal/config"
	"jedel/recorder/derive"
	"jedel/recorder/disk"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
)

type keysCmd struct {
	Data string `help:"Folder of everything the gateway keeps." default:"data"`

	Init         keysInitCmd   `cmd:"" help:"Make a playback key and the list of recipients with it alone."`
	New          keysNewCmd    `cmd:"" help:"Make an identity for another keeper, on their own machine; prints the public key for add-recipient."`
	AddRecipient keysAddCmd    `cmd:"" help:"Let somebody else open recordings: from now on, and with --existing also those that are there."`
	Rotate       keysRotateCmd `cmd:"" help:"Make a new playback key. Old recordings stay with the old one, which is kept in the same file."`
	Drill        keysDrillCmd  `cmd:"" help:"Try whether recordings can be opened with a keeper's key, from both copies of each call's key. Exit code 4: some cannot."`
}

func (c keysCmd) config() config.Evidence {
	e := config.Default().Evidence
	e.Recipients = strings.Replace(e.Recipients, "data/", c.Data+"/", 1)
	e.PlaybackKey = strings.Replace(e.PlaybackKey, "data/", c.Data+"/", 1)
	return e
}

func (c keysCmd) recipients() ([]keys.Recipient, error) {
	raw, err := os.ReadFile(c.config().Recipients)
	if err != nil {
		return nil, err
	}
	return keys.ParseRecipients(string(raw))
}

func (c keysCmd) identities(file string) ([]keys.Identity, error) {
	if file == "" {
		file = c.config().PlaybackKey
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return keys.ParseIdentities(string(raw))
}

// archives gives every archive of the gateway.
func (c keysCmd) archives(fn func(path string, dir fs.FS) error) error {
	root := filepath.Join(c.Data, "archive")
	dirs, err := fs.Glob(os.DirFS(root), "calls/*/*/*/*")
	if err != nil {
		return err
	}
	for _, d := range dirs {
		path := filepath.Join(root, filepath.FromSlash(d))
		if err := fn(path, os.DirFS(path)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

type keysInitCmd struct{}

// Run makes the first keys.
func (keysInitCmd) Run(p *program) error {
	c := p.Keys.config()
	if err := app.MakeKeys(c); err != nil {
		return err
	}
	fmt.Printf("%s: opens every recording. Copy it off this machine and lock it away.\n%s: who may open recordings.\n", c.PlaybackKey, c.Recipients)
	return nil
}

type keysNewCmd struct {
	Out string `arg:"" help:"File for the secret key; it must not be there yet."`
}

// Run makes an identity.
func (c keysNewCmd) Run() error {
	id, err := newKeyFile(c.Out)
	if err != nil {
		return err
	}
	fmt.Println(id.Recipient("").Text)
	return nil
}

// newKeyFile makes an identity and writes its secret to a file that must not be there yet.
func newKeyFile(path string) (keys.Identity, error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return keys.Identity{}, fmt.Errorf("%s is there already", path)
	}
	id, err := keys.NewIdentity()
	if err != nil {
		return id, err
	}
	return id, app.WriteSecret(path, []byte(id.Secret()+"\n"))
}

type keysAddCmd struct {
	Name     string `arg:"" help:"Who it is, for people."`
	Key      string `arg:"" help:"Their public key, age1pq1..."`
	Existing bool   `help:"Also wrap the keys of existing recordings to them; needs the playback key."`
}

// Run adds a recipient.
func (c keysAddCmd) Run(p *program) error {
	all, err := p.Keys.recipients()
	if err != nil {
		return err
	}
	one, err := keys.ParseRecipients(c.Key + " " + c.Name)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Text == one[0].Text {
			return fmt.Errorf("%s is a recipient already, as %q", one[0].ID(), r.Name)
		}
	}
	if c.Existing {
		if err := c.rewrap(p.Keys, one[0]); err != nil {
			return err
		}
	}
	if err := app.WriteSecret(p.Keys.config().Recipients, []byte(keys.FormatRecipients(append(all, one...)))); err != nil {
		return err
	}
	fmt.Println("Calls that begin after the next start of the gateway can be opened by", len(all)+1, "keys.")
	return nil
}

// rewrap wraps the keys of existing calls to one more recipient, beside the sealed wrappings.
func (c keysAddCmd) rewrap(k keysCmd, to keys.Recipient) error {
	ids, err := k.identities("")
	if err != nil {
		return err
	}
	calls, files := 0, 0
	err = k.archives(func(path string, dir fs.FS) error {
		names, err := plain.KeyFiles(dir)
		if err != nil {
			return err
		}
		calls++
		for _, name := range names {
			raw, err := fs.ReadFile(dir, name)
			if err != nil {
				return err
			}
			kek, err := keys.UnwrapKEK(raw, ids...)
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s/%s stays closed: %v\n", path, name, err)
				continue
			}
			wrapped, err := keys.WrapKEK(kek, []keys.Recipient{to})
			if err != nil {
				return err
			}
			files++
			if err := (disk.OS{Root: path}).Replace("kek-"+kek.ID()+"."+to.ID()+".age", wrapped); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Printf("%d keys of %d recordings wrapped to %s\n", files, calls, to.ID())
	return err
}

type keysRotateCmd struct{}

// Run makes a new playback key, the first of its file, and puts it in the old one's place in the
// list of recipients.
func (keysRotateCmd) Run(p *program) error {
	c := p.Keys.config()
	all, err := p.Keys.recipients()
	if err != nil {
		return err
	}
	ids, err := p.Keys.identities("")
	if err != nil {
		return err
	}
	id, err := keys.NewIdentity()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(c.PlaybackKey)
	if err != nil {
		return err
	}
	// The identity first: a recipient without one would close calls for ever.
	text := "# In use since " + time.Now().UTC().Format(time.DateOnly) + "; those below open older recordings.\n" + id.Secret() + "\n" + string(old)
	if err := app.WriteSecret(c.PlaybackKey, []byte(text)); err != nil {
		return err
	}
	next := []keys.Recipient{id.Recipient("playback")}
	for _, r := range all {
		mine := false
		for _, i := range ids {
			mine = mine || i.Recipient("").Text == r.Text
		}
		if !mine {
			next = append(next, r)
		}
	}
	if err := app.WriteSecret(c.Recipients, []byte(keys.FormatRecipients(next))); err != nil {
		return err
	}
	fmt.Printf("New playback key, in use from the next start of the gateway. Copy %s off this machine again.\n", c.PlaybackKey)
	return nil
}

type keysDrillCmd struct {
	Identity string `help:"The keeper's secret key; left out, the playback key." type:"existingfile"`
	Last     int    `help:"How many recordings, the newest." default:"20"`
}

// Run tries to open recordings.
func (c keysDrillCmd) Run(p *program) error {
	ids, err := p.Keys.identities(c.Identity)
	if err != nil {
		return err
	}
	type one struct {
		path string
		dir  fs.FS
	}
	var all []one
	if err := p.Keys.archives(func(path string, dir fs.FS) error {
		all = append(all, one{path, dir})
		return nil
	}); err != nil {
		return err
	}
	all = all[max(0, len(all)-c.Last):]
	bad := 0
	for _, a := range all {
		if err := drill(p.Keys, a.path, a.dir, ids); err != nil {
			bad++
			fmt.Printf("%s  %v\n", a.path, err)
		}
	}
	fmt.Printf("%d of %d recordings open with this key, from both copies of their keys.\n", len(all)-bad, len(all))
	if bad > 0 {
		return exitCode(4)
	}
	return nil
}

// drill opens one recording with the keys beside it and with those of the store of keys.
func drill(k keysCmd, path string, dir fs.FS, ids []keys.Identity) error {
	names, err := plain.KeyFiles(dir)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return nil // plain
	}
	second := os.DirFS(filepath.Join(k.Data, "archive", "keystore", filepath.Base(path)))
	for _, from := range []struct {
		what string
		fsys fs.FS
	}{{"beside it", dir}, {"in the store of keys", second}} {
		ring, err := plain.Unwrap(from.fsys, ids...)
		if err != nil {
			return fmt.Errorf("the key %s: %w", from.what, err)
		}
		rec, err := derive.Load(dir, ring)
		if err != nil {
			return err
		}
		for _, f := range rec.Timeline().Faults {
			return fmt.Errorf("with the key %s: at %.1f s: %s", from.what, float64(f.Ms)/1e3, f.What)
		}
	}
	return nil
}
