package bag

import (
	"archive/tar"
	"archive/zip"
	"context"
	"fmt"
	"io"
	"math"
)

// Zip writes the bag as a zip without compression: sound and pictures do not shrink, and a damaged
// bag can then be read around the damage. Files from 4 GiB on use zip64.
func (p *Plan) Zip(ctx context.Context, w io.Writer) error {
	z := zip.NewWriter(w)
	err := p.each(ctx, func(e entry) error {
		h := &zip.FileHeader{
			Name: p.base + "/" + e.name, Method: zip.Store, Flags: utf8Names, CRC32: e.sum.crc,
			CompressedSize64: uint64(e.sum.Size), UncompressedSize64: uint64(e.sum.Size),
		}
		//lint:ignore SA1019 CreateRaw writes what this sets and looks at nothing else
		h.SetModTime(p.at)
		h.SetMode(0o444)
		if e.sum.Size >= math.MaxUint32 {
			h.Flags |= descriptor // the header has no room for the size; what follows the file has
		}
		to, err := z.CreateRaw(h)
		if err != nil {
			return err
		}
		return e.copyTo(ctx, to)
	})
	if err != nil {
		return fmt.Errorf("zip: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("zip: %w", err)
	}
	return nil
}

// Flags of a file in a zip (APPNOTE section 4.4.4).
const (
	descriptor = 1 << 3
	utf8Names  = 1 << 11
)

// Tar writes the bag as a tar.
func (p *Plan) Tar(ctx context.Context, w io.Writer) error {
	t := tar.NewWriter(w)
	err := p.each(ctx, func(e entry) error {
		h := &tar.Header{Name: p.base + "/" + e.name, Mode: 0o444, Size: e.sum.Size, ModTime: p.at, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		return e.copyTo(ctx, t)
	})
	if err != nil {
		return fmt.Errorf("tar: %w", err)
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("tar: %w", err)
	}
	return nil
}

// each gives the files in the order of packing: what says what is in the bag comes first.
func (p *Plan) each(ctx context.Context, fn func(entry) error) error {
	tags, err := p.tags(ctx)
	if err != nil {
		return err
	}
	for _, e := range append(tags, p.files...) {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}
