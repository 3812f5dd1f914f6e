package replica

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"jedel/internal/blob"
)

// ErrNothing means that the bucket has nothing below a folder.
var ErrNothing = errors.New("the bucket has nothing there")

// goodName is a file of an archive: nothing that leads out of its folder.
var goodName = regexp.MustCompile(`^(proofs/)?[a-z0-9][a-z0-9.-]{0,79}$`)

// Fetch brings an archive back from the bucket, dir being its folder ("calls/2026/11/23/ID"): of
// each file the newest version that is none that hides it. What was sent with a hash and comes back
// with another is ErrDiffers. It returns how many files it wrote.
func Fetch(ctx context.Context, b Bucket, dir string, create func(name string) (io.WriteCloser, error)) (n int, err error) {
	there, err := b.Versions(ctx, dir+"/")
	if err != nil {
		return 0, err
	}
	had := map[string]bool{}
	for _, v := range there { // those of one name newest first
		name := strings.TrimPrefix(v.Key, dir+"/")
		if v.Marker || had[name] {
			continue
		}
		if !goodName.MatchString(name) {
			return n, fmt.Errorf("%q: %w", name, fs.ErrInvalid)
		}
		had[name] = true
		if err := fetch(ctx, b, v, func() (io.WriteCloser, error) { return create(name) }); err != nil {
			return n, err
		}
		n++
	}
	if n == 0 {
		return 0, ErrNothing
	}
	return n, nil
}

func fetch(ctx context.Context, b Bucket, v blob.Version, create func() (io.WriteCloser, error)) error {
	out, err := create()
	if err != nil {
		return err
	}
	h := sha256.New()
	said, err := b.Read(ctx, v, io.MultiWriter(out, h))
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if said != "" && said != hex.EncodeToString(h.Sum(nil)) {
		return fmt.Errorf("%s: %w", v.Key, ErrDiffers)
	}
	return nil
}

// Standing is how the copies of an archive stand.
type Standing struct {
	Dir     string `json:"dir"`
	Sealed  bool   `json:"sealed"`
	Closed  int    `json:"closed"`  // files here that nobody writes any more
	Missing int    `json:"missing"` // of them, not in the bucket
	Differs int    `json:"differs"` // another one is there
	Hidden  int    `json:"hidden"`  // there, behind a deletion's marker
}

// Survey tells how the copies of every archive stand, by names and sizes, the newest day first.
func Survey(ctx context.Context, archives fs.FS, b Bucket, visit func(Standing) error) error {
	f := folder{archives}
	return f.archives(ctx, "", func(a archive) error {
		files, sealed, err := f.closed(a.dir)
		if err != nil {
			return err
		}
		s := Standing{Dir: a.dir, Sealed: sealed, Closed: len(files)}
		there, err := b.Versions(ctx, a.dir+"/")
		if err != nil {
			return err
		}
		for i := range there {
			there[i].Key = strings.TrimPrefix(there[i].Key, a.dir+"/")
		}
		for _, step := range plan(files, there, nil) {
			switch step.act {
			case actPut:
				s.Missing++
			case actDiffers:
				s.Differs++
			case actShow:
				s.Hidden++
			}
		}
		return visit(s)
	})
}
