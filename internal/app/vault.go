package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/recorder/broker"
	"jedel/recorder/derive"
	"jedel/recorder/disk"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/proof"
)

// vault opens recordings, where this machine can: by a broker in another process, or with identities
// of its own. Each use of a call's key is in the site's log before the key is opened.
type vault struct {
	broker *broker.Client // nil: ids are here
	ids    []keys.Identity
	site   interface {
		Add(ctx context.Context, leaf proof.Leaf) (uint64, error)
	}
}

// openVault reads who may open recordings and, where it is on this machine, the playback key. At
// the first start it makes both and says in plain words what to do with them.
func openVault(c config.Evidence, socket string, say func(string)) ([]keys.Recipient, vault, error) {
	if _, err := os.Stat(c.Recipients); errors.Is(err, fs.ErrNotExist) {
		if err := MakeKeys(c); err != nil {
			return nil, vault{}, err
		}
		if say != nil {
			say("Keys for recordings were made. Copy " + c.PlaybackKey + " to a safe place off this machine now: without it no recording can ever be opened.\n" +
				"Whoever has that file can open every recording. Add a second keeper with `jedel keys add-recipient`.")
		}
	}
	raw, err := os.ReadFile(c.Recipients)
	if err != nil {
		return nil, vault{}, err
	}
	to, err := keys.ParseRecipients(string(raw))
	if err != nil {
		return nil, vault{}, fmt.Errorf("%s: %w", c.Recipients, err)
	}
	var v vault
	if socket != "" {
		v.broker = broker.Dial(socket)
		return to, v, nil
	}
	if c.PlaybackKey == "" {
		return to, v, nil
	}
	raw, err = os.ReadFile(c.PlaybackKey)
	if errors.Is(err, fs.ErrNotExist) {
		return to, v, nil // kept elsewhere
	}
	if err == nil {
		v.ids, err = keys.ParseIdentities(string(raw))
	}
	if err != nil {
		return nil, v, fmt.Errorf("%s: %w", c.PlaybackKey, err)
	}
	return to, v, nil
}

// MakeKeys makes an identity for playback and the list of recipients with it alone. Neither may be
// there yet: a key that is written over closes every recording made for it.
func MakeKeys(c config.Evidence) error {
	if c.PlaybackKey == "" {
		return fmt.Errorf("%s is not there, and evidence.playback_key is empty: make keys with `jedel keys init` where they shall be kept", c.Recipients)
	}
	for _, name := range []string{c.PlaybackKey, c.Recipients} {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("%s is there already", name), err)
		}
	}
	id, err := keys.NewIdentity()
	if err != nil {
		return err
	}
	secret := "# Opens every recording of this site. Keep copies off this machine; show it to nobody.\n" + id.Secret() + "\n"
	if err := WriteSecret(c.PlaybackKey, []byte(secret)); err != nil {
		return err
	}
	list := "# Who may open recordings: public keys, one a line, with a name.\n" + keys.FormatRecipients([]keys.Recipient{id.Recipient("playback")})
	return WriteSecret(c.Recipients, []byte(list))
}

// WriteSecret writes a file that survives a power cut whole or not at all, for its owner only.
func WriteSecret(name string, raw []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return disk.OS{Root: dir}.Replace(filepath.Base(name), raw)
}

// opening is a use of a call's key.
type opening struct {
	call ident.CallID
	use  string // what it is opened for: play, verify, photo
	dir  folder
}

// ring returns the keys that open an archive here. Without an identity it is empty.
func (v vault) ring(ctx context.Context, o opening) (*keys.Ring, error) {
	if v.broker == nil && len(v.ids) == 0 {
		return nil, nil
	}
	at, err := v.site.Add(ctx, proof.Leaf{Kind: proof.LeafKeyUse, Call: o.call, At: time.Now(), Facts: map[string]any{"use": o.use}})
	if err != nil {
		return nil, err
	}
	if v.broker != nil {
		return v.broker.Open(ctx, broker.Request{Dir: o.dir.at, Index: at})
	}
	return plain.Unwrap(o.dir, v.ids...)
}

// play reads an archive as far as its keys are here.
func (v vault) play(ctx context.Context, o opening) (*derive.Recording, error) {
	ring, err := v.ring(ctx, o)
	if err != nil {
		return nil, err
	}
	return derive.Load(o.dir, ring)
}
