package media

import (
	"time"

	"jedel/media/codec"
	"jedel/media/red"

	"github.com/pion/rtp"
)

// redundantSize is how long a payload with redundant frames may be. Longer ones are split by the way.
const redundantSize = 1100

// words is what the sound of one source goes through on its way: redundancy is undone once, and made
// anew for each receiver that needs it. The source's reader owns it.
type words struct {
	unwrap  red.Unwrapper
	past    red.History
	frames  [red.MaxBlocks]red.Frame
	before  [red.MaxDepth]red.Frame
	single  packet // of a frame
	header  rtp.Header
	several packet // with redundant frames
	buf     [redundantSize]byte
}

// newWords returns the words of u. The frames in its redundant packets are of the payload type that was
// agreed on for plain Opus.
func newWords(u *upTrack) *words {
	pt := u.info.PayloadType
	sections := *u.conn.sections.Load()
	if u.section < len(sections) {
		if opus, ok := sections[u.section].Type(codec.Opus); ok {
			pt = opus
		}
	}
	return &words{unwrap: red.NewUnwrapper(pt)}
}

// speak hands a packet of sound to its receivers: of a redundant one the frames that are missing, oldest
// first, each once.
func (u *upTrack) speak(p *packet, down []*downTrack, box *outbox) {
	w, met := u.words, u.conn.peer.node.met
	if p.mime != codec.RED {
		if !w.unwrap.Plain(p.header.SequenceNumber, p.header.Timestamp) {
			met.stale.Inc()
			return
		}
		u.frame(p, down, box)
		return
	}
	frames, err := w.unwrap.Unwrap(p.header.SequenceNumber, p.header.Timestamp, p.payload, w.frames[:0])
	if err != nil {
		met.stale.Inc()
		return
	}
	for i := range frames {
		f := &frames[i]
		w.header = rtp.Header{Version: 2, SequenceNumber: f.Seq, Timestamp: f.TS, Marker: p.header.Marker && !f.Recovered}
		w.single = packet{up: u, header: &w.header, payload: f.Data, mime: codec.Opus, at: p.at, recovered: p.recovered || f.Recovered}
		if f.Recovered {
			met.restored.Inc()
			u.hearing.forget(f.Seq)
		}
		u.frame(&w.single, down, box)
	}
}

// frame hands one plain frame to the receivers, with those before it where a receiver needs them.
func (u *upTrack) frame(p *packet, down []*downTrack, box *outbox) {
	w := u.words
	for _, d := range down {
		q := p
		if depth := int(d.depth.Load()); depth > 0 && p.mime == codec.Opus {
			q = u.redundant(p, d, depth)
		}
		d.owner.out.put(d, q, box)
	}
	if p.mime == codec.Opus {
		w.past.Put(p.header.SequenceNumber, p.header.Timestamp, p.payload)
	}
}

// redundant returns p with up to depth frames before it, in the receiver's numbers; p itself where the
// receiver does not take that.
func (u *upTrack) redundant(p *packet, d *downTrack, depth int) *packet {
	b := d.bound.Load()
	if b == nil {
		return p
	}
	opus, ok := b.typeOf(codec.Opus)
	if _, takes := b.typeOf(codec.RED); !ok || !takes || len(p.payload)+1 > redundantSize {
		return p
	}
	w, seq, ts := u.words, p.header.SequenceNumber, p.header.Timestamp
	w.several = *p
	w.several.mime = codec.RED
	w.several.payload = red.Append(w.buf[:0], opus.pt, red.Frame{TS: ts, Data: p.payload}, w.past.Before(seq, ts, depth, w.before[:0]), redundantSize)
	return &w.several
}

// deepen fits the redundancy towards a slot's receiver to what it misses. The node's reporter calls it.
func (d *downTrack) deepen(rtt time.Duration, at int64) {
	if t := d.owner.tuned.Load(); t != nil && !t.Deepen {
		d.depth.Store(0)
		return
	}
	since := time.Duration(at - d.owner.made.UnixNano())
	d.depth.Store(int32(d.level.Next(d.loss.lately(at), rtt, max(1, since))))
}
