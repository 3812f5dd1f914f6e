package derive

import (
	"slices"

	"jedel/media/codec"
	"jedel/media/red"
)

// frame is one frame of sound or picture as a container will hold it, in 40 bytes; its bytes stay
// in the archive.
type frame struct {
	t     int64 // on the call clock, nanoseconds
	first int32 // packet of the run
	count int32
	take  int32 // of the track's takes; filled for what was put in here
	size  uint32
	dur   int32  // sound: samples at 48 kHz
	lost  uint16 // packets missing before it, at most 65535
	w, h  uint16 // of key frames
	flags uint8
	sub   uint8 // sound: block of a redundant packet
	toc   uint8 // sound: the first byte
	back  uint8 // sound: how many packets before the one that brought it as a copy; 0: its own
}

const (
	frameKey   uint8 = 1 << iota
	frameAfter       // something it may refer to is missing
	frameTail        // something is missing behind it, and nothing follows
	frameRED
)

func (f *frame) key() bool { return f.flags&frameKey != 0 }

// maxFramePackets bounds the packets of one frame; more are damaged or hostile.
const maxFramePackets = 1 << 14

// reader gives payloads again from the source. It keeps the newest blocks: packets of one stream
// lie in few of them at a time.
type reader struct {
	src   source
	kept  [8]keptBlock
	clock uint64
}

type keptBlock struct {
	n    uint32
	used uint64 // 0: free
	data []byte
}

func (r *reader) block(n uint32) ([]byte, error) {
	r.clock++
	oldest := 0
	for i := range r.kept {
		if r.kept[i].used != 0 && r.kept[i].n == n {
			r.kept[i].used = r.clock
			return r.kept[i].data, nil
		}
		if r.kept[i].used < r.kept[oldest].used {
			oldest = i
		}
	}
	data, err := r.src.block(n)
	if err != nil {
		return nil, err
	}
	r.kept[oldest] = keptBlock{n, r.clock, data}
	return data, nil
}

// payload returns what p carries. It is valid until some further calls.
func (r *reader) payload(p *packet) ([]byte, error) {
	b, err := r.block(p.block)
	if err != nil {
		return nil, err
	}
	lo, hi := int(p.off)+int(p.head), int(p.off)+int(p.n)-int(p.pad)
	if lo > hi || hi > len(b) {
		return nil, errPicture // the archive changed under us
	}
	return b[lo:hi:hi], nil
}

// parts returns the payloads of several packets, without those that carry nothing.
func (r *reader) parts(pt int, packets []packet) ([][]byte, error) {
	if len(packets) > maxFramePackets {
		return nil, errPicture
	}
	var out [][]byte
	total := 0
	for i := range packets {
		p := &packets[i]
		if p.empty() || pt >= 0 && int(p.pt) != pt {
			continue
		}
		b, err := r.payload(p)
		if err != nil {
			return nil, err
		}
		if total += len(b); total > maxFrameBytes {
			return nil, errPicture
		}
		out = append(out, b)
	}
	return out, nil
}

// mediaPT returns the payload type that carries the stream's codec in the run: the one
// announced, or when that never occurs the most frequent.
func (r *run) mediaPT(announced uint8) int {
	var seen [128]int
	for i := range r.packets {
		if !r.packets[i].empty() {
			seen[r.packets[i].pt&0x7f]++
		}
	}
	if announced != 0 && seen[announced&0x7f] > 0 {
		return int(announced)
	}
	best := 0
	for pt, n := range seen {
		if n > seen[best] {
			best = pt
		}
	}
	return best
}

// soundFrames lists the Opus packets of a run, with what redundant blocks bring back.
func soundFrames(rd *reader, r *run, info streamInfo) ([]frame, error) {
	var out []frame
	var blocks []red.Block
	pt := r.mediaPT(info.PayloadType)
	for i := range r.packets {
		p := &r.packets[i]
		if p.empty() {
			continue
		}
		b, err := rd.payload(p)
		if err != nil {
			return nil, err
		}
		f := frame{first: int32(i), count: 1}
		many := false
		if wantsRED(info, p.pt) {
			blocks, err = red.Parse(b, blocks[:0])
			many = err == nil && (info.Codec == "red" || blocks[len(blocks)-1].PT == info.PayloadType)
		}
		if !many && (info.Codec == "red" && p.pt == info.PayloadType || info.Codec != "red" && int(p.pt) != pt || p.pt < dynamicPT) {
			continue // comfort noise, tones
		}
		if !many {
			out = addSound(out, r, f, b)
			continue
		}
		f.flags = frameRED
		for k, blk := range blocks {
			f.sub, f.back = uint8(k), uint8(len(blocks)-1-k)
			out = addSoundAt(out, r, f, blk)
		}
	}
	r.copied = 0
	countLost(r, out)
	return out, nil
}

// countLost notes at each frame how many packets before it neither came nor were brought by a later
// one, and in the run how many were brought. The n-th copy before a packet's own frame is of the n-th
// packet before it (RFC 2198 section 3).
func countLost(r *run, frames []frame) {
	seq := func(f *frame) int32 { return r.packets[f.first].seq - int32(f.back) }
	k := 0 // packets up to the frame before
	for i := range frames {
		f := &frames[i]
		here := seq(f)
		if f.back > 0 {
			r.copied++
		}
		came := k
		for k < len(r.packets) && r.packets[k].seq <= here {
			k++
		}
		if i == 0 {
			continue
		}
		between := int32(k - came) // comfort noise and the like
		if f.back == 0 {
			between--
		}
		if n := here - seq(&frames[i-1]) - 1 - between; n > 0 {
			f.lost = uint16(min(n, 65535))
		}
	}
}

// dynamicPT is the first payload type that Opus can have in WebRTC besides 35 to 63 (RFC 5761
// section 4); all others below have a fixed meaning, such as comfort noise.
const dynamicPT = 35

// wantsRED tells whether a packet may be redundant audio: the stream's own type in a stream of
// it, another type in a stream of Opus.
func wantsRED(info streamInfo, pt uint8) bool {
	return (info.Codec == "red") == (pt == info.PayloadType || info.PayloadType == 0)
}

// lostBefore counts the packets missing before packet i.
func lostBefore(r *run, i int) uint16 {
	if i == 0 {
		return 0
	}
	return uint16(min(r.packets[i].seq-r.packets[i-1].seq-1, 65535))
}

func addSound(out []frame, r *run, f frame, b []byte) []frame {
	f.t = r.time(int(f.first))
	f.dur, f.size = int32(codec.OpusTicks(b)), uint32(len(b))
	if f.dur == 0 {
		return out
	}
	f.toc = b[0]
	return append(out, f)
}

// soundReach is how many frames back a redundant block may fill a hole.
const soundReach = 32

// addSoundAt adds a block of a redundant packet, unless its frame has come by itself.
func addSoundAt(out []frame, r *run, f frame, blk red.Block) []frame {
	f.dur, f.size = int32(codec.OpusTicks(blk.Data)), uint32(len(blk.Data))
	if f.dur == 0 {
		return out
	}
	f.toc = blk.Data[0]
	back := int64(blk.Offset)
	f.t = r.timeOf(int(f.first), r.packets[f.first].ts-back)
	at := len(out)
	for at > 0 && out[at-1].t > f.t && len(out)-at < soundReach {
		at--
	}
	const tolerance = 2_000_000 // the same frame: shorter than any frame
	if at > 0 && out[at-1].t > f.t-tolerance || at < len(out) && out[at].t < f.t+tolerance {
		return out
	}
	return slices.Insert(out, at, f)
}
