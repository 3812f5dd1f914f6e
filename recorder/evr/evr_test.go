package evr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

func header(t testing.TB, h SegmentHeader) []byte {
	t.Helper()
	h.Format, h.Call = "EVR1", "7zzzzzzzzzzzzzzzzzzzzzzzzz"
	raw, err := EncodeSegmentHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// block makes a block of one RTP record of n bytes.
func block(leaf uint64, stream uint16, t uint64, n int) []byte {
	b := AppendRecord(make([]byte, HeaderSize), RTP, 0, bytes.Repeat([]byte{byte(leaf)}, n))
	SealBlock(b, BlockHeader{Kind: BlockMedia, Stream: stream, Leaf: leaf, T: t, Epoch: uint32(t / EpochTime)})
	return b
}

// two returns an archive of two segments with three blocks each, one second apart, and where each
// block begins.
func two(t testing.TB, tail []byte) (fstest.MapFS, []int64) {
	t.Helper()
	first := header(t, SegmentHeader{Reason: "open"})
	var at []int64
	for i := range uint64(3) {
		at = append(at, int64(len(first)))
		first = append(first, block(1+i, uint16(1+i%2), i*1e9, 300)...)
	}
	second := header(t, SegmentHeader{Seg: 1, FirstLeaf: 4, Prev: SegmentName(0), PrevBytes: int64(len(first)), Mono0: 3e9, Reason: "rotate"})
	first = append(first, tail...)
	for i := range uint64(3) {
		at = append(at, int64(len(second)))
		second = append(second, block(5+i, uint16(1+i%2), (3+i)*1e9, 300)...)
	}
	return fstest.MapFS{"00000.evr": {Data: first}, "00001.evr": {Data: second}}, at
}

// scan returns the leaves of all good blocks, and the faults.
func scan(t testing.TB, fsys fstest.MapFS) ([]uint64, *Scanner) {
	t.Helper()
	s, err := NewScanner(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var leaves []uint64
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			return leaves, s
		}
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, b.Header.Leaf)
	}
}

func TestHeaderAndBlockSurviveTheirOwnBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := BlockHeader{
			Kind: BlockKind(rapid.Uint8().Draw(rt, "kind")), Flags: rapid.Uint8().Draw(rt, "flags"), Stream: rapid.Uint16().Draw(rt, "stream"),
			Leaf: rapid.Uint64().Draw(rt, "leaf"), T: rapid.Uint64().Draw(rt, "t"), Epoch: rapid.Uint32().Draw(rt, "epoch"), Lost: rapid.Uint32().Draw(rt, "lost"),
		}
		raw := append(make([]byte, HeaderSize), rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(rt, "payload")...)
		SealBlock(raw, h)
		got, err := DecodeBlockHeader(raw)
		if err != nil {
			rt.Fatal(err)
		}
		if err := CheckBlock(raw, got); err != nil {
			rt.Fatal(err)
		}
		h.Len, h.CRC = got.Len, got.CRC
		if got != h {
			rt.Fatalf("got %+v, want %+v", got, h)
		}
		raw[rapid.IntRange(8, len(raw)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		if got, err := DecodeBlockHeader(raw); err == nil && CheckBlock(raw, got) == nil {
			rt.Fatal("a flipped bit went unseen")
		}
	})
}

func TestScanGivesEveryBlockInOrder(t *testing.T) {
	fsys, _ := two(t, nil)
	leaves, s := scan(t, fsys)
	if fmt.Sprint(leaves) != "[1 2 3 5 6 7]" || len(s.Faults()) != 0 {
		t.Fatalf("leaves %v, faults %v", leaves, s.Faults())
	}
}

func TestDeclaredTornTailIsNeitherGivenNorAFault(t *testing.T) {
	fsys, _ := two(t, block(4, 1, 3e9, 100)) // whole, but never acknowledged: written again as leaf 5
	leaves, s := scan(t, fsys)
	if fmt.Sprint(leaves) != "[1 2 3 5 6 7]" || len(s.Faults()) != 0 {
		t.Fatalf("leaves %v, faults %v", leaves, s.Faults())
	}
}

func TestFailedAttemptBetweenSegmentsIsPassedOver(t *testing.T) {
	fsys, _ := two(t, nil)
	fsys["00002.evr"] = fsys["00001.evr"]
	for name, data := range map[string][]byte{"empty": {}, "torn header": []byte("EVR1\x09"), "unused": header(t, SegmentHeader{Seg: 1, FirstLeaf: 4, Prev: SegmentName(0)})} {
		fsys["00001.evr"] = &fstest.MapFile{Data: data}
		if leaves, s := scan(t, fsys); fmt.Sprint(leaves) != "[1 2 3 5 6 7]" || len(s.Faults()) != 0 {
			t.Errorf("%s: leaves %v, faults %v", name, leaves, s.Faults())
		}
	}
}

func TestMissingSegmentIsAFault(t *testing.T) {
	fsys, _ := two(t, nil)
	delete(fsys, "00000.evr")
	_, s := scan(t, fsys)
	if f := s.Faults(); len(f) != 1 || f[0].Name != "00000.evr" || !errors.Is(f[0].Err, ErrMissing) {
		t.Fatalf("faults %v", s.Faults())
	}
}

// TestEveryFlippedBitOfABlockIsPlaced flips each bit of each block in turn: the scan must lose that
// block only, and name its stream and second.
func TestEveryFlippedBitOfABlockIsPlaced(t *testing.T) {
	fsys, at := two(t, nil)
	for i, off := range at {
		name := SegmentName(i / 3)
		clean := fsys[name].Data
		want := Fault{Stream: uint16(1 + i%3%2), T: uint64(i) * 1e9}
		size := int64(len(block(1, 1, 0, 300)))
		for bit := range 8 * size {
			bad := bytes.Clone(clean)
			bad[off+bit/8] ^= 1 << (bit % 8)
			fsys[name] = &fstest.MapFile{Data: bad}
			leaves, s := scan(t, fsys)
			if len(leaves) != 5 || len(s.Faults()) != 1 {
				t.Fatalf("block %d bit %d: leaves %v, faults %v", i, bit, leaves, s.Faults())
			}
			if f := s.Faults()[0]; f.Stream != want.Stream || f.T != want.T || f.Offset != off || f.Bytes != size {
				t.Fatalf("block %d bit %d: %+v", i, bit, f)
			}
		}
		fsys[name] = &fstest.MapFile{Data: clean}
	}
}

func TestHostileHeadersCostLittle(t *testing.T) {
	// A magic and the largest length every 8 bytes: each would cost a megabyte to check.
	bad := header(t, SegmentHeader{})
	for range 1 << 19 {
		bad = append(bad, 'E', 'V', 'B', '1', 0, 0, 0x10, 0)
	}
	s, err := NewScanner(fstest.MapFS{"00000.evr": {Data: bad}})
	if err != nil {
		t.Fatal(err)
	}
	s.work = 64 << 20
	if _, err := s.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if f := s.Faults(); len(f) != 1 || !errors.Is(f[0].Err, ErrTooBad) {
		t.Fatalf("faults %v", f)
	}
}

func TestRecordsAndChunksComeBack(t *testing.T) {
	p := AppendRecord(nil, RTP, 0, []byte("one"))
	p = AppendRecord(p, BlobChunk, 20_000, AppendChunk(nil, "file", 3, []byte("bytes")))
	var got []Record
	if err := Records(BlockHeader{T: 5}, p, func(r Record) error { got = append(got, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[1].T != 20_000_005 || string(got[0].Data) != "one" {
		t.Fatalf("%+v", got)
	}
	id, no, off, err := ParseChunk(got[1].Data)
	if err != nil || id != "file" || no != 3 || string(got[1].Data[off:]) != "bytes" {
		t.Fatal(id, no, off, err)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(uint64(0), AppendRecord(AppendRecord(nil, RTP, 1, []byte("x")), Chat, 2, []byte(`{}`)))
	f.Add(uint64(1<<63), []byte{1, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, at uint64, payload []byte) {
		_ = Records(BlockHeader{T: at}, payload, func(r Record) error {
			if r.T < at || !bytes.Equal(r.Data, payload[r.Off:r.Off+len(r.Data)]) {
				t.Fatalf("%+v", r)
			}
			_, _, _, _ = ParseChunk(r.Data)
			return nil
		})
	})
}

func FuzzScan(f *testing.F) {
	fsys, _ := two(f, []byte("torn"))
	f.Add(fsys["00000.evr"].Data, fsys["00001.evr"].Data)
	f.Add([]byte("EVR1"), []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s, err := NewScanner(fstest.MapFS{"00000.evr": {Data: a}, "00001.evr": {Data: b}})
		if err != nil {
			t.Fatal(err)
		}
		files := [][]byte{a, b}
		for {
			b, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if stored := files[b.Segment][b.Offset:]; !bytes.HasPrefix(stored, b.Raw) || CheckBlock(b.Raw, b.Header) != nil {
				t.Fatal("a block that is not in the file")
			}
		}
	})
}

func FuzzSegmentHeader(f *testing.F) {
	raw, err := EncodeSegmentHeader(SegmentHeader{Format: "EVR1", Call: "c", Seg: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[PrefixSize:])
	f.Add([]byte(`{"format":"EVR1","seg":-1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > MaxHeader {
			return
		}
		b := make([]byte, PrefixSize, PrefixSize+len(text))
		copy(b, segmentMagic)
		binary.LittleEndian.PutUint32(b[4:], uint32(len(text)))
		binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(text, castagnoli()))
		b = append(b, text...)
		h, n, err := DecodeSegmentHeader(b)
		if err == nil && (n != len(b) || h.Seg < 0 || h.PrevBytes < 0) {
			t.Fatalf("%+v", h)
		}
	})
}
