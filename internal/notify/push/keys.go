// Package push sends notices to browsers (RFC 8030) under the site's own key (RFC 8292), encrypted for the
// browser alone (RFC 8291).
package push

import (
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	webpush "github.com/SherClockHolmes/webpush-go"
)

// Keys are the site's, base64url. A browser's subscription is bound to Public: with other keys every one is lost.
type Keys struct {
	Public  string `json:"public"`
	Private string `json:"private"`
}

// LoadKeys reads the keys from a file, or makes them where there is none. The file is its owner's alone.
func LoadKeys(path string) (Keys, error) {
	k, err := readKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k.Private, k.Public, err = webpush.GenerateVAPIDKeys(); err != nil {
		return Keys{}, fmt.Errorf("make keys: %w", err)
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return Keys{}, err
	}
	switch err := create(path, append(raw, '\n')); {
	case errors.Is(err, fs.ErrExist): // another process was first
		return readKeys(path)
	case err != nil:
		return Keys{}, fmt.Errorf("keep keys: %w", err)
	}
	return k, nil
}

// create makes a file whole or not at all, and outlives a power cut.
func create(path string, raw []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".vapid-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // never over what is there
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func readKeys(path string) (k Keys, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(raw, &k); err != nil {
		return k, fmt.Errorf("%s: %w", path, err)
	}
	private, err := base64.RawURLEncoding.DecodeString(k.Private)
	if err != nil {
		return k, fmt.Errorf("%s: %w", path, err)
	}
	key, err := ecdh.P256().NewPrivateKey(private)
	if err != nil || base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()) != k.Public {
		return k, fmt.Errorf("%s: not a pair of keys", path)
	}
	return k, nil
}
