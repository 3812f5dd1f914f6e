package derive

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"jedel/recorder/evr"
)

var kinds = map[recordKind]evr.Kind{
	recStreamOpen: evr.StreamOpen, recRTP: evr.RTP, recSR: evr.RTCPIn, recPosition: evr.Location, recChat: evr.Chat,
	recEvent: evr.Event, recGap: evr.Gap, recBlobMeta: evr.BlobMeta, recBlobChunk: evr.BlobChunk,
}

// folder writes the records as an archive of several segments, blocks of one stream and 200 ms.
func (m *memory) folder(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	var file []byte
	leaf := uint64(0)
	segment := func(n int) {
		b, err := evr.EncodeSegmentHeader(evr.SegmentHeader{Format: "EVR1", Call: "01h00000000000000000000000", Seg: n, FirstLeaf: leaf,
			Opened: "2026-11-23T08:12:00Z", Created: "2026-11-23T08:12:00Z", Reason: "open"})
		if err != nil {
			t.Fatal(err)
		}
		leaf++
		file = b
	}
	segment(0)
	type open struct {
		b []byte
		h evr.BlockHeader
	}
	building := map[uint16]*open{}
	var order []uint16
	flush := func() {
		for _, s := range order {
			x := building[s]
			if len(x.b) > evr.HeaderSize {
				x.h.Leaf = leaf
				leaf++
				evr.SealBlock(x.b, x.h)
				file = append(file, x.b...)
				x.b = make([]byte, evr.HeaderSize)
			}
		}
	}
	next := int64(0)
	segments := 0
	for _, r := range m.records {
		if r.at >= next {
			flush()
			next = r.at + 200e6
			if len(file) > 300_000 {
				out[segmentName(segments)] = &fstest.MapFile{Data: file}
				segments++
				segment(segments)
			}
		}
		x := building[r.stream]
		if x == nil {
			x = &open{b: make([]byte, evr.HeaderSize)}
			building[r.stream] = x
			order = append(order, r.stream)
		}
		if len(x.b) == evr.HeaderSize {
			x.h = evr.BlockHeader{Kind: evr.BlockMedia, Stream: r.stream, T: uint64(r.at)}
		}
		data := m.blocks[r.at0.block][r.at0.off : r.at0.off+r.at0.n]
		k := kinds[r.kind]
		if r.recovered {
			k = evr.RTPRecovered
		}
		if r.kind == recBlobChunk {
			data = evr.AppendChunk(nil, r.word, r.no, data)
		}
		x.b = evr.AppendRecord(x.b, k, uint64(r.at)/1000-x.h.T/1000, data)
	}
	flush()
	out[segmentName(segments)] = &fstest.MapFile{Data: file}
	return out
}

func segmentName(n int) string { return "0000" + string(rune('0'+n)) + ".evr" }

func loadFolder(t testing.TB, f fs.FS) *Recording {
	t.Helper()
	r, err := Load(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestArchiveOfSeveralSegmentsIsPlayed(t *testing.T) {
	s := scene{codec: "vp8", seconds: 12, late: 90 * time.Millisecond, resize: 6, reports: time.Second, net: lossy()}
	f := s.record(t).folder(t)
	if len(f) < 2 {
		t.Fatalf("%d segments: the test is too small", len(f))
	}
	f["seal.note"] = &fstest.MapFile{Data: []byte("sealed")}
	r := loadFolder(t, f)
	if r.Call != "01h00000000000000000000000" || !r.Sealed || r.Opened.Year() != 2026 || r.Duration < 12*time.Second {
		t.Errorf("%s %v %v %v", r.Call, r.Sealed, r.Opened, r.Duration)
	}
	path, _ := file(t, r, "p1")
	decodes(t, path)
	inSync(t, path, 4, true)
	placedRight(t, s, r, 10*time.Millisecond)
	if len(r.Damage) != 0 {
		t.Errorf("damage in a whole archive: %+v", r.Damage)
	}
}

func TestRunningArchiveIsPlayedAsFarAsItGoes(t *testing.T) {
	s := scene{codec: "vp8", seconds: 12, reports: time.Second, net: clean()}
	f := s.record(t).folder(t)
	last := f[segmentName(len(f)-1)]
	last.Data = last.Data[:len(last.Data)-1000] // a block half written
	r := loadFolder(t, f)
	if r.Sealed || len(r.Damage) != 0 {
		t.Errorf("sealed %v, damage %+v", r.Sealed, r.Damage)
	}
	path, _ := file(t, r, "p1")
	decodes(t, path)
	inSync(t, path, 9, false)
	// The same bytes missing from a sealed archive are damage.
	f["seal.note"] = &fstest.MapFile{Data: []byte("sealed")}
	if r := loadFolder(t, f); len(r.Damage) != 1 {
		t.Errorf("damage %+v", r.Damage)
	}
}

func TestDamagedArchiveIsPlayedAroundTheDamage(t *testing.T) {
	s := scene{codec: "vp8", seconds: 12, reports: time.Second, net: clean()}
	f := s.record(t).folder(t)
	f[segmentName(0)].Data[100_000] ^= 1
	r := loadFolder(t, f)
	if len(r.Damage) != 1 || !strings.HasPrefix(r.Damage[0].Where, "00000.evr at ") {
		t.Errorf("damage %+v", r.Damage)
	}
	path, _ := file(t, r, "p1")
	decodes(t, path)
	if len(r.Timeline().Damage) == 0 {
		t.Error("the packets of the block are missing and nothing is told")
	}
}

func TestEncryptedBlocksAreToldAndPassedOver(t *testing.T) {
	b := evr.AppendRecord(make([]byte, evr.HeaderSize), evr.RTP, 0, []byte("cipher"))
	evr.SealBlock(b, evr.BlockHeader{Kind: evr.BlockMedia, Flags: evr.FlagEncrypted, Stream: 3, Leaf: 1, T: 5e9})
	head, err := evr.EncodeSegmentHeader(evr.SegmentHeader{Format: "EVR1"})
	if err != nil {
		t.Fatal(err)
	}
	r := loadFolder(t, fstest.MapFS{"00000.evr": {Data: append(head, b...)}})
	if len(r.Damage) != 1 || r.Damage[0].At != 5*time.Second || !strings.Contains(r.Damage[0].What, "encrypted") {
		t.Errorf("%+v", r.Damage)
	}
}

func TestEmptyFolderIsNoArchive(t *testing.T) {
	if _, err := Load(fstest.MapFS{"readme": {Data: []byte("x")}}, nil); !errors.Is(err, ErrNoArchive) {
		t.Errorf("%v", err)
	}
}

func TestOneRecordingServesManyReaders(t *testing.T) {
	s := scene{codec: "vp8", seconds: 6, reports: time.Second, net: lossy()}
	r := loadFolder(t, s.record(t).folder(t))
	var want bytes.Buffer
	if _, err := r.WriteMedia(&want, "p1"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var got bytes.Buffer
			if _, err := r.WriteMedia(&got, "p1"); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%v, %d bytes, want %d", err, got.Len(), want.Len())
			}
			r.Timeline()
		})
	}
	wg.Wait()
}

func FuzzLoad(f *testing.F) {
	s := scene{codec: "vp8", seconds: 1, reports: time.Second, net: lossy()}
	f.Add(s.record(f).folder(f)[segmentName(0)].Data[:9000])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Load(fstest.MapFS{"00000.evr": {Data: b}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.parts {
			if _, err := r.WriteMedia(io.Discard, p.id); err != nil && !errors.Is(err, ErrNothing) {
				t.Fatal(err)
			}
		}
	})
}
