package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"

	"jedel/recorder/bag"
	"jedel/recorder/derive"
	"jedel/recorder/keys"
	"jedel/recorder/verify"
)

// Remake makes the files to play of a bag again from its archive, for verify.Report.Remade.
func Remake(ctx context.Context, fsys fs.FS, ring *keys.Ring) ([]verify.Derived, error) {
	list, err := verify.Derivations(fsys)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	dir, err := verify.Archive(fsys)
	if err != nil {
		return nil, err
	}
	rec, err := derive.Load(dir, ring)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for _, m := range rec.Timeline().Media {
		h := sha256.New()
		if _, err := rec.WriteMedia(h, m.Participant); err != nil {
			continue // it is missing among the sums
		}
		sums[stem(m.Participant)+ending(m.Mime)] = hex.EncodeToString(h.Sum(nil))
	}
	for i := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list[i].Made = sums[list[i].Name]
		if list[i].Found, err = sumOf(fsys, "data/playable/"+list[i].Name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// sumOf is the SHA-256 of a file in hex; empty where there is none.
func sumOf(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}

// stem is what a participant's files are called.
func stem(participant string) string { return bag.SafeName(participant) }
