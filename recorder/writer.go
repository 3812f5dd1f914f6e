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
	"jedel/recorder/ladder"
	"jedel/recorder/proof"
)

// writer is what the goroutine that writes an archive owns.
type writer struct {
	a    *Archive
	tree *proof.Tree // over everything written
	safe *proof.Tree // over everything durable

	file    disk.File // the segment; nil: none is open
	seg     int       // its number, or that of the next
	bytes   int64     // written to it
	durable int64     // of them durable: what counts if it is given up
	began   time.Time
	prev    former // the segment before

	reason   string // of the next segment
	recovery []byte // Recovery record for it; nil for none
	trouble  error  // why the last segment was given up; nil once something is durable again
	retryAt  time.Time

	waiting []chunk   // taken from streams, not yet durable
	streams []*Stream // scratch of collect
	ticks   ticks
	crypt   crypt
	rung    ladder.Rung // as the archive last said
	heads   headFile
	round   round
}

// former is a segment that was left, and how many of its bytes count.
type former struct {
	name  string
	bytes int64
}

// ticks is when the clocks were last looked at, and last written down.
type ticks struct{ look, record time.Time }

// headFile is where heads go.
type headFile struct {
	file disk.File // nil: none is open
	torn bool      // the last head may stand there in part
	last time.Time
	size uint64 // leaves of the last head
}

// clockEvery is how often wall and monotonic clock are written down together.
const clockEvery = 10 * time.Second

// writeLoop is the only goroutine that writes the archive. It ends with the seal or with ctx.
func (w *writer) writeLoop(ctx context.Context) {
	defer close(w.a.done)
	defer w.a.rec.met.open.Dec()
	w.a.rec.met.open.Inc()
	beat := w.a.rec.beat
	seat := beat.sit()
	defer beat.rise(seat)
	timer := time.NewTimer(beat.wait(seat, time.Now()))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			w.round.now = beat.company(seat)
			err := w.flush()
			w.round.now = false
			if err != nil && !errors.Is(err, errRefuses) {
				w.a.rec.log.Error("recording", "call", w.a.meta.Call, "err", err)
			}
			timer.Reset(beat.wait(seat, time.Now()))
		case q := <-w.a.asks:
			if w.serve(q) {
				return
			}
		case <-ctx.Done():
			if err := errors.Join(w.flush(), w.head("live", true), w.closeFiles()); err != nil {
				w.a.rec.log.Error("last flush", "call", w.a.meta.Call, "err", err)
			}
			return
		}
	}
}

// serve carries out one wish; true where the archive is sealed.
func (w *writer) serve(q ask) bool {
	if q.seal != nil {
		w.a.end()
	}
	err := w.flush()
	if err == nil && q.seal != nil {
		if err = w.seal(*q.seal); err == nil {
			w.a.sealed.Store(true)
			w.a.rec.drop(w.a.meta.Call)
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
func (w *writer) flush() error {
	w.collect()
	now := time.Now()
	if w.file == nil && now.Before(w.retryAt) {
		if len(w.waiting) > 0 {
			return fmt.Errorf("%w: %w", errRefuses, w.trouble)
		}
		return nil
	}
	first := w.trouble == nil // then a new segment at once: most failures are of one file
	err := w.write(now)
	if err != nil {
		w.giveUp(now, err)
		if first {
			err = w.write(now)
		}
		if first && err != nil {
			w.giveUp(now, err)
		}
	}
	if err != nil {
		return err
	}
	if now.Sub(w.heads.last) >= w.a.rec.cfg.HeadEvery-w.a.rec.beat.period/2 && w.safe.Size() > w.heads.size {
		return w.head("live", false)
	}
	return nil
}

// errRefuses means that what was collected is not durable and the disk is left alone for a moment.
var errRefuses = errors.New("the disk refuses")

// collect takes what the streams have, and writes down what they had to drop. The journal comes
// last, so that what is noted here goes along, with the last flush of a call too.
func (w *writer) collect() {
	w.streams = w.a.all(w.streams[:0])
	for _, s := range slices.Backward(w.streams) {
		if s == w.a.journal {
			w.tick(time.Now())
		}
		var g gap
		if w.waiting, g = s.take(w.waiting); g.Count > 0 {
			if raw, err := json.Marshal(g); err == nil {
				w.a.journal.note(evr.Gap, time.Now(), raw)
			}
		}
	}
	clear(w.streams)
	w.a.forget()
	if len(w.waiting) > 0 {
		first := w.waiting[0].first
		for _, c := range w.waiting {
			first = min(first, c.first)
		}
		w.a.flying.Store(first + 1)
	}
}

// clockStep is how far the wall clock may run from the monotonic one between two looks before that
// is written down at once.
const clockStep = 100 * time.Millisecond

// stepped tells whether the wall clock was set between two looks, and by how much, from what each
// clock says has passed.
func stepped(wall, mono time.Duration) (time.Duration, bool) {
	step := wall - mono
	return step, step.Abs() > clockStep
}

// tick writes down wall and monotonic clock when it is time or when the wall clock was set, and what
// is given up for want of space when that changes.
func (w *writer) tick(now time.Time) {
	if rung := w.a.rec.Rung(); rung.Pictures() != w.rung.Pictures() {
		if raw, err := json.Marshal(degrade{Without: "video", On: !rung.Pictures(), Cause: "no_space", Rung: rung.String()}); err == nil {
			w.a.journal.note(evr.Degrade, now, raw)
			w.say(proof.LeafDegrade, now, map[string]any{"without": "video", "on": !rung.Pictures(), "cause": "no_space"})
		}
		w.rung = rung
	}
	step, set := time.Duration(0), false
	if !w.ticks.look.IsZero() {
		step, set = stepped(now.Round(0).Sub(w.ticks.look.Round(0)), now.Sub(w.ticks.look))
	}
	w.ticks.look = now
	if now.Sub(w.ticks.record) < clockEvery && !set {
		return
	}
	w.ticks.record = now
	c := clockRecord{Wall: now.UTC().Format(time.RFC3339Nano), Mono: w.a.clock(now), clockState: readClock()}
	if set {
		w.say(proof.LeafClock, now, map[string]any{"step_ms": step.Milliseconds()})
		c.StepMs = step.Milliseconds()
	}
	if raw, err := json.Marshal(c); err == nil {
		w.a.journal.note(evr.Clock, now, raw)
	}
}

// degrade is the data of a Degrade record.
type degrade struct {
	Without string `json:"without"` // video
	On      bool   `json:"on"`      // false: it is recorded again
	Cause   string `json:"cause"`
	Rung    string `json:"rung"`
}

// write is steps 2 and 3.
func (w *writer) write(now time.Time) error {
	if w.file != nil && (w.bytes >= w.a.rec.cfg.SegmentBytes || now.Sub(w.began) >= w.a.rec.cfg.SegmentTime) {
		err := w.file.Close()
		w.file, w.reason = nil, "rotate"
		w.leave()
		if err != nil {
			return fmt.Errorf("close segment: %w", err)
		}
	}
	if len(w.waiting) == 0 && w.file != nil {
		return nil
	}
	if w.file == nil {
		if err := w.openSegment(now); err != nil {
			return err
		}
	}
	if err := w.blocks(w.waiting); err != nil {
		return err
	}
	return w.sync()
}

// sync waits for the disk and counts as durable what was written.
func (w *writer) sync() error {
	err := w.round.commit(w.a, w.file)
	if err != nil {
		return err
	}
	if w.safe, err = w.tree.Copy(); err != nil {
		return err
	}
	w.a.rec.met.bytes.Add(float64(w.bytes - w.durable))
	w.durable = w.bytes
	if t := w.a.flying.Swap(0); t > 0 {
		w.a.rec.met.lag.Observe(float64(w.a.clock(time.Now())-(t-1)) / 1e9)
	}
	freed, blocks := 0, 0
	for i := range w.waiting {
		c := &w.waiting[i]
		freed += len(c.buf)
		if !c.more {
			blocks++
		}
		w.a.rec.stock.put(c.slab)
	}
	w.a.charge(-int64(freed))
	w.a.rec.met.records.Add(float64(blocks))
	clear(w.waiting)
	w.waiting = w.waiting[:0]
	w.recovery, w.trouble = nil, nil
	w.a.failed.Store(false)
	return nil
}

// giveUp leaves the present segment as it is and goes back to what is durable: the next segment
// begins at that leaf, which makes what follows it in this one void.
func (w *writer) giveUp(now time.Time, why error) {
	w.a.rec.met.errors.Inc()
	w.a.failed.Store(true)
	if w.file != nil {
		_ = w.file.Close() // nothing about it is known any more
		w.file = nil
		w.leave()
	}
	w.reason, w.trouble = "error", why
	w.retryAt = now.Add(w.a.rec.retry)
	if tree, err := w.safe.Copy(); err == nil {
		w.tree = tree
	}
}

// leave goes on to the next segment, and remembers what of this one counts. A segment of which
// nothing is durable does not count at all.
func (w *writer) leave() {
	if w.durable > 0 {
		w.prev = former{evr.SegmentName(w.seg), w.durable}
	}
	w.seg++
}

// openSegment makes the next segment. Its header is the first leaf of it.
func (w *writer) openSegment(now time.Time) error {
	root, err := w.tree.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	var salt [32]byte
	rand.Read(salt[:])
	h := evr.SegmentHeader{
		Format: "EVR1", Call: string(w.a.meta.Call), Seg: w.seg, FirstLeaf: w.tree.Size(), Prev: w.prev.name, PrevBytes: w.prev.bytes,
		Number: w.a.meta.Number, Zone: w.a.meta.Zone, Opened: w.a.meta.Opened.UTC().Format(time.RFC3339Nano),
		Created: now.UTC().Format(time.RFC3339Nano), Mono0: int64(w.a.clock(now)), Salt: base64.StdEncoding.EncodeToString(salt[:]),
		Signer: w.a.rec.vkey, Writer: w.a.rec.me.writer, Host: w.a.rec.me.host, Boot: w.a.rec.me.boot, Reason: w.reason,
	}
	w.crypt.segment(&h, salt[:])
	if w.tree.Size() > 0 {
		h.PrevRoot = base64.StdEncoding.EncodeToString(root)
	}
	raw, err := evr.EncodeSegmentHeader(h)
	if err != nil {
		return err
	}
	f, err := w.a.rec.disk.Create(w.a.dir + "/" + evr.SegmentName(w.seg))
	if err != nil {
		w.seg++ // a name that is half there is not used again
		return fmt.Errorf("segment: %w", err)
	}
	w.file, w.bytes, w.durable, w.began = f, int64(len(raw)), 0, now
	if _, err := f.Write(raw); err != nil {
		return fmt.Errorf("segment header: %w", err)
	}
	// Before any block: a power cut may keep later bytes and lose earlier ones, and blocks without
	// their header look like damage.
	if err := f.Sync(); err != nil {
		return fmt.Errorf("segment header: %w", err)
	}
	if err := w.tree.Add(evr.Leaf(raw)); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	return w.declare(now)
}

// declare writes the recovery block that a segment after a crash begins with.
func (w *writer) declare(now time.Time) error {
	if w.recovery == nil {
		return nil
	}
	c := chunk{buf: evr.AppendRecord(nil, evr.Recovery, 0, w.recovery), first: w.a.clock(now), kind: evr.BlockRecovery}
	return w.blocks([]chunk{c}) // said again by the next segment unless this one becomes durable
}

// head signs what is durable. Only bytes for which fdatasync has returned are ever signed.
func (w *writer) head(state string, last bool) error {
	if last && w.safe.Size() == w.heads.size {
		return nil
	}
	root, err := w.safe.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	now := time.Now()
	if !now.After(w.heads.last) { // two heads of one moment could change places unseen
		now = w.heads.last.Add(1)
	}
	h := proof.Head{
		Origin: w.a.rec.cfg.Site + "/call/" + string(w.a.meta.Call), Size: w.safe.Size(), Root: root, Time: now.UTC().Format(time.RFC3339Nano),
		Mono: int64(w.a.clock(now)), Seg: w.seg, Bytes: w.bytes, State: state, Boot: w.a.rec.me.boot,
	}
	raw, err := proof.Sign(h.Text(), w.a.rec.signer)
	if err != nil {
		return err
	}
	if err := w.mendHeads(); err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	if w.heads.file == nil {
		if w.heads.file, err = w.a.rec.disk.Append(w.a.dir + "/heads"); err != nil {
			return fmt.Errorf("heads: %w", err)
		}
	}
	if _, err = w.heads.file.Write(append(raw, '\n')); err == nil {
		err = w.round.commit(w.a, w.heads.file)
	}
	if err != nil {
		_ = w.heads.file.Close() // nothing about it is known any more
		w.heads.file, w.heads.torn = nil, true
		return fmt.Errorf("heads: %w", err)
	}
	w.heads.last, w.heads.size = now, w.safe.Size()
	w.a.rec.met.heads.Inc()
	facts := treeFacts(h.Size, root)
	facts["state"] = state
	w.say(proof.LeafHead, now, facts)
	return nil
}

// mendHeads cuts off what a failed write may have left of a head: a head after it could not be told
// from a forged one. Whole heads stay.
func (w *writer) mendHeads() error {
	if !w.heads.torn {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(w.a.rec.cfg.Dir, filepath.FromSlash(w.a.dir), "heads"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, torn := proof.SplitHeads(raw); len(torn) > 0 {
		if err := w.a.rec.disk.Replace(w.a.dir+"/heads", raw[:len(raw)-len(torn)]); err != nil {
			return err
		}
	}
	w.heads.torn = false
	return nil
}

func (w *writer) closeFiles() error {
	var errs []error
	for _, f := range []disk.File{w.file, w.heads.file} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	w.file, w.heads.file = nil, nil
	w.crypt.wipe()
	return errors.Join(errs...)
}
