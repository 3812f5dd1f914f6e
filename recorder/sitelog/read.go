package sitelog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/proof"

	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
)

// Proof returns the proof that an entry stands in the log, under the best anchor to be had: it
// waits for one with all signatures until ctx ends, then takes what there is.
func (l *Log) Proof(ctx context.Context, entry proof.Leaf, index uint64) (proof.Logged, Anchor, error) {
	raw, err := entry.Bytes()
	if err != nil {
		return proof.Logged{}, Anchor{}, err
	}
	a, fresh := l.others.newest()
	for a.Size <= index || !l.Good(a) {
		select {
		case <-fresh:
			a, fresh = l.others.newest()
			continue
		case <-ctx.Done():
		}
		if a.Size > index {
			break
		}
		return proof.Logged{}, Anchor{}, fmt.Errorf("no checkpoint yet: %w", ctx.Err())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), addTime)
	defer cancel()
	hashes, err := l.inclusion(ctx, index, a.Size)
	if err != nil {
		return proof.Logged{}, Anchor{}, err
	}
	return proof.Logged{Entry: raw, Index: index, Hashes: hashes, Checkpoint: a.Checkpoint}, a, nil
}

func (l *Log) inclusion(ctx context.Context, index, size uint64) ([][32]byte, error) {
	pb, err := client.NewProofBuilder(ctx, size, l.reader.ReadTile)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	path, err := pb.InclusionProof(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	var out [][32]byte
	for _, h := range path {
		out = append(out, [32]byte(h))
	}
	return out, nil
}

// Newest returns the newest checkpoint, signed by those outside as far as they have; the zero anchor
// before the first.
func (l *Log) Newest() Anchor {
	a, _ := l.others.newest()
	return a
}

// Good reports whether an anchor has all that the configuration asks for.
func (l *Log) Good(a Anchor) bool { return l.others.good(a) }

// Size returns how many statements the log has.
func (l *Log) Size(ctx context.Context) (uint64, error) { return l.reader.IntegratedSize(ctx) }

// LastHead returns the last head or seal of a part of a call's recording that the log has, looking
// back no further than since.
func (l *Log) LastHead(ctx context.Context, call ident.CallID, part int, since time.Time) (leaf proof.Leaf, found bool, err error) {
	err = l.Back(ctx, func(_ uint64, entry proof.Leaf) bool {
		n, _ := entry.Number("part")
		if entry.Call == call && int(n) == part && (entry.Kind == proof.LeafHead || entry.Kind == proof.LeafSeal) {
			leaf, found = entry, true
		}
		return !found && !entry.At.Before(since)
	})
	return leaf, found, err
}

// Back passes the log's statements from the newest to the oldest, until visit returns false.
func (l *Log) Back(ctx context.Context, visit func(index uint64, leaf proof.Leaf) bool) error {
	size, err := l.reader.IntegratedSize(ctx)
	if errors.Is(err, os.ErrNotExist) || size == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("site log: %w", err)
	}
	for n := (size - 1) / layout.EntryBundleWidth; ; n-- {
		raw, err := l.reader.ReadEntryBundle(ctx, n, layout.PartialTileSize(0, n, size))
		if err != nil {
			return fmt.Errorf("site log: %w", err)
		}
		var b api.EntryBundle
		if err := b.UnmarshalText(raw); err != nil {
			return fmt.Errorf("site log: %w", err)
		}
		for i := len(b.Entries) - 1; i >= 0; i-- {
			leaf, err := proof.ParseLeaf(b.Entries[i])
			if err != nil {
				return fmt.Errorf("site log, statement %d: %w", n*layout.EntryBundleWidth+uint64(i), err)
			}
			if !visit(n*layout.EntryBundleWidth+uint64(i), leaf) {
				return nil
			}
		}
		if n == 0 {
			return nil
		}
	}
}
