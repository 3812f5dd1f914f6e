package recorder

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"jedel/recorder/disk"
	"jedel/recorder/evr"
	"jedel/recorder/proof"
)

// writing is what the writer of an archive owns.
type writing struct {
	tree      *proof.Tree // over everything written
	safe      *proof.Tree // over everything durable
	file      disk.File   // nil: none is open
	heads     disk.File
	seg       int   // number of the segment open, or of the next
	bytes     int64 // written to the segment
	durable   int64 // of them durable: what counts if the segment is given up
	prev      string
	prevLen   int64 // what of the segment before counts
	began     time.Time
	reason    string  // of the next segment
	waiting   []chunk // taken from streams, not yet durable
	owners    []*Stream
	lastHead  time.Time
	headSize  uint64
	lastTick  time.Time // of the clock record
	retryAt   time.Time
	headsTorn bool   // the last head may stand there in part
	trouble   error  // why the last segment was given up
	recovery  []byte // Recovery record for the next segment
}

// clockEvery is how often wall and monotonic clock are written down together.
const clockEvery = 10 * time.Second

// writeLoop is the only goroutine that writes the archive. It ends with the seal or with ctx.
func (a *Archive) writeLoop(ctx context.Context) {
	defer close(a.done)
	defer a.rec.met.open.Dec()
	a.rec.met.open.Inc()
	timer := time.NewTimer(a.rec.cfg.FlushEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if err := a.flush(); err != nil && !errors.Is(err, errRefuses) {
				a.rec.log.Error("recording", "call", a.meta.Call, "err", err)
			}
			timer.Reset(a.rec.cfg.FlushEvery)
		case q := <-a.asks:
			if a.serve(q) {
				return
			}
		case <-ctx.Done():
			if err := errors.Join(a.flush(), a.head("live", true), a.closeFiles()); err != nil {
				a.rec.log.Error("last flush", "call", a.meta.Call, "err", err)
			}
			return
		}
	}
}

// serve carries out one wish; true where the archive is sealed.
func (a *Archive) serve(q ask) bool {
	if q.seal != nil {
		a.end()
	}
	err := a.flush()
	if err == nil && q.seal != nil {
		if err = a.seal(*q.seal); err == nil {
			a.sealed.Store(true)
			a.rec.drop(a.meta.Call)
		}
	}
	q.reply <- err
	return q.seal != nil && err == nil
}

// flush makes everything collected durable and signs a head when one is due:
//
//  1. take what streams have collected      killed here: lost, at most FlushEvery old
//  2. write it to the segment               killed here: a torn tail, found by the checksums
//  3. fdatasync                             from here on it survives a power cut
//  4. count it as durable, sign             killed here: durable, the next head covers it
//
// A failure of 2 or 3 gives the segment up: what was not acknowledged goes into the next one.
func (a *Archive) flush() error {
	a.collect()
	w := &a.w
	now := time.Now()
	if w.file == nil && now.Before(w.retryAt) {
		if len(w.waiting) > 0 {
			return fmt.Errorf("%w: %w", errRefuses, w.trouble)
		}
		return nil
	}
	first := w.trouble == nil // then a new segment at once: most failures are of one file
	err := a.write(now)
	if err != nil {
		a.giveUp(now, err)
		if first {
			err = a.write(now)
		}
		if first && err != nil {
			a.giveUp(now, err)
		}
	}
	if err != nil {
		return err
	}
	if now.Sub(w.lastHead) >= a.rec.cfg.HeadEvery && w.safe.Size() > w.headSize {
		return a.head("live", false)
	}
	return nil
}

// errRefuses means that what was collected is not durable and the disk is left alone for a moment.
var errRefuses = errors.New("the disk refuses")

// collect takes what the streams have, and writes down what they had to drop. The journal comes
// last, so that what is noted here goes along, with the last flush of a call too.
func (a *Archive) collect() {
	w := &a.w
	all := a.all()
	for _, s := range slices.Backward(all) {
		if s == a.journal {
			a.tick(time.Now())
		}
		chunks, g := s.take()
		for _, c := range chunks {
			w.waiting, w.owners = append(w.waiting, c), append(w.owners, s)
		}
		if g.Count > 0 {
			if raw, err := json.Marshal(g); err == nil {
				a.journal.note(evr.Gap, time.Now(), raw)
			}
		}
	}
	a.forget()
	if len(w.waiting) > 0 {
		first := w.waiting[0].first
		for _, c := range w.waiting {
			first = min(first, c.first)
		}
		a.flying.Store(first + 1)
	}
}

// tick writes down wall and monotonic clock when it is time.
func (a *Archive) tick(now time.Time) {
	if now.Sub(a.w.lastTick) < clockEvery {
		return
	}
	a.w.lastTick = now
	raw, err := json.Marshal(map[string]any{"wall": now.UTC().Format(time.RFC3339Nano), "mono": a.clock(now)})
	if err == nil {
		a.journal.note(evr.Clock, now, raw)
	}
}

// write is steps 2 and 3.
func (a *Archive) write(now time.Time) error {
	w := &a.w
	if w.file != nil && (w.bytes >= a.rec.cfg.SegmentBytes || now.Sub(w.began) >= a.rec.cfg.SegmentTime) {
		err := w.file.Close()
		w.file, w.reason = nil, "rotate"
		a.leave()
		if err != nil {
			return fmt.Errorf("close segment: %w", err)
		}
	}
	if len(w.waiting) == 0 && w.file != nil {
		return nil
	}
	if w.file == nil {
		if err := a.openSegment(now); err != nil {
			return err
		}
	}
	for i := range w.waiting {
		if err := a.put(&w.waiting[i]); err != nil {
			return err
		}
	}
	return a.sync()
}

// put writes one block.
func (a *Archive) put(c *chunk) error {
	w := &a.w
	evr.SealBlock(c.buf, evr.BlockHeader{
		Kind: c.kind, Stream: c.stream, Leaf: w.tree.Size(), T: c.first, Epoch: uint32(c.first / evr.EpochTime), Lost: c.lost,
	})
	if err := w.tree.Add(evr.Leaf(c.buf)); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	if _, err := w.file.Write(c.buf); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	w.bytes += int64(len(c.buf))
	return nil
}

// sync waits for the disk and counts as durable what was written.
func (a *Archive) sync() error {
	w := &a.w
	a.rec.syncs <- struct{}{}
	begin := time.Now()
	err := w.file.Sync()
	<-a.rec.syncs
	a.rec.met.sync.Observe(time.Since(begin).Seconds())
	if err != nil {
		return err
	}
	if w.safe, err = w.tree.Copy(); err != nil {
		return err
	}
	w.durable = w.bytes
	if t := a.flying.Swap(0); t > 0 {
		a.rec.met.lag.Observe(float64(a.clock(time.Now())-(t-1)) / 1e9)
	}
	for i, c := range w.waiting {
		n := int64(len(c.buf) - evr.HeaderSize)
		a.charge(-n)
		a.rec.met.bytes.Add(float64(len(c.buf)))
		w.owners[i].recycle(c.buf)
	}
	a.rec.met.records.Add(float64(len(w.waiting)))
	clear(w.waiting)
	clear(w.owners)
	w.waiting, w.owners = w.waiting[:0], w.owners[:0]
	w.recovery, w.trouble = nil, nil
	a.failed.Store(false)
	return nil
}

// giveUp leaves the present segment as it is and goes back to what is durable: the next segment
// begins at that leaf, which makes what follows it in this one void.
func (a *Archive) giveUp(now time.Time, why error) {
	w := &a.w
	a.rec.met.errors.Inc()
	a.failed.Store(true)
	if w.file != nil {
		_ = w.file.Close() // nothing about it is known any more
		w.file = nil
		a.leave()
	}
	w.reason, w.trouble = "error", why
	w.retryAt = now.Add(a.rec.retry)
	if tree, err := w.safe.Copy(); err == nil {
		w.tree = tree
	}
}

// leave goes on to the next segment, and remembers what of this one counts. A segment of which
// nothing is durable does not count at all.
func (a *Archive) leave() {
	w := &a.w
	if w.durable > 0 {
		w.prev, w.prevLen = evr.SegmentName(w.seg), w.durable
	}
	w.seg++
}

// openSegment makes the next segment. Its header is the first leaf of it.
func (a *Archive) openSegment(now time.Time) error {
	w := &a.w
	root, err := w.tree.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	var salt [32]byte
	rand.Read(salt[:])
	h := evr.SegmentHeader{
		Format: "EVR1", Call: string(a.meta.Call), Seg: w.seg, FirstLeaf: w.tree.Size(), Prev: w.prev, PrevBytes: w.prevLen,
		Number: a.meta.Number, Zone: a.meta.Zone, Opened: a.meta.Opened.UTC().Format(time.RFC3339Nano),
		Created: now.UTC().Format(time.RFC3339Nano), Mono0: int64(a.clock(now)), Salt: base64.StdEncoding.EncodeToString(salt[:]),
		Signer: a.rec.vkey, Writer: a.rec.writer, Host: a.rec.host, Boot: a.rec.boot, Reason: w.reason,
	}
	if w.tree.Size() > 0 {
		h.PrevRoot = base64.StdEncoding.EncodeToString(root)
	}
	raw, err := evr.EncodeSegmentHeader(h)
	if err != nil {
		return err
	}
	f, err := a.rec.disk.Create(a.dir + "/" + evr.SegmentName(w.seg))
	if err != nil {
		w.seg++ // a name that is half there is not used again
		return fmt.Errorf("segment: %w", err)
	}
	w.file, w.bytes, w.durable, w.began = f, int64(len(raw)), 0, now
	if _, err := f.Write(raw); err != nil {
		return fmt.Errorf("segment header: %w", err)
	}
	if err := w.tree.Add(evr.Leaf(raw)); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	return a.declare(now)
}

// declare writes the recovery block that a segment after a crash begins with.
func (a *Archive) declare(now time.Time) error {
	w := &a.w
	if w.recovery == nil {
		return nil
	}
	c := chunk{buf: make([]byte, evr.HeaderSize), first: a.clock(now), kind: evr.BlockRecovery}
	c.buf = evr.AppendRecord(c.buf, evr.Recovery, 0, w.recovery)
	return a.put(&c) // said again by the next segment unless this one becomes durable
}

// head signs what is durable. Only bytes for which fdatasync has returned are ever signed.
func (a *Archive) head(state string, last bool) error {
	w := &a.w
	if last && w.safe.Size() == w.headSize {
		return nil
	}
	root, err := w.safe.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	now := time.Now()
	h := proof.Head{
		Origin: a.rec.cfg.Site + "/call/" + string(a.meta.Call), Size: w.safe.Size(), Root: root, Time: now.UTC().Format(time.RFC3339Nano),
		Mono: int64(a.clock(now)), Seg: w.seg, Bytes: w.bytes, State: state, Boot: a.rec.boot,
	}
	raw, err := proof.Sign(h.Text(), a.rec.signer)
	if err != nil {
		return err
	}
	if err := a.mendHeads(); err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	if w.heads == nil {
		if w.heads, err = a.rec.disk.Append(a.dir + "/heads"); err != nil {
			return fmt.Errorf("heads: %w", err)
		}
	}
	if _, err = w.heads.Write(append(raw, '\n')); err == nil {
		err = w.heads.Sync()
	}
	if err != nil {
		_ = w.heads.Close() // nothing about it is known any more
		w.heads, w.headsTorn = nil, true
		return fmt.Errorf("heads: %w", err)
	}
	w.lastHead, w.headSize = now, w.safe.Size()
	a.rec.met.heads.Inc()
	return nil
}

// mendHeads cuts off what a failed write may have left of a head: a head after it could not be told
// from a forged one. Whole heads stay.
func (a *Archive) mendHeads() error {
	if !a.w.headsTorn {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(a.rec.cfg.Dir, filepath.FromSlash(a.dir), "heads"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, torn := proof.SplitHeads(raw); len(torn) > 0 {
		if err := a.rec.disk.Replace(a.dir+"/heads", raw[:len(raw)-len(torn)]); err != nil {
			return err
		}
	}
	a.w.headsTorn = false
	return nil
}

func (a *Archive) closeFiles() error {
	var errs []error
	for _, f := range []disk.File{a.w.file, a.w.heads} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	a.w.file, a.w.heads = nil, nil
	return errors.Join(errs...)
}
