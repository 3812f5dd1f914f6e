package recorder

import (
	"fmt"

	"jedel/recorder/evr"
)

// blocks writes chunks as blocks, as many with one write as fit into a slab.
func (w *writer) blocks(chunks []chunk) error {
	size := 0
	for i := range chunks {
		size += len(chunks[i].buf) + evr.HeaderSize + evr.Sealed
	}
	out := w.a.rec.stock.get(min(size, maxBlock))
	defer func() { w.a.rec.stock.put(out) }()
	used := out.b[:0]
	write := func() error {
		if len(used) == 0 {
			return nil
		}
		if _, err := w.file.Write(used); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		w.bytes += int64(len(used))
		used = used[:0]
		return nil
	}
	for len(chunks) > 0 {
		pieces, n := whole(chunks)
		chunks = chunks[len(pieces):]
		if n += evr.HeaderSize + evr.Sealed; len(used)+n > len(out.b) {
			if err := write(); err != nil {
				return err
			}
			if n > len(out.b) {
				w.a.rec.stock.put(out)
				out = w.a.rec.stock.get(n)
				used = out.b[:0]
			}
		}
		begin, c := len(used), &pieces[0]
		used = w.crypt.block(used, pieces, evr.BlockHeader{
			Kind: c.kind, Stream: c.stream, Leaf: w.tree.Size(), T: c.first, Epoch: uint32(c.first / evr.EpochTime), Lost: c.lost,
		})
		if err := w.tree.Add(evr.Leaf(used[begin:])); err != nil {
			return fmt.Errorf("tree: %w", err)
		}
	}
	return write()
}

// whole returns the pieces of the first block and how many bytes they have.
func whole(chunks []chunk) (pieces []chunk, bytes int) {
	n := 1
	for n < len(chunks) && chunks[n].more {
		n++
	}
	for i := range chunks[:n] {
		bytes += len(chunks[i].buf)
	}
	return chunks[:n], bytes
}
