package derive

import (
	"bytes"
	"errors"
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
	w.add(pic, from, i, end)
	return false, nil
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

func (w *pictureWalk) add(pic picture, from, i, end int) {
	f := frame{
		t: w.run.time(i), first: int32(from), count: int32(end - from), size: uint32(len(w.buf)),
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
