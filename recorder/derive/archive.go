package derive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
)

// ErrNoArchive means that there is not one segment in the folder.
var ErrNoArchive = errors.New("no archive here")

// maxBlocks bounds the table of blocks: a call of a day has about a million.
const maxBlocks = 1 << 24

// Load reads the archive in a folder and puts the call in order. Sealed, crashed and running
// archives are read alike, as far as they go; what is damaged is left out and listed. Errors are
// those of the file system, and ErrNoArchive. The folder must stay readable as long as the
// recording is used: payloads are read again when a file is written.
func Load(fsys fs.FS, ring *keys.Ring) (*Recording, error) {
	a := &archive{fsys: fsys, plain: plain.NewReader(ring), named: sealedStreams(fsys)}
	a.readers.New = func() any { return plain.NewReader(ring) }
	r, err := load(a, a.facts)
	if err != nil {
		return nil, fmt.Errorf("load archive: %w", err)
	}
	return r, nil
}

// archive is a folder of segments as a source.
type archive struct {
	fsys     fs.FS
	plain    *plain.Reader // of the first reading
	readers  sync.Pool     // of *plain.Reader, for all that read again at the same time
	segments []evr.Segment
	blocks   []blockPlace
	damaged  []Fault
	withheld map[uint16]int    // index in damaged, by stream
	named    map[uint16][]byte // descriptions of streams whose own has not been read yet, from the seal
	last     int64             // newest record
}

// blockPlace is where a block can be read again.
type blockPlace struct {
	segment int
	offset  int64
	header  evr.BlockHeader
}

func (a *archive) each(fn func(record) error) (err error) {
	s, err := evr.NewScanner(a.fsys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a.segments = s.Segments()
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := a.one(b, fn); err != nil {
			return err
		}
	}
	if len(a.segments) == 0 {
		return ErrNoArchive
	}
	for _, f := range s.Faults() {
		if f.Tail && f.Segment == len(a.segments)-1 && !a.sealed() {
			continue // being written, or torn by a crash: nothing durable is missing
		}
		a.damaged = append(a.damaged, Fault{At: ns(int64(f.T)), Where: fmt.Sprintf("%s at %d", f.Name, f.Offset),
			What: fmt.Sprintf("%d bytes of stream %d: %v", f.Bytes, f.Stream, f.Err)})
	}
	return nil
}

// one gives the records of a block. A payload that ends within a record is damage, not an error.
func (a *archive) one(b evr.Block, fn func(record) error) error {
	if len(a.blocks) == maxBlocks {
		return errors.New("too many blocks")
	}
	n := uint32(len(a.blocks))
	a.blocks = append(a.blocks, blockPlace{b.Segment, b.Offset, b.Header})
	at := Fault{At: ns(int64(b.Header.T)), Where: fmt.Sprintf("block %d", b.Header.Leaf)}
	payload, err := a.plain.Payload(&a.segments[b.Segment], b.Header, b.Payload())
	switch {
	case errors.Is(err, keys.ErrNoKey):
		return a.closed(b)
	case err != nil:
		at.What = fmt.Sprintf("stream %d: %v", b.Header.Stream, err)
		a.damaged = append(a.damaged, at)
		return nil
	}
	err = evr.Records(b.Header, payload, func(r evr.Record) error {
		a.last = max(a.last, int64(min(r.T, 1<<60)))
		rec, ok := recordOf(r, b.Header.Stream)
		if !ok {
			return nil
		}
		rec.at0 = place{n, uint32(r.Off + len(r.Data) - len(rec.data)), uint32(len(rec.data))}
		if info := a.named[rec.stream]; info != nil {
			delete(a.named, rec.stream)
			if rec.kind != recStreamOpen { // its beginning is withheld or lost
				if err := fn(record{kind: recStreamOpen, stream: rec.stream, at: rec.at, data: info}); err != nil {
					return err
				}
			}
		}
		return fn(rec)
	})
	if errors.Is(err, evr.ErrShort) {
		at.What = fmt.Sprintf("stream %d: breaks off within a record", b.Header.Stream)
		a.damaged = append(a.damaged, at)
		return nil
	}
	return err
}

// closed notes a block whose key is not here: one entry for what lies together.
func (a *archive) closed(b evr.Block) error {
	a.last = max(a.last, int64(min(b.Header.T, 1<<60)))
	at := ns(int64(b.Header.T))
	if a.withheld == nil {
		a.withheld = map[uint16]int{}
	}
	if i, ok := a.withheld[b.Header.Stream]; ok {
		a.damaged[i].Until = at
		return nil
	}
	a.withheld[b.Header.Stream] = len(a.damaged)
	a.damaged = append(a.damaged, Fault{At: at, Until: at, Where: fmt.Sprintf("block %d", b.Header.Leaf),
		What: fmt.Sprintf("stream %d is encrypted and its key is not here", b.Header.Stream)})
	return nil
}

// words name the kinds of records that are shown as events.
var words = map[evr.Kind]string{
	evr.ICE: "ice", evr.DTLS: "dtls", evr.Event: "event", evr.Recovery: "recovery", evr.Degrade: "degrade", evr.Policy: "policy",
}

// recordOf says what a record of the format is here. Those without use for players, such as the
// session descriptions, are not.
func recordOf(r evr.Record, stream uint16) (record, bool) {
	out := record{stream: stream, at: int64(min(r.T, 1<<60)), data: r.Data}
	switch r.Kind {
	case evr.RTP, evr.RTPRecovered:
		out.kind, out.recovered = recRTP, r.Kind == evr.RTPRecovered
	case evr.RTCPIn:
		out.kind = recSR
	case evr.StreamOpen:
		out.kind = recStreamOpen
	case evr.Location:
		out.kind, out.word = recPosition, "location"
	case evr.Chat:
		out.kind, out.word = recChat, "chat"
	case evr.Gap:
		out.kind = recGap
	case evr.BlobMeta:
		out.kind = recBlobMeta
	case evr.BlobChunk:
		id, no, off, err := evr.ParseChunk(r.Data)
		if err != nil {
			return out, false
		}
		out.kind, out.word, out.no, out.data = recBlobChunk, id, no, r.Data[off:]
	default:
		word, ok := words[r.Kind]
		if !ok {
			return out, false
		}
		out.kind, out.word = recEvent, word
	}
	return out, true
}

func (a *archive) block(n uint32) ([]byte, error) {
	if int(n) >= len(a.blocks) {
		return nil, fmt.Errorf("block %d: %w", n, fs.ErrNotExist)
	}
	p := a.blocks[n]
	b, err := evr.ReadBlock(a.fsys, a.segments[p.segment].Name, p.offset, p.header)
	if err == nil && p.header.Flags&evr.FlagEncrypted != 0 {
		r, _ := a.readers.Get().(*plain.Reader)
		b, err = r.Payload(&a.segments[p.segment], p.header, b)
		b = bytes.Clone(b) // some blocks are held at once
		a.readers.Put(r)
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", p.header.Leaf, err)
	}
	return b, nil
}

// sealed tells whether the archive was ended in order.
func (a *archive) sealed() bool {
	st, err := fs.Stat(a.fsys, "seal.note")
	return err == nil && st.Mode().IsRegular()
}

func (a *archive) facts() facts {
	f := facts{last: ns(a.last), sealed: a.sealed(), damaged: a.damaged}
	for _, s := range a.segments {
		if s.Raw == nil {
			continue
		}
		id, err := ident.Parse[ident.CallID](s.Header.Call)
		opened, err2 := time.Parse(time.RFC3339Nano, s.Header.Opened)
		if err == nil && err2 == nil {
			f.call, f.opened = id, opened.UTC()
			break
		}
	}
	return f
}
