package derive

import (
	"cmp"
	"slices"
	"time"
)

// take is one run that a track is made of.
type take struct {
	run    *run
	info   streamInfo
	stream uint16
	pt     int
	frames []frame // until they are merged into the track
	sets   sets

	from  int64 // from here on it wins over older takes: the first frame it can be shown from
	until int64 // its last frame
}

// filled marks frames that are not from the archive.
const filled = -1

// track is all the sound or all the pictures of one participant, in playing order.
type track struct {
	kind   string
	codec  string
	takes  []take
	frames []frame
	faults []Interval
	sets   sets
}

func (t *track) empty() bool { return t == nil || len(t.frames) == 0 }

// fault notes a stretch; one that goes on where the former of its cause ended is joined to it. Lost
// sound is not: each loss is told by itself, with its own length.
func (t *track) fault(take int, from, to int64, cause string, packets int) {
	s := &t.takes[take]
	f := Interval{From: ns(from), To: ns(max(to, from)), Stream: s.stream,
		Participant: s.info.Participant, Kind: t.kind, Cause: cause, Packets: packets}
	for i := len(t.faults) - 1; i >= 0 && i >= len(t.faults)-4; i-- {
		old := &t.faults[i]
		near := faultGap
		if t.kind == "audio" && cause == CauseLoss {
			near = 0
		}
		if old.Cause == cause && old.Stream == f.Stream && f.From <= old.To+near && f.From >= old.From {
			old.To = max(old.To, f.To)
			old.Packets += packets
			return
		}
	}
	t.faults = append(t.faults, f)
}

// faultGap is how near losses are that are told as one.
const faultGap = 500 * time.Millisecond

// merge lays the takes over each other. Where two are there at the same time, the one begun
// last wins as soon as it can be shown: a participant who comes back with another device, or a
// source that changed its SSRC. The older goes on when the newer has ended.
func (t *track) merge() {
	type item struct {
		key       int64
		take, idx int32
	}
	var all []item
	for k := range t.takes {
		s := &t.takes[k]
		top := int64(-1 << 62)
		for i := range s.frames {
			top = max(top, s.frames[i].t) // keeps the order of decoding where pictures are shown out of it
			all = append(all, item{top, int32(k), int32(i)})
		}
		s.until = top
	}
	slices.SortStableFunc(all, func(a, b item) int { return cmp.Compare(a.key, b.key) })
	order := make([]int32, len(t.takes))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(t.takes[a].from, t.takes[b].from) })
	var active []int32
	out := make([]frame, 0, len(all))
	for _, it := range all {
		for len(order) > 0 && t.takes[order[0]].from <= it.key {
			active = append(active, order[0])
			order = order[1:]
		}
		for len(active) > 0 && t.takes[active[len(active)-1]].until < it.key {
			active = active[:len(active)-1]
		}
		if n := len(active); n > 0 && active[n-1] != it.take {
			t.fault(int(it.take), it.key, it.key, "overlap", 0)
			continue
		}
		f := t.takes[it.take].frames[it.idx]
		f.take = it.take
		out = append(out, f)
	}
	for k := range t.takes {
		t.takes[k].frames = nil
	}
	t.frames = out
}

// soundTicks converts between the call clock and samples at 48 kHz.
func soundTicks(d int64) int64 { return d * 48 / 1e6 }
func ticksTime(n int64) int64  { return n * 1e6 / 48 }

// overlapTicks is how much sound may be late before a packet is left out: one packet of 20 ms.
const overlapTicks = 960

// finishSound makes the track continuous from start on: what is missing is silence of the same length,
// what overlaps is left out, so that every player keeps the time. Nothing is left to a decoder to
// conceal: it would make up sound that nobody sent.
func (t *track) finishSound(start int64) {
	out := make([]frame, 0, len(t.frames)+len(t.frames)/16)
	pos := int64(0) // samples since start
	for _, f := range t.frames {
		at := soundTicks(f.t - start)
		if at < pos-overlapTicks {
			t.fault(int(f.take), f.t, f.t+ticksTime(int64(f.dur)), "overlap", 0)
			continue
		}
		if f.lost > 0 && at > pos {
			t.fault(int(f.take), start+ticksTime(pos), f.t, CauseLoss, int(f.lost))
		}
		for at-pos >= 120 {
			c, n := silence(int(at - pos))
			out = append(out, frame{t: start + ticksTime(pos), take: filled, size: 3, dur: int32(n), toc: c})
			pos += int64(n)
		}
		f.t = start + ticksTime(pos)
		out = append(out, f)
		pos += int64(f.dur)
	}
	t.frames = out
}

// finishPictures leaves out what cannot be shown and notes what is shown damaged: from a loss
// to the next key frame. In VP9 and AV1 a picture also needs the statistics of the one before:
// browsers stop playing for good where they are missing, so the picture stands still until then.
func (t *track) finishPictures() {
	out := t.frames[:0]
	seen := make([]bool, len(t.takes))
	cur := int32(-1)
	freeze := t.codec == "vp9" || t.codec == "av1"
	var hurt *Interval
	begin := func(f frame, from int64, cause string) {
		if hurt == nil {
			s := &t.takes[f.take]
			hurt = &Interval{From: ns(from), Stream: s.stream, Participant: s.info.Participant, Kind: t.kind, Cause: cause}
		}
		hurt.Packets += int(f.lost)
	}
	end := func(at int64) {
		if hurt != nil {
			hurt.To = max(ns(at), hurt.From)
			t.faults = append(t.faults, *hurt)
			hurt = nil
		}
	}
	for _, f := range t.frames {
		switched := cur >= 0 && cur != f.take
		if (len(out) == 0 || switched && seen[f.take]) && !f.key() {
			t.fault(int(f.take), f.t, f.t, "no_keyframe", int(f.lost))
			continue
		}
		if len(out) > 0 {
			switch from := out[len(out)-1].t; {
			case f.flags&frameAfter != 0:
				begin(f, from, CauseLoss)
			case switched && !f.key():
				begin(f, from, "ssrc_change")
			}
		}
		if f.key() {
			end(f.t)
		}
		cur, seen[f.take] = f.take, true
		if freeze && hurt != nil {
			hurt.To = ns(f.t)
			continue
		}
		out = append(out, f)
		if f.flags&frameTail != 0 {
			f.lost = 0
			begin(f, f.t, CauseLoss)
			r := t.takes[f.take].run
			hurt.To = ns(r.time(len(r.packets) - 1))
		}
	}
	if n := len(out); n > 0 && hurt != nil {
		end(max(out[n-1].t, int64(hurt.To)))
	}
	t.frames = out
}

// ascend makes the times of pictures strictly rising by at least a millisecond, the unit of
// WebM. Only codecs whose pictures are shown in the order of decoding may use it.
func (t *track) ascend() {
	for i := 1; i < len(t.frames); i++ {
		t.frames[i].t = max(t.frames[i].t, t.frames[i-1].t+1_000_000)
	}
}
