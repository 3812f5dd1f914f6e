package logcheck

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
)

// tree is a log's tree, built anew from its statements (RFC 6962 section 2.1), and the nodes of each
// level of tiles that have not filled a tile yet (C2SP tlog-tiles).
type tree struct {
	dir    fs.FS
	nodes  *compact.Range
	levels [][][]byte // by level, the hashes of its last tile
	starts []uint64   // by level, the number of that tile
	roots  map[uint64][]byte
	wanted map[uint64]bool // sizes whose roots are kept
	bad    func(what string)
}

func newTree(dir fs.FS, wanted map[uint64]bool, bad func(string)) *tree {
	f := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	return &tree{dir: dir, nodes: f.NewEmptyRange(0), roots: map[uint64][]byte{}, wanted: wanted, bad: bad}
}

// add appends a statement.
func (t *tree) add(entry []byte) error {
	h := rfc6962.DefaultHasher.HashLeaf(entry)
	if err := t.nodes.Append(h, nil); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	if err := t.node(0, h); err != nil {
		return err
	}
	if size := t.nodes.End(); t.wanted[size] {
		root, err := t.nodes.GetRootHash(nil)
		if err != nil {
			return fmt.Errorf("tree: %w", err)
		}
		t.roots[size] = root
	}
	return nil
}

// node appends a hash to the tiles of a level; a full tile is one hash of the next.
func (t *tree) node(level int, h []byte) error {
	if level == len(t.levels) {
		t.levels, t.starts = append(t.levels, nil), append(t.starts, 0)
	}
	t.levels[level] = append(t.levels[level], h)
	if len(t.levels[level]) < layout.TileWidth {
		return nil
	}
	if err := t.compare(level, 0); err != nil {
		return err
	}
	f := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	r := f.NewEmptyRange(0)
	for _, n := range t.levels[level] {
		if err := r.Append(n, nil); err != nil {
			return fmt.Errorf("tile: %w", err)
		}
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		return fmt.Errorf("tile: %w", err)
	}
	t.levels[level] = nil
	t.starts[level]++
	return t.node(level+1, root)
}

// end compares the tiles that are not full.
func (t *tree) end() error {
	for level, hashes := range t.levels {
		if len(hashes) == 0 {
			continue
		}
		if err := t.compare(level, uint8(len(hashes))); err != nil {
			return err
		}
	}
	return nil
}

// compare holds the stored tile against the one built.
func (t *tree) compare(level int, partial uint8) error {
	name := layout.TilePath(uint64(level), t.starts[level], partial)
	raw, err := fs.ReadFile(t.dir, name)
	if errors.Is(err, fs.ErrNotExist) && partial > 0 { // it may have grown meanwhile: then the full one begins with it
		raw, err = fs.ReadFile(t.dir, layout.TilePath(uint64(level), t.starts[level], 0))
	}
	if errors.Is(err, fs.ErrNotExist) {
		t.bad(name + " is missing")
		return nil
	}
	if err != nil {
		return fmt.Errorf("tile: %w", err)
	}
	want := bytes.Join(t.levels[level], nil)
	if !bytes.Equal(raw[:min(len(raw), len(want))], want) {
		t.bad(name + " is not the hashes of its statements")
	}
	return nil
}

// entries passes the statements of a log of some size, in order. One that is cut short or missing
// ends it with ErrGone.
func entries(dir fs.FS, size uint64, visit func(index uint64, raw []byte) error) error {
	for n := uint64(0); n*layout.EntryBundleWidth < size; n++ {
		raw, err := fs.ReadFile(dir, layout.EntriesPath(n, layout.PartialTileSize(0, n, size)))
		if errors.Is(err, fs.ErrNotExist) {
			raw, err = fs.ReadFile(dir, layout.EntriesPath(n, 0))
		}
		if err != nil {
			return fmt.Errorf("%w: statements from %d on: %w", ErrGone, n*layout.EntryBundleWidth, err)
		}
		var b api.EntryBundle
		if err := b.UnmarshalText(raw); err != nil {
			return fmt.Errorf("%w: statements from %d on: %w", ErrGone, n*layout.EntryBundleWidth, err)
		}
		for i, e := range b.Entries {
			at := n*layout.EntryBundleWidth + uint64(i)
			if at == size {
				return nil
			}
			if err := visit(at, e); err != nil {
				return err
			}
		}
		if end := min(size, (n+1)*layout.EntryBundleWidth); n*layout.EntryBundleWidth+uint64(len(b.Entries)) < end {
			return fmt.Errorf("%w: %d statements of %d", ErrGone, n*layout.EntryBundleWidth+uint64(len(b.Entries)), size)
		}
	}
	return nil
}

// Entry returns one statement of a log that is being written, as it lies on the disk.
func Entry(dir fs.FS, index uint64) ([]byte, error) {
	n, at := index/layout.EntryBundleWidth, int(index%layout.EntryBundleWidth)
	raw, err := fs.ReadFile(dir, layout.EntriesPath(n, 0))
	for width := at + 1; errors.Is(err, fs.ErrNotExist) && width < layout.EntryBundleWidth; width++ {
		raw, err = fs.ReadFile(dir, layout.EntriesPath(n, uint8(width)))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: statement %d: %w", ErrGone, index, err)
	}
	var b api.EntryBundle
	if err := b.UnmarshalText(raw); err != nil || at >= len(b.Entries) {
		return nil, fmt.Errorf("%w: statement %d", ErrGone, index)
	}
	return b.Entries[at], nil
}
