package sitelog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jedel/recorder/disk"
	"jedel/recorder/proof"
	"jedel/recorder/verify"
)

// sealed is a seal whose proof is to be kept in its archive.
type sealed struct {
	leaf  proof.Leaf
	dir   string // below Config.Archives
	since time.Time
	index uint64
	added bool // index is known
}

// patience is how long a proof waits for witnesses and authority; then it is kept without them.
const patience = 10 * time.Minute

// Sealed makes the statement that an archive has ended. Its proofs are kept in the archive's folder
// once others have signed the log; a restart before that begins anew.
func (l *Log) Sealed(leaf proof.Leaf, dir string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sealed = append(l.sealed, sealed{leaf: leaf, dir: dir, since: time.Now()})
}

// prover keeps the proofs of a log's seals.
type prover struct{ log *Log }

// prove makes the statements of seals and keeps their proofs.
func (p prover) prove(ctx context.Context) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		p.log.mu.Lock()
		todo := p.log.sealed
		p.log.sealed = nil
		p.log.mu.Unlock()
		var left []sealed
		for _, s := range todo {
			if err := p.proveOne(ctx, &s); err != nil {
				if !errors.Is(err, errLater) && ctx.Err() == nil {
					p.log.log.Warn("proof of a seal", "dir", s.dir, "err", err)
				}
				left = append(left, s)
			}
		}
		p.log.mu.Lock()
		p.log.sealed = append(left, p.log.sealed...)
		p.log.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

var errLater = errors.New("not signed by all yet")

// proveOne takes one seal a step further.
func (p prover) proveOne(ctx context.Context, s *sealed) error {
	if !s.added {
		var err error
		if s.index, err = p.log.Add(ctx, s.leaf); err != nil {
			return err
		}
		s.added = true
	}
	a, _ := p.log.others.newest()
	if a.Size <= s.index || !p.log.others.good(a) && time.Since(s.since) < patience {
		return errLater
	}
	return p.keep(ctx, s, a)
}

// keep writes the proofs into the archive's folder. The proof of the seal comes last: where it is,
// all are.
func (p prover) keep(ctx context.Context, s *sealed, a Anchor) error {
	files := map[string][]byte{verify.LogKeyFile: []byte(p.log.vkey + "\n")}
	entry, err := s.leaf.Bytes()
	if err != nil {
		return err
	}
	hashes, err := p.log.inclusion(ctx, s.index, a.Size)
	if err != nil {
		return err
	}
	last := proof.Logged{Entry: entry, Index: s.index, Hashes: hashes, Checkpoint: a.Checkpoint}.Marshal()
	if len(a.Token) > 0 {
		files[verify.SealToken] = a.Token
	}
	begun, err := p.begun(ctx, s, a)
	if err != nil {
		return err
	}
	if begun != nil {
		files[verify.OpenProof] = begun
	}
	d := disk.OS{Root: p.log.cfg.Archives}
	if err := d.MkdirAll(s.dir + "/proofs"); err != nil {
		return fmt.Errorf("proofs: %w", err)
	}
	for name, raw := range files {
		if err := d.Replace(s.dir+"/"+name, raw); err != nil {
			return fmt.Errorf("proofs: %w", err)
		}
	}
	return d.Replace(s.dir+"/"+verify.SealProof, last)
}

// farBack bounds the search for the beginning of a recording, in statements.
const farBack = 200_000

// begun finds the statement of a recording's beginning and returns its proof; nil where there is none.
func (p prover) begun(ctx context.Context, s *sealed, a Anchor) ([]byte, error) {
	part, _ := s.leaf.Number("part")
	var at uint64
	var begin proof.Leaf
	seen := 0
	err := p.log.Back(ctx, func(i uint64, leaf proof.Leaf) bool {
		n, _ := leaf.Number("part")
		if (leaf.Kind == proof.LeafOpen || leaf.Kind == proof.LeafRecover && part > 1) && leaf.Call == s.leaf.Call && n == part && i < a.Size {
			at, begin = i, leaf
		}
		seen++
		return begin.Kind == "" && seen < farBack
	})
	if err != nil || begin.Kind == "" {
		return nil, err
	}
	entry, err := begin.Bytes()
	if err != nil {
		return nil, err
	}
	hashes, err := p.log.inclusion(ctx, at, a.Size)
	if err != nil {
		return nil, err
	}
	return proof.Logged{Entry: entry, Index: at, Hashes: hashes, Checkpoint: a.Checkpoint}.Marshal(), nil
}
