package media

import (
	"math"
	"sync/atomic"
	"time"

	"jedel/media/agreed"
	"jedel/media/codec"
	"jedel/media/pktcache"
	"jedel/media/prefetch"
	"jedel/media/red"
	"jedel/media/rewrite"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// upTrack is one track towards us.
type upTrack struct {
	// Set at creation, read by all.
	id      uint64 // unique in the process: tells receivers that the source changed
	conn    *conn
	kind    Kind
	mime    string // of its first packet
	ssrc    uint32
	section int // in the conn's sections
	info    TrackInfo

	tap     atomic.Pointer[tapBox]
	began   atomic.Bool
	hearing hearing
	words   *words                   // of sound; the reader's
	lastKey atomic.Int64             // when a keyframe last arrived, Unix nanoseconds
	lastPLI atomic.Int64             // when one was last asked for
	held    atomic.Pointer[heldBack] // for who listens first; nil: nothing
	loss    atomic.Uint64

	// Guarded by the connection's in.mu.
	plan    prefetch.Plan // what is read for each of its packets
	planned uint8         // packets since the beginning, modulo
}

// tapBox makes an interface fit an atomic pointer.
type tapBox struct{ TrackTap }

// lossWindow is over how long loss is measured.
const lossWindow = 2 * time.Second

// lost keeps the loss of a window.
func (u *upTrack) lost(sent, lost uint32) {
	share := 0.0
	if lost > 0 {
		share = float64(lost) / float64(sent)
		u.conn.peer.node.met.lost.WithLabelValues(string(u.kind)).Add(float64(lost))
	}
	u.loss.Store(math.Float64bits(share))
}

// lossUp is the loss of the last full window, 0..1.
func (u *upTrack) lossUp() float64 { return math.Float64frombits(u.loss.Load()) }

// requestKeyframe asks the source for a picture that can be decoded by itself, at most once per
// keyframeEvery.
func (u *upTrack) requestKeyframe(now time.Time) {
	last := u.lastPLI.Load()
	if u.kind != Video || now.UnixNano()-last < int64(keyframeEvery) || !u.lastPLI.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	raw, err := u.conn.writeRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: u.conn.ssrc, MediaSSRC: u.ssrc}})
	if err != nil {
		return
	}
	u.conn.peer.node.met.keyframes.Inc()
	if t := u.tap.Load(); t != nil {
		t.RTCP(now, raw, true)
	}
}

// listen gives the track's packets to tap from now on; nil ends it.
func (u *upTrack) listen(tap Tap) {
	var next *tapBox
	if tap != nil {
		next = &tapBox{tap.OpenTrack(u.info)}
	}
	if old := u.tap.Swap(next); old != nil {
		old.Close()
	}
	if tap != nil {
		u.requestKeyframe(time.Now())
	}
}

// downTrack is one receiving slot of a connection. It implements webrtc.TrackLocal.
type downTrack struct {
	kind    Kind
	name    string
	section int // in the offer
	owner   *conn
	bound   atomic.Pointer[binding]
	writer  atomic.Pointer[webrtc.TrackLocalWriter] // of a plain way
	told    lossTold                                // what its receiver reports
	loss    lossTold                                // what its receiver missed before repetitions
	depth   atomic.Int32                            // how many earlier frames go along with each packet of sound
	level   red.Level                               // what depth follows; the node's reporter owns it
	from    atomic.Pointer[peer]                    // whose packets it carries; nil for nobody's

	// Guarded by the owner's egress.
	stream  rewrite.Stream
	repeats repeats
	source  uint64
	header  rtp.Header
	scratch [mtu]byte
}

// binding is what a slot needs for writing once it is negotiated.
type binding struct {
	ssrc   uint32
	rtx    uint32 // of repetitions; 0: none
	repeat bool   // its receiver asks again, and gets the same packet
	types  []numbered
	wide   uint8 // number of the header extension of transport-wide numbers; 0: none
}

// numbered is a codec with its payload types.
type numbered struct {
	pt   uint8
	rtx  uint8 // of its repetitions; 0: none
	mime string
}

// typeOf returns the numbers of a codec in this connection.
func (b *binding) typeOf(mime string) (numbered, bool) {
	for i := range b.types {
		if b.types[i].mime == mime {
			return b.types[i], true
		}
	}
	return numbered{}, false
}

func newDownTrack(c *conn, kind Kind, name string, section int) *downTrack {
	d := &downTrack{kind: kind, name: name, section: section, owner: c}
	d.stream = rewrite.New(d.clock())
	d.repeats.sealed = pktcache.New(soundBytes, soundSlots)
	if kind == Video {
		d.repeats.sealed = pktcache.New(sentBytes, sentSlots)
	}
	return d
}

// clock is how often the slot's timestamps tick per second.
func (d *downTrack) clock() uint32 {
	if d.kind == Video {
		return 90000
	}
	return 48000
}

// bind notes what was agreed on for the slot: it may carry any codec of its section.
func (d *downTrack) bind(s *agreed.Section) {
	b := &binding{ssrc: s.Ours.SSRC, rtx: s.Ours.RTX}
	for _, mime := range []string{codec.Opus, codec.RED, codec.VP8, codec.H264} {
		pt, ok := s.Type(mime)
		if !ok {
			continue
		}
		n := numbered{pt: pt, mime: mime}
		if b.rtx != 0 {
			n.rtx, _ = s.Repeats(pt)
		}
		b.types = append(b.types, n)
		b.repeat = b.repeat || s.Codecs[pt].Nack && n.rtx == 0
	}
	if d.kind == Video {
		b.wide = s.SeqExt
	}
	if b.ssrc == 0 || len(b.types) == 0 {
		b = nil
	}
	d.bound.Store(b)
}

// Bind implements webrtc.TrackLocal: it keeps the writer for a plain way, the rest is in the answer.
func (d *downTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, p := range ctx.CodecParameters() {
		if name := codec.Name(p.MimeType); name == codec.Opus || name == codec.VP8 || name == codec.H264 {
			w := ctx.WriteStream()
			d.writer.Store(&w)
			return p, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind implements webrtc.TrackLocal.
func (d *downTrack) Unbind(webrtc.TrackLocalContext) error {
	d.writer.Store(nil)
	return nil
}

// ID implements webrtc.TrackLocal.
func (d *downTrack) ID() string { return d.name }

// RID implements webrtc.TrackLocal: no simulcast towards receivers.
func (d *downTrack) RID() string { return "" }

// StreamID implements webrtc.TrackLocal. Sound and pictures of one slot are of two streams: within one
// (RFC 8830) players hold the sound back for pictures that are late, by more than a second where these are
// sent again and again. The page lets both wait alike instead.
func (d *downTrack) StreamID() string { return "jedel-" + d.name }

// Kind implements webrtc.TrackLocal.
func (d *downTrack) Kind() webrtc.RTPCodecType {
	if d.kind == Video {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}
