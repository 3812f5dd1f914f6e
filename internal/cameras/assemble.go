package cameras

import (
	"errors"
	"time"

	"jedel/media/h264"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	mch264 "github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtp"
)

// assembler puts packets of one connection together to pictures. After something is missing it
// waits for a key frame: what follows would show a smeared picture as if it were the truth.
type assembler struct {
	dec   rtph264.Decoder
	sets  h264.Sets
	clock timeline

	begun  bool
	seq    uint16
	broken bool // waits for a key frame

	reordered int // pictures with B slices
}

// manyReordered is how many pictures with B slices a camera must have shown before it is said to
// send them: one may be damage.
const manyReordered = 5

func newAssembler(mode int, sets h264.Sets, clock timeline) (*assembler, error) {
	a := &assembler{dec: rtph264.Decoder{PacketizationMode: mode}, sets: sets, clock: clock, broken: true}
	return a, a.dec.Init()
}

// take adds a packet. ok tells that a picture is whole; missing that some of the stream is lost.
// Only video that cannot be shown at all is an error.
func (a *assembler) take(p *rtp.Packet, at time.Time) (pic h264.Picture, ok, missing bool, err error) {
	if a.begun && p.SequenceNumber != a.seq+1 {
		missing = !a.broken
		a.broken = true
	}
	a.begun, a.seq = true, p.SequenceNumber
	nalus, err := a.dec.Decode(p)
	if errors.Is(err, rtph264.ErrMorePacketsNeeded) || errors.Is(err, rtph264.ErrNonStartingPacketAndNoPrevious) {
		return pic, false, missing, nil
	}
	if err != nil { // what it makes no sense of is dropped
		missing = missing || !a.broken
		a.broken = true
		return pic, false, missing, nil
	}
	pic.NALUs = a.sets.Tidy(nalus)
	pic.Key = h264.Key(pic.NALUs)
	switch {
	case len(pic.NALUs) == 0, pic.Key && !a.sets.Complete():
		return pic, false, missing, nil
	case pic.Key:
		a.broken = false
	case a.broken:
		return pic, false, missing, nil
	}
	if h264.Reordered(nalus) {
		if a.reordered++; a.reordered >= manyReordered {
			return pic, false, missing, &fails{code: Reordered}
		}
	}
	pic.At, pic.TS = at, a.clock.next(p.Timestamp, at)
	return pic, true, missing, nil
}

// sizeOf reads how large pictures are; zeros where the parameter set makes no sense.
func sizeOf(set []byte) (width, height int) {
	var sps mch264.SPS
	if sps.Unmarshal(set) != nil {
		return 0, 0
	}
	w, h := sps.Width(), sps.Height()
	if w < 0 || h < 0 || w > 16384 || h > 16384 {
		return 0, 0
	}
	return w, h
}

// timeline makes one rising time of a camera's timestamps over all its connections.
type timeline struct {
	start time.Time // its zero
	begun bool      // within this connection
	rtp   uint32
	ts    int64
}

// clockSlack is how far the camera's clock may run from ours before it is set anew.
const clockSlack = 3 * h264.Clock

func (t *timeline) next(rtp uint32, at time.Time) int64 {
	wall := at.Sub(t.start).Microseconds() * (h264.Clock / 1000) / 1000
	ts := t.ts + int64(int32(rtp-t.rtp))
	if !t.begun || ts-wall > clockSlack || wall-ts > clockSlack {
		ts = wall
	}
	t.begun, t.rtp, t.ts = true, rtp, max(ts, t.ts+1)
	return t.ts
}
