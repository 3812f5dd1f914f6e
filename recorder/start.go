package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/evr"
	"jedel/recorder/ladder"
	"jedel/recorder/proof"
)

// Start opens the archive of a call, or goes on with the one that an earlier process left. Where
// that does not agree with its own heads it is left as it is, and a new one begins beside it. Its
// folder, first segment and header are durable when Start returns. One that has its seal is not opened
// again: ErrSealed.
func (r *Recorder) Start(ctx context.Context, m Meta) (*Archive, error) {
	r.mu.Lock()
	a, ok := r.archives[m.Call]
	old := r.unsealed[m.Call]
	r.mu.Unlock()
	if ok {
		return a, nil
	}
	if old == nil && r.sealedOn(Dir(m.Call, m.Opened)) {
		return nil, ErrSealed
	}
	a, err := r.begin(m, old)
	if err != nil {
		return nil, err
	}
	select {
	case r.spawn <- a:
	case <-r.closing:
		return nil, errors.Join(errors.New("the recorder has ended"), a.w.closeFiles())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), a.w.closeFiles())
	}
	r.mu.Lock()
	r.archives[m.Call] = a
	delete(r.unsealed, m.Call)
	r.mu.Unlock()
	return a, nil
}

// sealedOn reports whether an archive has ended, in this life of the recorder or in an earlier one.
func (r *Recorder) sealedOn(dir string) bool {
	_, err := os.Stat(filepath.Join(r.cfg.Dir, filepath.FromSlash(dir), "seal.note"))
	return err == nil
}

func (r *Recorder) begin(m Meta, old *recovered) (*Archive, error) {
	now := time.Now()
	a := &Archive{
		rec: r, meta: m, dir: Dir(m.Call, m.Opened), part: 1, base: now, asks: make(chan ask), done: make(chan struct{}),
		w: writer{tree: proof.NewTree(), safe: proof.NewTree(), reason: "open"},
	}
	a.offset = uint64(max(0, now.Round(0).Sub(m.Opened.Round(0))))
	a.w.a = a
	a.journal = &Stream{archive: a, kind: evr.BlockJournal}
	a.blobs = &Stream{archive: a, kind: evr.BlockBlob}
	switch {
	case old == nil:
		if err := r.place(a.dir); err != nil {
			return nil, err
		}
	case old.damage != "":
		if err := a.w.beside(old); err != nil {
			return nil, err
		}
		r.met.recoveries.Inc()
	default:
		if err := a.w.resume(old); err != nil {
			return nil, err
		}
		r.met.recoveries.Inc()
	}
	if err := a.w.crypt.begin(r, a.dir); err != nil {
		return nil, err
	}
	if err := a.w.openSegment(now); err != nil {
		return nil, errors.Join(err, a.w.closeFiles())
	}
	if err := a.w.sync(); err != nil {
		return nil, errors.Join(err, a.w.closeFiles())
	}
	a.w.sayBegun(old)
	return a, nil
}

// place makes the folder of a new call: here, or on the second volume while this one is
// nearly full.
func (r *Recorder) place(dir string) error {
	other, ok := r.disk.(elsewhere)
	ok = ok && r.cfg.Second != ""
	if ok && r.Rung() >= ladder.Elsewhere {
		err := other.Elsewhere(r.cfg.Second, dir)
		if err == nil {
			return nil
		}
		r.log.Warn("second volume", "dir", dir, "err", err)
	}
	return r.disk.MkdirAll(dir)
}

// elsewhere is a disk that can put a folder on another one.
type elsewhere interface {
	Elsewhere(root, dir string) error
}

// resume takes over the tree of an earlier life. Its segments are not touched; heads that a crash
// tore are cut off the list of heads, and said so in the recovery record.
func (w *writer) resume(old *recovered) error {
	var err error
	w.a.dir, w.a.part = old.dir, old.part
	if !old.opened.IsZero() {
		w.a.meta.Opened = old.opened
	}
	// Time never goes back within an archive, whatever the wall clock says after a restart.
	w.a.offset = max(uint64(max(0, w.a.base.Round(0).Sub(w.a.meta.Opened.Round(0)))), old.lastT+1)
	w.a.nextID = old.maxID
	w.tree = old.tree
	if w.safe, err = old.tree.Copy(); err != nil {
		return err
	}
	w.seg, w.reason = old.nextSeg, "recover"
	w.prev = former{old.last, old.lastBytes}
	if old.torn > 0 {
		var good []byte
		for _, h := range old.heads {
			good = append(append(good, h...), '\n')
		}
		if err := w.a.rec.disk.Replace(w.a.dir+"/heads", good); err != nil {
			return err
		}
	}
	type segment struct {
		Name       string `json:"name"`
		ValidBytes int64  `json:"valid_bytes"`
		TornBytes  int64  `json:"torn_bytes"`
		SHA256     string `json:"sha256"`
	}
	record := struct {
		Segments  []segment `json:"segments"`
		LastT     uint64    `json:"last_t"`
		TornHeads int       `json:"torn_heads_bytes"`
		Boot      string    `json:"boot"`
	}{LastT: old.lastT, TornHeads: old.torn, Boot: w.a.rec.me.boot}
	for _, s := range old.manifest.Segments {
		record.Segments = append(record.Segments, segment{s.Name, s.ValidBytes, s.Bytes - s.ValidBytes, s.SHA256})
	}
	if w.recovery, err = json.Marshal(record); err != nil {
		return fmt.Errorf("recovery record: %w", err)
	}
	if raw, err := json.Marshal(gap{From: old.lastT, To: w.a.offset, Cause: "recorder_restart"}); err == nil {
		w.a.journal.note(evr.Gap, w.a.base, raw)
	}
	return nil
}

// beside begins a new part of a recording whose last one is damaged. Nothing of that is touched: the
// first record here names it and says what is wrong with it, and the gap is declared.
func (w *writer) beside(old *recovered) error {
	n := old.part + 1
	for ; n <= maxParts; n++ {
		if _, err := os.Stat(filepath.Join(w.a.rec.cfg.Dir, filepath.FromSlash(part(w.a.dir, n)))); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if n > maxParts {
		return fmt.Errorf("%s has too many parts", old.dir)
	}
	w.a.dir, w.a.part = part(w.a.dir, n), n
	if !old.opened.IsZero() {
		w.a.meta.Opened = old.opened
	}
	w.a.offset = max(uint64(max(0, w.a.base.Round(0).Sub(w.a.meta.Opened.Round(0)))), old.lastT+1)
	w.reason = "recover"
	raw, err := json.Marshal(struct {
		After  string `json:"after"`
		Damage string `json:"damage"`
		Leaves uint64 `json:"leaves"` // that could be read there
		Root   string `json:"root"`   // over them
		LastT  uint64 `json:"last_t"`
		Boot   string `json:"boot"`
	}{path.Base(old.dir), old.damage, old.manifest.Leaves, old.manifest.Root, old.lastT, w.a.rec.me.boot})
	if err != nil {
		return fmt.Errorf("recovery record: %w", err)
	}
	w.recovery = raw
	if raw, err := json.Marshal(gap{From: old.lastT, To: w.a.offset, Cause: "recorder_restart"}); err == nil {
		w.a.journal.note(evr.Gap, w.a.base, raw)
	}
	return w.a.rec.disk.MkdirAll(w.a.dir)
}

// drop forgets a sealed archive.
func (r *Recorder) drop(id ident.CallID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.archives, id)
}
