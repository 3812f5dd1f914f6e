package media

import (
	"math"
	"sync/atomic"
	"time"

	"jedel/media/codec"
	"jedel/media/rewrite"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// upTrack is one track towards us.
type upTrack struct {
	// Set at creation, read by all.
	id       uint64 // unique in the process: tells receivers that the source changed
	conn     *conn
	track    *webrtc.TrackRemote
	receiver *webrtc.RTPReceiver
	kind     Kind
	mime     string
	info     TrackInfo

	tap     atomic.Pointer[tapBox]
	lastKey atomic.Int64 // when a keyframe last arrived, Unix nanoseconds
	lastPLI atomic.Int64 // when one was last asked for
	loss    atomic.Uint64

	// Owned by the read loop.
	highest  uint32 // extended sequence number
	window   uint32 // highest at the window's begin
	received uint32 // in the window, retransmissions not counted
	began    time.Time
}

// tapBox makes an interface fit an atomic pointer.
type tapBox struct{ TrackTap }

// lossWindow is over how long loss is measured.
const lossWindow = 2 * time.Second

// count keeps the loss of the last window (RFC 3550 appendix A.3).
func (u *upTrack) count(seq uint16, recovered bool, at time.Time) {
	if u.began.IsZero() {
		u.highest = uint32(seq)
		u.window, u.began = u.highest-1, at
	}
	if d := int16(seq - uint16(u.highest)); d > 0 {
		u.highest += uint32(d)
	}
	if !recovered {
		u.received++
	}
	if at.Sub(u.began) < lossWindow {
		return
	}
	expected := u.highest - u.window
	lost := 0.0
	if expected > 0 && u.received < expected {
		lost = float64(expected-u.received) / float64(expected)
		u.conn.peer.node.met.lost.WithLabelValues(string(u.kind)).Add(float64(expected - u.received))
	}
	u.loss.Store(math.Float64bits(lost))
	u.window, u.received, u.began = u.highest, 0, at
}

// lossUp is the loss of the last full window, 0..1.
func (u *upTrack) lossUp() float64 { return math.Float64frombits(u.loss.Load()) }

// rtcpLoop passes sender reports and the like to the tap.
func (u *upTrack) rtcpLoop() {
	buf := make([]byte, mtu)
	for {
		n, _, err := u.receiver.Read(buf)
		if err != nil {
			return
		}
		if t := u.tap.Load(); t != nil {
			t.RTCP(time.Now(), buf[:n], false)
		}
	}
}

// requestKeyframe asks the source for a picture that can be decoded by itself, at most once per
// keyframeEvery.
func (u *upTrack) requestKeyframe(now time.Time) {
	last := u.lastPLI.Load()
	if u.kind != Video || now.UnixNano()-last < int64(keyframeEvery) || !u.lastPLI.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	pli := []rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(u.track.SSRC())}}
	if err := u.conn.pc.WriteRTCP(pli); err != nil {
		return
	}
	u.conn.peer.node.met.keyframes.Inc()
	if t := u.tap.Load(); t != nil {
		if raw, err := rtcp.Marshal(pli); err == nil {
			t.RTCP(now, raw, true)
		}
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
	kind  Kind
	name  string
	out   *egress
	owner *conn
	bound atomic.Pointer[binding]

	// Owned by the connection's writer.
	stream  rewrite.Stream
	source  uint64
	header  rtp.Header
	scratch [mtu]byte
}

// binding is what a slot needs for writing once it is negotiated.
type binding struct {
	writer webrtc.TrackLocalWriter
	ssrc   uint32
	types  []webrtc.RTPCodecParameters
}

// payloadType returns the number of a codec in this connection.
func (b *binding) payloadType(mime string) (uint8, bool) {
	for i := range b.types {
		if b.types[i].MimeType == mime {
			return uint8(b.types[i].PayloadType), true
		}
	}
	return 0, false
}

func newDownTrack(c *conn, kind Kind, name string) *downTrack {
	clock := uint32(48000)
	if kind == Video {
		clock = 90000
	}
	return &downTrack{kind: kind, name: name, out: &c.out, owner: c, stream: rewrite.New(clock)}
}

// Bind implements webrtc.TrackLocal: the slot may carry any codec that was negotiated.
func (d *downTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	b := &binding{writer: ctx.WriteStream(), ssrc: uint32(ctx.SSRC())}
	var first *webrtc.RTPCodecParameters
	for _, p := range ctx.CodecParameters() {
		name := codec.Name(p.MimeType)
		if name != codec.Opus && name != codec.VP8 && name != codec.H264 {
			continue
		}
		if first == nil {
			first = &p
		}
		p.MimeType = name
		b.types = append(b.types, p)
	}
	if first == nil {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	d.bound.Store(b)
	return *first, nil
}

// Unbind implements webrtc.TrackLocal.
func (d *downTrack) Unbind(webrtc.TrackLocalContext) error {
	d.bound.Store(nil)
	return nil
}

// ID implements webrtc.TrackLocal.
func (d *downTrack) ID() string { return d.name }

// RID implements webrtc.TrackLocal: no simulcast towards receivers.
func (d *downTrack) RID() string { return "" }

// StreamID implements webrtc.TrackLocal: audio and video of one slot belong together.
func (d *downTrack) StreamID() string { return "jedel" + d.name[len(d.name)-1:] }

// Kind implements webrtc.TrackLocal.
func (d *downTrack) Kind() webrtc.RTPCodecType {
	if d.kind == Video {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}

// feedbackLoop hears what the receiver of a slot asks for.
func (d *downTrack) feedbackLoop(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				d.owner.peer.node.askSource(d)
			}
		}
	}
}
