package plain

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
)

// Selection says which part of a call to disclose. The zero value is all of it.
type Selection struct {
	Streams  []uint16 // none: all. The journal is 0
	From, To uint64   // nanoseconds since the call was opened; To 0: to the end
}

// Disclose writes the fewest keys that open the selected part of an archive and nothing before or
// after it but what shares its ten seconds. It returns how many it wrote, and keys.ErrNoKey where
// the ring does not open what was selected.
func Disclose(w io.Writer, dir fs.FS, ring *keys.Ring, sel Selection) (n int, err error) {
	return disclose(w, dir, ring, sel.part)
}

// picker returns the key that opens a block, and whether it is disclosed.
type picker func(evr.SegmentHeader, evr.BlockHeader) (keys.Part, bool)

func disclose(w io.Writer, dir fs.FS, ring *keys.Ring, pick picker) (n int, err error) {
	sc, err := evr.NewScanner(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, sc.Close()) }()
	segments := map[int]*keys.Segment{}
	done := map[keys.Part]bool{}
	for {
		b, err := sc.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		p, ok := pick(sc.Segments()[b.Segment].Header, b.Header)
		if !ok || done[p] {
			continue
		}
		done[p] = true
		if segments[b.Segment] == nil {
			segments[b.Segment] = ring.Segment(Info(sc.Segments()[b.Segment].Header))
		}
		k, err := segments[b.Segment].Key(p.Stream, p.Epoch)
		if err != nil {
			return n, fmt.Errorf("segment %d, stream %d: %w", p.Segment, p.Stream, err)
		}
		if err := keys.WriteDisclosure(w, p, k); err != nil {
			return n, err
		}
		n++
	}
}

// part returns the key that opens a block within the selection.
func (s Selection) part(seg evr.SegmentHeader, h evr.BlockHeader) (keys.Part, bool) {
	p := keys.Part{Call: seg.Call, Segment: seg.Seg, Stream: keys.All, Epoch: keys.All}
	if h.Flags&evr.FlagEncrypted == 0 || len(s.Streams) > 0 && !slices.Contains(s.Streams, h.Stream) {
		return p, false
	}
	timed := s.From > 0 || s.To > 0
	if timed && (uint64(h.Epoch+1)*evr.EpochTime <= s.From || s.To > 0 && h.T > s.To) {
		return p, false
	}
	if len(s.Streams) > 0 || timed {
		p.Stream = int(h.Stream)
	}
	if timed {
		p.Epoch = int64(h.Epoch)
	}
	return p, true
}
