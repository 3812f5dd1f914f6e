package export

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"jedel/recorder/keys"
)

// ToolsIn lists the programs of a folder; there need not be any.
func ToolsIn(dir string) ([]Tool, error) {
	if dir == "" {
		return nil, nil
	}
	names, err := filepath.Glob(filepath.Join(dir, "evr-*"))
	if err != nil {
		return nil, err
	}
	var out []Tool
	for _, n := range names {
		out = append(out, Tool{Name: filepath.Base(n), Fill: func(w io.Writer) error {
			f, err := os.Open(n)
			if err != nil {
				return err
			}
			_, err = io.Copy(w, f)
			return errors.Join(err, f.Close())
		}})
	}
	return out, nil
}

// Pack writes the bag as a tar or a zip; with a receiver as an age file that only they can open.
func (e *Export) Pack(ctx context.Context, w io.Writer, to keys.Recipient, tar bool) error {
	write := e.Zip
	if tar {
		write = e.Tar
	}
	if to.Text == "" {
		return write(ctx, w)
	}
	sealed, err := keys.Encrypt(w, to)
	if err != nil {
		return err
	}
	return errors.Join(write(ctx, sealed), sealed.Close())
}
