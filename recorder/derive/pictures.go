package derive

import (
	"bytes"
	"errors"

	"github.com/pion/rtp/codecs"
)

// pictureWalk puts the packets of a run together to pictures.
type pictureWalk struct {
	rd    *reader
	run   *run
	codec string
	pt    int

	buf    []byte
	out    []frame
	lost   int  // packets missing since the last picture
	broken bool // a picture was left out since then
	sets   sets
}

// sets are the parameters that a decoder must have before the first picture.
type sets struct {
	sps, pps []byte // H264
	header   []byte // AV1: the sequence header
	varied   bool   // there are several
}

// add keeps the first of each.
func (s *sets) add(o sets) {
	s.varied = s.varied || o.varied || s.sps != nil && o.sps != nil && !bytes.Equal(s.sps, o.sps) ||
		s.pps != nil && o.pps != nil && !bytes.Equal(s.pps, o.pps)
	if s.sps == nil {
		s.sps = o.sps
	}
	if s.pps == nil {
		s.pps = o.pps
	}
	if s.header == nil {
		s.header = o.header
	}
}

// maxCarried bounds the packets of parameter sets that wait for a picture.
const maxCarried = 64

// pictureFrames lists the complete pictures of a run, and what decoding them needs. What is
// incomplete is left out; the next picture says so.
func pictureFrames(rd *reader, r *run, info streamInfo) ([]frame, sets, error) {
	w := pictureWalk{rd: rd, run: r, codec: info.Codec, pt: r.mediaPT(info.PayloadType)}
	from := 0 // where the next picture begins: parameter sets come before it
	for i := 0; i < len(r.packets); {
		j := i + 1
		for j < len(r.packets) && r.packets[j].ts == r.packets[i].ts {
			j++
		}
		carried, err := w.group(from, i, j)
		if err != nil {
			return nil, sets{}, err
		}
		if !carried {
			from = j
		}
		i = j
	}
	if n := len(w.out); n > 0 && (w.lost > 0 || w.broken) {
		w.out[n-1].flags |= frameTail
	}
	return w.out, w.sets, nil
}

// group takes packets i to j-1, all of one timestamp, and those from on that were carried over.
// It reports whether they are carried over too.
func (w *pictureWalk) group(from, i, j int) (carried bool, err error) {
	w.lost += int(lostBefore(w.run, i))
	end := j
	for end > i && w.run.packets[end-1].empty() {
		end-- // padding behind the picture may be lost
	}
	if end == i {
		return from < i, nil
	}
	if i-from > maxCarried {
		w.broken = true
		return false, nil
	}
	if missing := int(w.run.packets[end-1].seq-w.run.packets[i].seq) - (end - 1 - i); missing > 0 || !w.ended(i, end) {
		w.lost += missing
		w.broken = true
		return false, nil
	}
	if size := w.known(from, end); size > 0 {
		w.add(picture{shown: true}, from, i, end, size)
		return false, nil
	}
	parts, err := w.rd.parts(w.pt, w.run.packets[from:end])
	if err != nil && !errors.Is(err, errPicture) {
		return false, err
	}
	if err == nil && len(parts) == 0 { // another payload type, such as error correction
		return false, nil
	}
	var pic picture
	if err == nil {
		w.buf, pic, err = assemble(w.codec, w.buf[:0], parts)
	}
	if err != nil {
		w.broken = true
		return false, nil
	}
	w.sets.add(sets{sps: pic.sps, pps: pic.pps, header: pic.header})
	if !pic.shown {
		return true, nil
	}
	w.add(pic, from, i, end, len(w.buf))
	return false, nil
}

// describe keeps what a VP8 packet says of its picture (RFC 7741 section 4.2), so that most pictures
// need not be read again. What it cannot tell is left to reading.
func (p *packet) describe(payload []byte) {
	var d codecs.VP8Packet
	rest, err := d.Unmarshal(payload)
	front := len(payload) - len(rest)
	if err != nil || len(rest) == 0 || front <= 0 || front > 255 {
		return
	}
	p.front = uint8(front)
	if d.S == 1 && d.PID == 0 {
		p.flags |= flagBegins
		if rest[0]&1 == 0 { // RFC 6386 section 9.1
			p.flags |= flagKey
		}
	}
}

// known returns the size of a picture that needs no reading: a VP8 one that is no key frame, all of
// whose packets have described themselves. 0: it must be read.
func (w *pictureWalk) known(from, end int) int {
	if w.codec != "vp8" || end-from > maxFramePackets {
		return 0
	}
	size, first := 0, true
	for k := from; k < end; k++ {
		p := &w.run.packets[k]
		if p.empty() || w.pt >= 0 && int(p.pt) != w.pt {
			continue
		}
		if p.front == 0 || first && p.flags&(flagBegins|flagKey) != flagBegins {
			return 0
		}
		first = false
		size += int(p.n) - int(p.head) - int(p.pad) - int(p.front)
	}
	if size < 3 || size > maxFrameBytes/2 {
		return 0
	}
	return size
}

// ended tells whether the last packet of the picture is there.
func (w *pictureWalk) ended(i, end int) bool {
	all := w.run.packets
	if end < len(all) && all[end].seq == all[end-1].seq+1 {
		return true
	}
	for k := i; k < end; k++ {
		if all[k].flags&flagMarker != 0 {
			return true
		}
	}
	return false
}

func (w *pictureWalk) add(pic picture, from, i, end, size int) {
	f := frame{
		t: w.run.time(i), first: int32(from), count: int32(end - from), size: uint32(size),
		lost: uint16(min(w.lost, 65535)), w: uint16(min(pic.w, 65535)), h: uint16(min(pic.h, 65535)),
	}
	if pic.key {
		f.flags |= frameKey
	}
	if w.lost > 0 || w.broken {
		f.flags |= frameAfter
	}
	w.out = append(w.out, f)
	w.lost, w.broken = 0, false
}
