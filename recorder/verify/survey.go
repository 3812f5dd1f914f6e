// Package verify reads an archive from outside and says whether it is whole and unchanged. It
// needs no secret, only the recorder's public key.
package verify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/proof"
)

// Survey is what stands in an archive's folder. Nothing of it has been judged yet but the format.
type Survey struct {
	// Content has the parts of a manifest that the archive itself tells.
	Content   proof.Manifest
	Tree      *proof.Tree // over the leaves up to the first break
	Segments  []evr.Segment
	Heads     []Head
	TornHeads int      // bytes after the last whole head
	Signers   []string // verifier keys that the segments name
	Breaks    []Fault  // what is wrong with the structure, in the order of reading
	Tail      *Fault   // a torn end of the last segment; a crash leaves one
	Opened    time.Time
	Number    string
	Zone      string
	LastT     uint64 // nanoseconds since the call was opened
	Streams   uint16 // highest number of a stream

	Encrypted int        // blocks
	Decrypted int        // of them, with the keys there are
	Withheld  []Withheld // what stayed closed
	Foreign   []Fault    // blocks that are not what was sealed

	sealed bool // there is a seal, good or bad
	whole  bool // the tree covers every leaf read
	told   told
}

// told is what the walk through the blocks notes for those who judge.
type told struct {
	names map[uint16]string // of streams, in words
	ends  map[string]uint64 // T of the last block of each segment
	kept  map[string]string // SHA-256 of segments as a recovery record has it
	last  span              // of the leaves after the last head that could be compared
}

// Withheld is a stretch of a stream whose keys are not there. Its blocks are proven all the same.
type Withheld struct {
	Stream   uint16
	From, To float64 // seconds since the call was opened
	Blocks   int
}

// Head is one signed head as it was found.
type Head struct {
	No  int
	Raw []byte
	proof.Head
	Err error // it cannot be read

	root []byte // of the tree at its size; nil where the tree does not reach it
	span span
}

// span is what the tree gained since the head before.
type span struct {
	leaves  int
	from    uint64 // the least T
	segment string // in which the first leaf stands
	offset  int64
	streams []uint16
}

// Fault is a place where something is wrong.
type Fault struct {
	Stream  uint16  `json:"stream"` // 0: the call's journal, or the archive as a whole
	Name    string  `json:"name"`   // of the stream, in words
	Second  float64 `json:"second"` // since the call was opened
	Code    Code    `json:"code"`
	Args    Args    `json:"args,omitempty"`
	What    string  `json:"what"` // in English
	Segment string  `json:"segment"`
	Offset  int64   `json:"offset"` // bytes from the beginning of the segment
}

// because gives a fault its reason.
func (f Fault) because(code Code, args Args) Fault {
	f.Code, f.Args, f.What = code, args, english(code, args)
	return f
}

// Read reads a whole archive, the content as far as the ring has its keys. Errors are those of the file system only.
func Read(fsys fs.FS, ring *keys.Ring) (*Survey, error) {
	s := &Survey{Tree: proof.NewTree(), whole: true, told: told{names: map[uint16]string{0: "journal"}, ends: map[string]uint64{}, kept: map[string]string{}}}
	if err := s.readHeads(fsys); err != nil {
		return nil, err
	}
	if _, err := fs.Stat(fsys, "seal.note"); err == nil {
		s.sealed = true
	}
	sc, err := evr.NewScanner(fsys)
	if err != nil {
		return nil, err
	}
	s.Segments = sc.Segments()
	w := newWalk(s, ring)
	err = w.all(sc)
	if err := errors.Join(err, sc.Close()); err != nil {
		return nil, err
	}
	return s, s.finish(fsys, w)
}

// maxHeads bounds a file of heads in bytes: a week at one a second.
const maxHeads = 256 << 20

func (s *Survey) readHeads(fsys fs.FS) error {
	raw, err := readBounded(fsys, "heads", maxHeads)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	notes, torn := proof.SplitHeads(raw)
	s.TornHeads, s.Content.Heads = len(torn), len(notes)
	for i, n := range notes {
		h := Head{No: i, Raw: n, Err: proof.ErrHead}
		if text, ok := noteText(n); ok {
			h.Head, h.Err = proof.ParseHead(text)
		}
		s.Heads = append(s.Heads, h)
	}
	return nil
}

// noteText returns the text of a signed note without checking its signatures.
func noteText(raw []byte) (string, bool) {
	i := bytes.LastIndex(raw, []byte("\n\n"))
	if i < 0 {
		return "", false
	}
	return string(raw[:i+1]), true
}

func readBounded(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = evr.ErrSize
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return raw, nil
}

// finish describes the segments.
func (s *Survey) finish(fsys fs.FS, w *walk) error {
	root, err := s.Tree.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	m := &s.Content
	m.Leaves, m.Root = s.Tree.Size(), base64.StdEncoding.EncodeToString(root)
	for i, seg := range s.Segments {
		sum, err := sumFile(fsys, seg.Name)
		if err != nil {
			return err
		}
		d := proof.ManifestSegment{Name: seg.Name, Bytes: seg.Size, SHA256: sum}
		if seg.Counts {
			d.ValidBytes, d.FirstLeaf, d.LastLeaf, d.Reason = seg.Valid, seg.Header.FirstLeaf, w.lastLeaf[i], seg.Header.Reason
		}
		m.Segments = append(m.Segments, d)
	}
	for _, id := range w.order {
		if id != 0 {
			m.Streams = append(m.Streams, *w.streams[id])
		}
	}
	return nil
}

// Root returns the tree's root at the size of head i, where the tree reaches it.
func (s *Survey) Root(i int) ([]byte, bool) { return s.Heads[i].root, s.Heads[i].root != nil }

// StreamName says in words which stream a number is.
func (s *Survey) StreamName(id uint16) string {
	if n := s.told.names[id]; n != "" {
		return n
	}
	return fmt.Sprintf("stream %d", id)
}
