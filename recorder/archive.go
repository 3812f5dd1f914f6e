package recorder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/evr"
)

// Meta is what an archive says of its call.
type Meta struct {
	Call   ident.CallID
	Number string
	Opened time.Time
	Zone   string
	Node   ident.NodeID
}

// State is what the operator's lamp shows.
type State string

// States of an archive.
const (
	Recording State = "recording"
	Degraded  State = "degraded"
	Stopped   State = "stopped"
)

// Status is how an archive stands.
type Status struct {
	State  State
	Lag    time.Duration // age of the oldest record that is not durable
	Reason string        // slow_disk, write_error, no_space; empty while recording
}

// Archive is the record of one call. Its methods may be called by many goroutines.
type Archive struct {
	// Set at creation, read by all.
	rec     *Recorder
	meta    Meta
	dir     string
	part    int           // of the call's recording, from 1
	base    time.Time     // with monotonic clock: when the archive was opened in this process
	offset  uint64        // nanoseconds of the call before base
	journal *Stream       // stream 0
	blobs   *Stream       // stream 0
	asks    chan ask      // to the writer
	done    chan struct{} // closed when the writer has ended

	pending atomic.Int64  // bytes collected and not yet durable
	flying  atomic.Uint64 // T of the oldest record the writer holds, plus one; 0 for none
	failed  atomic.Bool   // the last write failed and no segment is open
	sealed  atomic.Bool

	mu      sync.Mutex // guards the rest
	streams []*Stream
	nextID  uint16
	ending  bool // being sealed: nothing more is taken

	w writer // owned by its goroutine
}

// ask is a wish to the writer.
type ask struct {
	seal  *SealInfo // nil: only make everything durable
	reply chan error
}

// SealInfo is what a seal adds to what the archive itself shows.
type SealInfo struct {
	Answered, Ended             time.Time
	Cause                       string
	Operator, Category, Outcome string
}

// clock returns nanoseconds since the call was opened.
func (a *Archive) clock(at time.Time) uint64 {
	return a.offset + uint64(max(0, at.Sub(a.base)))
}

// admits decides whether n more bytes may wait for the disk: video gives way first, words last.
func (a *Archive) admits(video bool, n int64) bool {
	cfg := &a.rec.cfg
	mine, all := cfg.PendingCall, cfg.PendingTotal
	if !video {
		mine, all = wordsFactor*mine, wordsFactor*all
	}
	return (!video || a.rec.Rung().Pictures()) && a.pending.Load()+n <= mine && a.rec.pending.Load()+n <= all
}

// cause says why records are dropped at the moment.
func (a *Archive) cause() string {
	switch {
	case a.failed.Load():
		return "write_error"
	case !a.rec.Rung().Pictures():
		return "no_space"
	}
	return "slow_disk"
}

func (a *Archive) charge(n int64) {
	a.pending.Add(n)
	a.rec.pending.Add(n)
}

// OpenStream begins a stream.
func (a *Archive) OpenStream(info StreamInfo) *Stream {
	s := &Stream{archive: a, kind: evr.BlockMedia, video: info.Kind == "video"}
	a.mu.Lock()
	if s.closed = a.ending || a.nextID == ^uint16(0); !s.closed { // numbers are never used twice
		a.nextID++
		s.id = a.nextID
		a.streams = append(a.streams, s)
	}
	a.mu.Unlock()
	if raw, err := json.Marshal(info); err == nil {
		s.add(evr.StreamOpen, time.Now(), raw)
	}
	return s
}

// Append adds a record to the call's journal. It does not wait for the disk; a record that had to
// be dropped is an error.
func (a *Archive) Append(kind evr.Kind, at time.Time, data []byte) error {
	if a.sealed.Load() {
		return ErrSealed
	}
	if !a.journal.add(kind, at, data) {
		return a.refusal()
	}
	return nil
}

// refusal says why a record was not kept.
func (a *Archive) refusal() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ending {
		return ErrSealed
	}
	return fmt.Errorf("not kept: %s", a.cause())
}

// end takes nothing more from outside: the call is being sealed.
func (a *Archive) end() {
	a.mu.Lock()
	a.ending = true
	streams := slices.Clone(a.streams)
	a.mu.Unlock()
	for _, s := range streams {
		s.Close()
	}
	a.journal.end()
	a.blobs.end()
}

// BlobMeta describes a file sent within the call.
type BlobMeta struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Mime     string     `json:"mime"`
	Declared *BlobFacts `json:"declared,omitempty"` // as its sender said before it came; nil: nothing was said
	Found    *BlobFacts `json:"found,omitempty"`    // as the file itself says; nil: it says nothing
	Marks    []string   `json:"marks,omitempty"`    // what was noticed
}

// BlobFacts is when and where a file is said to have been taken.
type BlobFacts struct {
	Mime      string   `json:"mime,omitempty"`
	TakenAt   string   `json:"taken_at,omitempty"` // RFC 3339; without a zone where the camera told none
	Lat       *float64 `json:"lat,omitempty"`
	Lon       *float64 `json:"lon,omitempty"`
	AccuracyM float64  `json:"accuracy_m,omitempty"`
}

// BlobRef is a file that is kept.
type BlobRef struct {
	BlobMeta
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

// Blob keeps a file bit by bit. It is durable when Blob returns; an error leaves at most pieces
// without an end, which readers ignore.
func (a *Archive) Blob(ctx context.Context, meta BlobMeta, r io.Reader) (BlobRef, error) {
	ref := BlobRef{BlobMeta: meta}
	sum := sha256.New()
	buf := make([]byte, evr.MaxChunk-256)
	for no := uint64(0); ; no++ {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			sum.Write(buf[:n])
			ref.Size += int64(n)
			if !a.blobs.add(evr.BlobChunk, time.Now(), evr.AppendChunk(nil, meta.ID, no, buf[:n])) {
				return ref, fmt.Errorf("blob: %w", a.refusal())
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return ref, fmt.Errorf("read blob: %w", err)
		}
		if no%8 == 7 { // large files go to the disk in steps instead of filling the memory
			if err := a.Flush(ctx); err != nil {
				return ref, err
			}
		}
	}
	ref.SHA256 = hex.EncodeToString(sum.Sum(nil))
	raw, err := json.Marshal(ref)
	if err != nil {
		return ref, fmt.Errorf("blob: %w", err)
	}
	if !a.blobs.add(evr.BlobMeta, time.Now(), raw) {
		return ref, fmt.Errorf("blob: %w", a.refusal())
	}
	return ref, a.Flush(ctx)
}

// Flush waits until everything added before is durable.
func (a *Archive) Flush(ctx context.Context) error { return a.ask(ctx, nil) }

// Seal ends the record: everything durable, the last head, the signed manifest. It may be called
// again.
func (a *Archive) Seal(ctx context.Context, info SealInfo) error {
	if a.sealed.Load() {
		return nil
	}
	return a.ask(ctx, &info)
}

func (a *Archive) ask(ctx context.Context, seal *SealInfo) error {
	reply := make(chan error, 1)
	select {
	case a.asks <- ask{seal, reply}:
		return <-reply
	case <-a.done:
		if seal != nil && a.sealed.Load() {
			return nil
		}
		return ErrSealed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Status tells how far the disk is behind.
func (a *Archive) Status() Status {
	now := a.clock(time.Now())
	oldest := now
	for _, s := range a.all(nil) {
		if t, ok := s.oldest(); ok {
			oldest = min(oldest, t)
		}
	}
	if t := a.flying.Load(); t > 0 {
		oldest = min(oldest, t-1)
	}
	st := Status{State: Recording, Lag: time.Duration(now - oldest)}
	switch {
	case st.Lag > stoppedLag:
		st.State, st.Reason = Stopped, a.cause()
	case !a.rec.Rung().Pictures():
		st.State, st.Reason = Degraded, "no_space"
	case st.Lag > degradedLag || a.failed.Load():
		st.State, st.Reason = Degraded, a.cause()
	}
	return st
}

// all appends the streams that are not over, the journal first.
func (a *Archive) all(to []*Stream) []*Stream {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append(append(to, a.journal, a.blobs), a.streams...)
}

// forget drops streams that have ended.
func (a *Archive) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.streams[:0]
	for _, s := range a.streams {
		if !s.over() {
			kept = append(kept, s)
		}
	}
	clear(a.streams[len(kept):])
	a.streams = kept
}
