package sitelog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing/fstest"

	"jedel/recorder/evr"
	"jedel/recorder/proof"
)

// mutant is a specimen with one change.
type mutant struct {
	of    *specimen
	what  string
	file  string // the one that changed; empty for several
	files fstest.MapFS
	spot  *spot // where a fault must be reported; nil: anywhere
}

// spot is a place in an archive.
type spot struct {
	segment  string // empty: any
	stream   int    // below 0: any
	from, to float64
}

// mutator makes one change to a specimen; false where this specimen has nothing to change so.
type mutator struct {
	rnd *rand.Rand
	all []*specimen
}

// change is a kind of change. It returns the changed files (nil data: gone) and where.
type change func(m mutator, s *specimen) (map[string][]byte, *spot, string)

// changes are all kinds, by name.
func changes() map[string]change {
	return map[string]change{
		"flip": mutator.flip, "mended flip": mutator.mendedFlip, "cut": mutator.cut, "zeroes": mutator.zeroes, "append": mutator.tail, "gone": mutator.gone,
		"drop block": mutator.dropBlock, "double block": mutator.doubleBlock, "swap blocks": mutator.swapBlocks, "splice block": mutator.spliceBlock, "other stream": mutator.otherStream,
		"drop head": mutator.dropHead, "swap heads": mutator.swapHeads, "splice head": mutator.spliceHead, "swap files": mutator.swapFiles, "splice file": mutator.spliceFile,
		"replay segment": mutator.replay, "roll back": mutator.rollBack, "roll back and unseal": mutator.unseal,
	}
}

// mutate makes a mutant of one kind; nil where the draw changed nothing.
func (m mutator) mutate(kind string) *mutant {
	s := pick(m.rnd, m.all)
	changed, at, what := changes()[kind](m, s)
	out := &mutant{of: s, what: s.name + ": " + kind + " " + what, files: maps.Clone(s.files), spot: at}
	differs := false
	for name, data := range changed {
		old := s.files[name]
		differs = differs || (old == nil) != (data == nil) || old != nil && !bytes.Equal(old.Data, data)
		if out.files[name] = (&fstest.MapFile{Data: data}); data == nil {
			delete(out.files, name)
		}
		if len(changed) == 1 {
			out.file = strings.TrimPrefix(name, s.below)
		}
	}
	if !differs {
		return nil
	}
	return out
}

func (s *specimen) names() []string { return slices.Sorted(maps.Keys(s.files)) }

func (s *specimen) segments() []string { return slices.Sorted(maps.Keys(s.blocks)) }

func (s *specimen) data(name string) []byte { return bytes.Clone(s.files[name].Data) }

// anyFile takes a file, segments more often.
func (m mutator) anyFile(s *specimen) string {
	if m.rnd.IntN(2) == 0 {
		return pick(m.rnd, s.segments())
	}
	return pick(m.rnd, s.names())
}

// anyBlock takes a block and returns its number in its segment.
func (m mutator) anyBlock(s *specimen) (string, int) {
	for {
		if name := pick(m.rnd, s.segments()); len(s.blocks[name]) > 0 {
			return name, m.rnd.IntN(len(s.blocks[name]))
		}
	}
}

// near returns the times of the blocks about one, in the order in which they were written.
func (s *specimen) near(name string, i int) (from, to float64) {
	var times []float64
	here := 0
	for _, n := range s.segments() {
		for j, b := range s.blocks[n] {
			if n == name && j == i {
				here = len(times)
			}
			times = append(times, float64(b.Header.T)/1e9)
		}
	}
	about := times[max(0, here-3):min(len(times), here+4)]
	return slices.Min(about), slices.Max(about)
}

// at returns where a byte of a file stands, exactly where it is within a block.
func (s *specimen) at(name string, off int) *spot {
	blocks, ok := s.blocks[name]
	if !ok {
		return nil
	}
	seg := strings.TrimPrefix(name, s.below)
	for _, b := range blocks {
		if off >= int(b.Offset) && off < int(b.Offset)+len(b.Raw) {
			t := float64(b.Header.T) / 1e9
			return &spot{seg, int(b.Header.Stream), t, t}
		}
	}
	if len(blocks) == 0 || off > int(blocks[0].Offset) { // a segment just begun, or a torn tail
		return &spot{seg, -1, 0, math.Inf(1)}
	}
	from, to := s.near(name, 0)
	return &spot{seg, -1, from - 1, to + 1}
}

// roughly is at for changes that leave less to tell the place by: the second.
func (s *specimen) roughly(name string, off int) *spot {
	out := s.at(name, off)
	for i, b := range s.blocks[name] {
		if off >= int(b.Offset) && off < int(b.Offset)+len(b.Raw) {
			out = s.about(name, i)
		}
	}
	if out != nil {
		out.stream, out.from, out.to = -1, out.from-1, out.to+1
	}
	return out
}

// about is where a change between blocks shows.
func (s *specimen) about(name string, i int) *spot {
	from, to := s.near(name, i)
	return &spot{strings.TrimPrefix(name, s.below), -1, from, to}
}

func (m mutator) flip(s *specimen) (map[string][]byte, *spot, string) {
	name := m.anyFile(s)
	data := s.data(name)
	bit := m.rnd.IntN(8 * len(data))
	data[bit/8] ^= 1 << (bit % 8)
	return map[string][]byte{name: data}, s.at(name, bit/8), fmt.Sprintf("bit %d of %s", bit, name)
}

// mend makes the checksum of a changed block right, as somebody who knows the format would.
func mend(raw []byte) {
	binary.LittleEndian.PutUint32(raw[8:], crc32.Checksum(raw[12:], crc32.MakeTable(crc32.Castagnoli)))
}

// mendedFlip is found between two heads, which are less than a second apart, or more closely.
func (m mutator) mendedFlip(s *specimen) (map[string][]byte, *spot, string) {
	name, i := m.anyBlock(s)
	b := s.blocks[name][i]
	data := s.data(name)
	raw := data[b.Offset : int(b.Offset)+len(b.Raw)]
	bit := 8*12 + m.rnd.IntN(8*(len(raw)-12))
	raw[bit/8] ^= 1 << (bit % 8)
	mend(raw)
	from, to := s.near(name, i)
	return map[string][]byte{name: data}, &spot{"", -1, from - 1, to}, fmt.Sprintf("bit %d of block %d of %s", bit, i, name)
}

func (m mutator) cut(s *specimen) (map[string][]byte, *spot, string) {
	name := m.anyFile(s)
	data := s.data(name)
	n := m.rnd.IntN(len(data))
	at := s.roughly(name, n)
	return map[string][]byte{name: data[:n]}, at, fmt.Sprintf("%s at %d", name, n)
}

// zeroes is what a file system leaves that had made room for what it never wrote.
func (m mutator) zeroes(s *specimen) (map[string][]byte, *spot, string) {
	name := m.anyFile(s)
	data := s.data(name)
	n := m.rnd.IntN(len(data))
	end := min(len(data), n+1+m.rnd.IntN(1024))
	at := s.roughly(name, n)
	clear(data[n:end])
	return map[string][]byte{name: data}, at, fmt.Sprintf("%s from %d to %d", name, n, end)
}

func (m mutator) tail(s *specimen) (map[string][]byte, *spot, string) {
	name := m.anyFile(s)
	extra := bytes.Repeat([]byte{'E', 'V', 0, 0xff}, 1+m.rnd.IntN(40))
	if seg, i := m.anyBlock(s); m.rnd.IntN(2) == 0 {
		name, extra = seg, s.blocks[seg][i].Raw
	}
	data := append(s.data(name), extra...)
	var at *spot
	if _, ok := s.blocks[name]; ok {
		at = &spot{strings.TrimPrefix(name, s.below), -1, 0, math.Inf(1)}
	}
	return map[string][]byte{name: data}, at, fmt.Sprintf("%d bytes to %s", len(extra), name)
}

func (m mutator) gone(s *specimen) (map[string][]byte, *spot, string) {
	name := m.anyFile(s)
	var at *spot
	if segs := s.segments(); slices.Contains(segs, name) && (s.sealed || name != segs[len(segs)-1]) {
		at = &spot{strings.TrimPrefix(name, s.below), -1, 0, math.Inf(1)}
	}
	return map[string][]byte{name: nil}, at, name
}

// rebuilt puts a segment together again from its header, blocks, and what followed them.
func (s *specimen) rebuilt(name string, blocks [][]byte) []byte {
	old := s.blocks[name]
	data := s.files[name].Data
	last := old[len(old)-1]
	return slices.Concat(data[:old[0].Offset], bytes.Join(blocks, nil), data[int(last.Offset)+len(last.Raw):])
}

func (s *specimen) raws(name string) (out [][]byte) {
	for _, b := range s.blocks[name] {
		out = append(out, b.Raw)
	}
	return out
}

func (m mutator) dropBlock(s *specimen) (map[string][]byte, *spot, string) {
	name, i := m.anyBlock(s)
	at := s.about(name, i)
	at.to++ // the last block of all is missed by the next head
	return map[string][]byte{name: s.rebuilt(name, slices.Delete(s.raws(name), i, i+1))}, at, fmt.Sprintf("%d of %s", i, name)
}

func (m mutator) doubleBlock(s *specimen) (map[string][]byte, *spot, string) {
	name, i := m.anyBlock(s)
	return map[string][]byte{name: s.rebuilt(name, slices.Insert(s.raws(name), i, s.blocks[name][i].Raw))}, s.about(name, i), fmt.Sprintf("%d of %s", i, name)
}

func (m mutator) swapBlocks(s *specimen) (map[string][]byte, *spot, string) {
	name, i := m.anyBlock(s)
	raws := s.raws(name)
	j := m.rnd.IntN(len(raws))
	i, j = min(i, j), max(i, j)
	raws[i], raws[j] = raws[j], raws[i]
	at := s.about(name, i)
	at.to = max(at.to, float64(s.blocks[name][j].Header.T)/1e9)
	return map[string][]byte{name: s.rebuilt(name, raws)}, at, fmt.Sprintf("%d and %d of %s", i, j, name)
}

// spliceBlock puts a block of another archive, or of another place in this one, in the place of a
// block, half of the time with leaf, time and checksum as they should be there.
func (m mutator) spliceBlock(s *specimen) (map[string][]byte, *spot, string) {
	name, i := m.anyBlock(s)
	from := pick(m.rnd, m.all)
	seg, j := m.anyBlock(from)
	raw := bytes.Clone(from.blocks[seg][j].Raw)
	fitted := m.rnd.IntN(2) == 0
	if fitted {
		copy(raw[16:36], s.blocks[name][i].Raw[16:36]) // leaf, time, epoch
		mend(raw)
	}
	raws := s.raws(name)
	raws[i] = raw
	at := s.about(name, i)
	at.segment, at.from = "", at.from-1                            // a block that fits is found by the next head
	if t := float64(from.blocks[seg][j].Header.T) / 1e9; !fitted { // the place is right, the block says another time
		at.from, at.to = min(at.from, t), max(at.to, t)
	}
	return map[string][]byte{name: s.rebuilt(name, raws)}, at, fmt.Sprintf("%d of %s, from %s %s %d, fitted %v", i, name, from.name, seg, j, fitted)
}

// otherStream says of a block that it belongs to another stream.
func (m mutator) otherStream(s *specimen) (map[string][]byte, *spot, string) {
	name, i := m.anyBlock(s)
	b := s.blocks[name][i]
	data := s.data(name)
	raw := data[b.Offset : int(b.Offset)+len(b.Raw)]
	binary.LittleEndian.PutUint16(raw[14:], uint16((int(b.Header.Stream)+1+m.rnd.IntN(3))%5))
	mend(raw)
	from, to := s.near(name, i)
	return map[string][]byte{name: data}, &spot{"", -1, from - 1, to}, fmt.Sprintf("%d of %s", i, name)
}

// heads returns the heads of a specimen and their file.
func (s *specimen) heads() (string, [][]byte) {
	name := s.below + "heads"
	list, _ := proof.SplitHeads(s.files[name].Data)
	return name, list
}

func joined(heads [][]byte) []byte {
	var out []byte
	for _, h := range heads {
		out = append(append(out, h...), '\n')
	}
	return out
}

func (m mutator) dropHead(s *specimen) (map[string][]byte, *spot, string) {
	name, list := s.heads()
	i := m.rnd.IntN(len(list))
	return map[string][]byte{name: joined(slices.Delete(list, i, i+1))}, nil, fmt.Sprint(i)
}

func (m mutator) swapHeads(s *specimen) (map[string][]byte, *spot, string) {
	name, list := s.heads()
	i, j := m.rnd.IntN(len(list)), m.rnd.IntN(len(list))
	list[i], list[j] = list[j], list[i]
	return map[string][]byte{name: joined(list)}, nil, fmt.Sprint(i, j)
}

func (m mutator) spliceHead(s *specimen) (map[string][]byte, *spot, string) {
	name, list := s.heads()
	from := pick(m.rnd, m.all)
	_, others := from.heads()
	i, j := m.rnd.IntN(len(list)), m.rnd.IntN(len(others))
	list[i] = others[j]
	return map[string][]byte{name: joined(list)}, nil, fmt.Sprintf("%d from %s %d", i, from.name, j)
}

func (m mutator) swapFiles(s *specimen) (map[string][]byte, *spot, string) {
	a, b := m.anyFile(s), m.anyFile(s)
	return map[string][]byte{a: s.data(b), b: s.data(a)}, nil, a + " and " + b
}

func (m mutator) spliceFile(s *specimen) (map[string][]byte, *spot, string) {
	name := m.anyFile(s)
	from := pick(m.rnd, m.all)
	other := from.below + strings.TrimPrefix(name, s.below)
	if from.files[other] == nil {
		return nil, nil, ""
	}
	var at *spot
	if _, ok := s.blocks[name]; ok {
		at = &spot{strings.TrimPrefix(name, s.below), -1, 0, math.Inf(1)}
	}
	return map[string][]byte{name: from.data(other)}, at, name + " from " + from.name
}

// replay puts an old segment behind the last one.
func (m mutator) replay(s *specimen) (map[string][]byte, *spot, string) {
	names := s.segments()
	from := pick(m.rnd, names)
	name := s.below + evr.SegmentName(len(names)+m.rnd.IntN(3))
	return map[string][]byte{name: s.data(from)}, nil, from + " as " + name
}

// rollBack puts an archive back to what it was at an earlier head, heads and all.
func (m mutator) rollBack(s *specimen) (map[string][]byte, *spot, string) {
	file, list := s.heads()
	n := m.rnd.IntN(len(list) - 1)
	text, _ := proof.NoteText(list[n])
	h, err := proof.ParseHead(text)
	if err != nil {
		return nil, nil, ""
	}
	changed := map[string][]byte{file: joined(list[:n+1])}
	for i, name := range s.segments() {
		switch {
		case i == h.Seg:
			changed[name] = s.data(name)[:h.Bytes]
		case i > h.Seg:
			changed[name] = nil
		}
	}
	return changed, nil, fmt.Sprintf("to head %d", n)
}

// unseal rolls back and takes away what says that there was more.
func (m mutator) unseal(s *specimen) (map[string][]byte, *spot, string) {
	if !s.sealed {
		return nil, nil, ""
	}
	changed, at, what := m.rollBack(s)
	for _, name := range s.names() {
		if strings.Contains(name, "proofs/") || name == s.below+"seal.note" {
			changed[name] = nil
		}
	}
	return changed, at, what
}
