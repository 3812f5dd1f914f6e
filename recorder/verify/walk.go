package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
	plainly "jedel/recorder/plain"
	"jedel/recorder/proof"
)

// walk goes through the blocks of an archive once.
type walk struct {
	*Survey
	plain    *plainly.Reader
	sc       *evr.Scanner
	call     string // that most segments name
	seg      int    // last segment whose header is in the tree
	expect   uint64
	faults   int  // of the scanner, already taken over
	blind    bool // something could not be read since the last leaf
	lastLeaf map[int]uint64
	at       map[lane]uint64 // newest block of each stream and kind
	streams  map[uint16]*proof.ManifestStream
	order    []uint16
	opens    map[uint64][]int // heads by size
	span     span
	runs     map[uint16]int // index in Withheld of the stretch that goes on, by stream
}

// lane is where times of blocks must not go back: journal, files and recovery share stream 0 but
// are collected apart.
type lane struct {
	stream uint16
	kind   evr.BlockKind
}

func newWalk(s *Survey, ring *keys.Ring) *walk {
	w := &walk{
		Survey: s, plain: plainly.NewReader(ring), seg: -1, lastLeaf: map[int]uint64{}, at: map[lane]uint64{}, streams: map[uint16]*proof.ManifestStream{}, opens: map[uint64][]int{}, runs: map[uint16]int{},
	}
	for i, h := range s.Heads {
		if h.Err == nil {
			w.opens[h.Size] = append(w.opens[h.Size], i)
		}
	}
	return w
}

func (w *walk) all(sc *evr.Scanner) error {
	w.sc, w.call = sc, callOf(w.Segments)
	if err := w.close(); err != nil {
		return err
	}
	for {
		b, err := sc.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end := err != nil
		upTo := len(w.Segments) - 1
		if !end {
			upTo = b.Segment
		}
		w.takeFaults()
		if err := w.headers(upTo); err != nil {
			return err
		}
		if end || (w.Tail != nil && !w.sealed) {
			return nil
		}
		if err := w.block(b); err != nil {
			return err
		}
	}
}

// callOf returns the call that most segments name; of several the first.
func callOf(segments []evr.Segment) string {
	most, n := "", map[string]int{}
	for _, s := range segments {
		if s.Counts && s.Err == nil {
			n[s.Header.Call]++
		}
	}
	for _, s := range segments {
		if n[s.Header.Call] > n[most] {
			most = s.Header.Call
		}
	}
	return most
}

// maxBreaks bounds the list of what is wrong: the first says it, the rest is for an examiner.
const maxBreaks = 1000

func (w *walk) broken(f Fault) {
	if w.whole {
		if w.told.last = w.span; w.span.leaves == 0 {
			w.told.last = span{from: uint64(f.Second * 1e9), segment: f.Segment, offset: f.Offset, streams: []uint16{f.Stream}}
		}
	}
	w.whole = false
	if len(w.Breaks) < maxBreaks {
		w.Breaks = append(w.Breaks, f)
	}
}

// takeFaults takes over what the scanner could not read. In the last segment of an archive that is
// not sealed it is no break but the tail of a crash, with whole blocks after it at times: whether
// something signed is among it, the heads tell.
func (w *walk) takeFaults() {
	all := w.sc.Faults()
	for _, f := range all[w.faults:] {
		out := Fault{Stream: f.Stream, Second: float64(f.T) / 1e9, Segment: f.Name, Offset: f.Offset}
		if f.Segment < 0 {
			out = out.because(badMissing, Args{"file": f.Name})
		} else {
			out = out.because(badRead, Args{"file": f.Name, "bytes": f.Bytes, "offset": f.Offset, "cause": cause(f.Err)})
		}
		if f.Segment == w.lastCounting() && f.Offset > 0 && w.whole && (f.Tail || !w.sealed) {
			w.Tail = &out
			continue
		}
		w.broken(out)
		w.blind = true
	}
	w.faults = len(all)
}

func (w *walk) lastCounting() int {
	for i := len(w.Segments) - 1; i >= 0; i-- {
		if w.Segments[i].Counts {
			return i
		}
	}
	return -1
}

// headers puts the headers of segments into the tree, up to the given one.
func (w *walk) headers(upTo int) error {
	for w.seg < upTo {
		w.seg++
		seg := w.Segments[w.seg]
		if !seg.Counts || seg.Err != nil {
			continue
		}
		h := seg.Header
		here := Fault{Second: float64(max(h.Mono0, 0)) / 1e9, Segment: seg.Name}
		if h.FirstLeaf != w.expect && !w.blind {
			w.broken(here.because(badFirstLeaf, Args{"file": seg.Name, "leaf": h.FirstLeaf, "expected": w.expect}))
		}
		if root, err := w.Tree.Root(); err != nil {
			return fmt.Errorf("root: %w", err)
		} else if w.whole && h.PrevRoot != "" && h.PrevRoot != base64.StdEncoding.EncodeToString(root) {
			w.broken(w.before(here).because(badPrevRoot, Args{"file": seg.Name}))
		} else if w.whole && h.PrevRoot != "" { // what was before is as it was then
			w.span = span{}
		}
		if seg.Name != evr.SegmentName(h.Seg) {
			w.broken(here.because(badSegmentNumber, Args{"file": seg.Name, "segment": h.Seg}))
		}
		if h.Call != w.call {
			w.broken(here.because(badSegmentCall, Args{"file": seg.Name, "call": plain(h.Call)}))
		}
		w.header(h)
		if err := w.leaf(evr.Leaf(seg.Raw), evr.BlockHeader{Leaf: h.FirstLeaf, T: uint64(max(h.Mono0, 0))}, 0); err != nil {
			return err
		}
	}
	return nil
}

// header takes over what a segment says of the call.
func (w *walk) header(h evr.SegmentHeader) {
	m := &w.Content
	if m.Call == "" && h.Call == w.call {
		m.Call, m.Software, m.Host, m.KEKID = h.Call, h.Writer, h.Host, h.KEKID
		w.Number, w.Zone = h.Number, h.Zone
		if t, err := time.Parse(time.RFC3339Nano, h.Opened); err == nil {
			w.Opened = t
		}
	}
	if !slices.Contains(m.Boots, h.Boot) {
		m.Boots = append(m.Boots, h.Boot)
	}
	if !slices.Contains(w.Signers, h.Signer) {
		w.Signers = append(w.Signers, h.Signer)
	}
	w.LastT = max(w.LastT, uint64(max(h.Mono0, 0)))
}

// before returns where a change is that the root in the next segment's header shows: among the
// leaves since the last root that was right.
func (w *walk) before(here Fault) Fault {
	if w.span.leaves == 0 { // there are none: the header itself is not what it was
		return here
	}
	return w.span.put(here)
}

// leaf adds one leaf to the tree, and gives heads of that size their root. offset is its place in
// the segment.
func (w *walk) leaf(hash [32]byte, h evr.BlockHeader, offset int64) error {
	w.expect, w.lastLeaf[w.seg], w.blind = h.Leaf+1, h.Leaf, false
	name := w.Segments[w.seg].Name
	w.told.ends[name] = h.T
	if w.span.leaves++; w.span.leaves == 1 {
		w.span.from, w.span.segment, w.span.offset = h.T, name, offset
	}
	w.span.from = min(w.span.from, h.T) // streams of one flush begin at times of their own
	if len(w.span.streams) < 8 && !slices.Contains(w.span.streams, h.Stream) {
		w.span.streams = append(w.span.streams, h.Stream)
	}
	if !w.whole {
		return nil
	}
	if err := w.Tree.Add(hash); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	return w.close()
}

// close ends the span of heads of the present size.
func (w *walk) close() error {
	heads := w.opens[w.Tree.Size()]
	if len(heads) == 0 {
		return nil
	}
	root, err := w.Tree.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	for _, i := range heads {
		w.Heads[i].root, w.Heads[i].span = root, w.span
	}
	w.span = span{}
	return nil
}

func (w *walk) block(b evr.Block) error {
	h := b.Header
	here := Fault{Stream: h.Stream, Second: float64(h.T) / 1e9, Segment: w.Segments[b.Segment].Name, Offset: b.Offset}
	complain := func(code Code, args Args) { w.broken(here.because(code, args)) }
	if h.Leaf != w.expect && !w.blind {
		complain(badBlockLeaf, Args{"leaf": h.Leaf, "expected": w.expect})
	}
	if h.Epoch != uint32(h.T/evr.EpochTime) || h.T > evr.MaxTime || h.Flags&^evr.FlagEncrypted != 0 {
		before := w.told.ends[here.Segment] // what it says of its time is not to be believed
		here.Second = float64(before) / 1e9
		complain(badBlockHeader, Args{"time": h.T, "epoch": h.Epoch, "flags": h.Flags})
		h.T = before
	} else if before := w.at[lane{h.Stream, h.Kind}]; h.T < before {
		complain(badBlockTime, Args{"ms": (before - h.T) / 1e6})
	}
	w.at[lane{h.Stream, h.Kind}] = h.T
	if err := w.leaf(evr.Leaf(b.Raw), h, b.Offset); err != nil {
		return err
	}
	w.Streams = max(w.Streams, h.Stream)
	w.see(h.Stream, h.T)
	w.streams[h.Stream].Lost += uint64(h.Lost)
	payload := b.Payload()
	if h.Flags&evr.FlagEncrypted != 0 {
		var ok bool
		if payload, ok = w.decrypt(b, here); !ok {
			return nil
		}
	}
	err := evr.Records(h, payload, func(r evr.Record) error {
		w.see(h.Stream, r.T)
		w.record(w.streams[h.Stream], r)
		return nil
	})
	if err != nil {
		complain(badBlockRecords, Args{"leaf": h.Leaf, "cause": cause(err)})
	}
	return nil
}

// decrypt opens a block where its key is there, and keeps the account of what was opened, what
// stayed closed and what is not what was sealed.
func (w *walk) decrypt(b evr.Block, here Fault) (payload []byte, ok bool) {
	h := b.Header
	w.Encrypted++
	payload, err := w.plain.Payload(&w.Segments[b.Segment], h, b.Payload())
	switch {
	case err == nil:
		w.Decrypted++
		delete(w.runs, h.Stream)
		return payload, true
	case errors.Is(err, keys.ErrNoKey):
		w.withhold(h)
	case len(w.Foreign) < maxBreaks:
		w.Foreign = append(w.Foreign, here.because(badCipher, Args{"leaf": h.Leaf, "cause": cause(err)}))
	}
	return nil, false
}

// withhold notes a closed block: one entry for those of a stream that lie together.
func (w *walk) withhold(h evr.BlockHeader) {
	at := float64(h.T) / 1e9
	i, ok := w.runs[h.Stream]
	if !ok {
		if len(w.Withheld) == maxBreaks {
			return
		}
		i = len(w.Withheld)
		w.runs[h.Stream] = i
		w.Withheld = append(w.Withheld, Withheld{Stream: h.Stream, From: at})
	}
	w.Withheld[i].To = at
	w.Withheld[i].Blocks++
}

// see notes that a stream was alive at t.
func (w *walk) see(id uint16, t uint64) {
	st := w.streams[id]
	if st == nil {
		st = &proof.ManifestStream{ID: id, FirstMs: int64(t / 1e6)}
		w.streams[id] = st
		w.order = append(w.order, id)
	}
	st.LastMs = max(st.LastMs, int64(t/1e6))
	w.LastT = max(w.LastT, t)
}

// record counts one record.
func (w *walk) record(st *proof.ManifestStream, r evr.Record) {
	m := &w.Content
	switch r.Kind {
	case evr.RTP, evr.RTPRecovered:
		st.Packets++
	case evr.StreamOpen:
		var info struct {
			Participant, Role, Kind, Codec string
			SSRC                           uint32
		}
		if json.Unmarshal(r.Data, &info) == nil {
			st.Participant, st.Role, st.Kind, st.Codec, st.SSRC = info.Participant, info.Role, info.Kind, info.Codec, info.SSRC
			w.told.names[st.ID] = plain(info.Role) + " " + plain(info.Kind)
		}
	case evr.Location:
		m.Locations++
	case evr.Chat:
		m.Chat++
	case evr.Event:
		m.Events++
	case evr.Gap:
		m.Gaps++
	case evr.Recovery:
		m.Recoveries++
		w.recovered(r.Data)
	case evr.BlobMeta:
		var b proof.ManifestBlob
		if json.Unmarshal(r.Data, &b) == nil {
			m.Blobs = proof.WithBlob(m.Blobs, b)
		}
	}
}

// recovered takes over what the recorder found after a crash. Those segments are never touched again.
func (w *walk) recovered(raw []byte) {
	var found struct {
		Segments []struct{ Name, SHA256 string }
	}
	if json.Unmarshal(raw, &found) != nil {
		return
	}
	for _, s := range found.Segments {
		w.told.kept[s.Name] = s.SHA256
	}
}

// plain makes a word of a hostile archive fit for a terminal.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./+", r) {
			return r
		}
		return -1
	}, s[:min(len(s), 80)])
	if s == "" {
		return "unnamed"
	}
	return s
}

func sumFile(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", fmt.Errorf("hash %s: %w", name, err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("hash %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
