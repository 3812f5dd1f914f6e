package media

// The way of a picture, in the order of this file:
//
//	Source.Write   under the source's lock, hands it to the queue of each viewer: never waits,
//	Viewer.push    drops where the viewer is slow, and from then on until a key frame,
//	Viewer.run     one goroutine per viewer: first what came since the newest key frame, then what
//	               comes,
//	Viewer.send    makes packets of it and writes them.

import (
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/ident"
	"jedel/media/codec"
	"jedel/media/h264"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	// payloadSize bounds a packet's payload in bytes: with SRTP, UDP and IPv6 it stays under 1280.
	payloadSize = 1180
	// catchUpTick is how far apart the pictures of a catching-up are shown, in ticks: all at once.
	catchUpTick = 4
	// catchUpPackets are sent before a pause of catchUpPause: about 75 Mbit/s. Faster fills the
	// buffers of a console on a slow line.
	catchUpPackets = 32
	catchUpPause   = 4 * time.Millisecond
	// againEvery is the shortest time between two catching-ups of a viewer who lost something.
	againEvery = time.Second
)

// Viewer is one browser that looks at a source. It implements webrtc.TrackLocal.
type Viewer struct {
	// Set before begin, read by all.
	name   ident.ClientID
	source *Source
	made   time.Time
	pc     *webrtc.PeerConnection
	sender *webrtc.RTPSender

	ready     chan struct{} // closed when pc and sender are set, or will never be
	connected chan struct{} // closed when the connection is there
	gone      chan struct{} // closed when it is over
	queue     chan h264.Picture
	lost      chan struct{} // capacity 1: the browser asks for a key frame
	bound     atomic.Pointer[outlet]
	connect   sync.Once
	over      sync.Once

	waitKey bool // guarded by the source's lock

	// Owned by run.
	seq     uint16
	offset  uint32 // of our timestamps
	last    int64  // the last timestamp, without offset
	burst   int    // packets since the last pause
	header  rtp.Header
	scratch [payloadSize]byte
}

// outlet is what a viewer needs for writing once it is negotiated.
type outlet struct {
	writer webrtc.TrackLocalWriter
	ssrc   uint32
	pt     uint8
}

func newViewer(s *Source) *Viewer {
	return &Viewer{
		name: ident.New[ident.ClientID](), source: s, made: time.Now(), ready: make(chan struct{}), connected: make(chan struct{}), gone: make(chan struct{}),
		queue: make(chan h264.Picture, sightLen), lost: make(chan struct{}, 1),
	}
}

// begin tells run that pc and sender are as they will be.
func (v *Viewer) begin() { close(v.ready) }

// end asks the viewer to end; it may be called often.
func (v *Viewer) end() { v.over.Do(func() { close(v.gone) }) }

func (v *Viewer) onState(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		v.connect.Do(func() { close(v.connected) })
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		v.end()
	}
}

// push queues p unless the viewer is slow. The source's lock is held.
func (v *Viewer) push(p h264.Picture) {
	met := v.source.relay.met
	if v.waitKey && !p.Key {
		met.dropped.Inc()
		return
	}
	if p.Key && v.waitKey {
		v.drain()
	}
	select {
	case v.queue <- p:
		v.waitKey = false
	default:
		met.dropped.Inc()
		v.waitKey = true
	}
}

// drain empties the queue: what waits is older than what comes now. The source's lock is held.
func (v *Viewer) drain() {
	for {
		select {
		case <-v.queue:
			v.source.relay.met.dropped.Inc()
		default:
			return
		}
	}
}

// run shows the source until the viewer ends or its connection does not come up in time.
func (v *Viewer) run() {
	<-v.ready
	defer v.end()
	if v.pc == nil {
		return
	}
	var feedback sync.WaitGroup
	defer feedback.Wait()
	defer func() {
		v.source.relay.node.known.forget(v)
		if err := v.pc.Close(); err != nil {
			v.source.relay.node.log.Debug("close", "viewer", v.name, "err", err)
		}
	}()
	if v.sender == nil {
		return
	}
	feedback.Go(v.feedbackLoop)
	timer := time.NewTimer(ConnectTime)
	defer timer.Stop()
	select {
	case <-v.connected:
	case <-timer.C:
		v.source.relay.met.late.Inc()
		return
	case <-v.gone:
		return
	}
	kept := v.source.join(v)
	defer v.source.leave(v)
	v.show(kept)
}

// show sends what was kept, then what comes.
func (v *Viewer) show(kept []h264.Picture) {
	met := v.source.relay.met
	first, again := true, time.Time{}
	for {
		if n := len(kept); n > 0 { // shown as one moment, just before what comes
			v.last = max(v.last, kept[n-1].TS-int64(n+1)*catchUpTick)
		}
		for _, p := range kept {
			select {
			case <-v.gone:
				return
			default:
				v.send(p, true)
			}
		}
		if first && len(kept) > 0 {
			met.first.Observe(time.Since(v.made).Seconds())
			first = false
		}
		kept = nil
		select {
		case p := <-v.queue:
			v.send(p, false)
			if first {
				met.first.Observe(time.Since(v.made).Seconds())
				first = false
			}
		case <-v.lost:
			if now := time.Now(); now.Sub(again) >= againEvery {
				again = now
				kept = v.source.again(v)
				met.again.Inc()
			}
		case <-v.gone:
			return
		}
	}
}

// send makes packets of p and writes them. In a catching-up the pictures follow one another in no
// time, so that the browser shows the newest at once.
func (v *Viewer) send(p h264.Picture, catchUp bool) {
	b := v.bound.Load()
	if b == nil {
		return
	}
	met := v.source.relay.met
	ts := v.last + catchUpTick
	if !catchUp {
		ts = max(ts, p.TS)
	}
	v.last = ts
	for payload, last := range h264.Packets(p.NALUs, v.scratch[:]) {
		v.seq++
		v.header = rtp.Header{Version: 2, Marker: last, PayloadType: b.pt, SequenceNumber: v.seq, Timestamp: v.offset + uint32(ts), SSRC: b.ssrc}
		if _, err := b.writer.WriteRTP(&v.header, payload); err != nil {
			met.writeErrors.Inc()
			return
		}
		if v.burst++; catchUp && v.burst%catchUpPackets == 0 {
			v.pause()
		}
	}
	met.shown.Inc()
}

func (v *Viewer) pause() {
	timer := time.NewTimer(catchUpPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-v.gone:
	}
}

// feedbackLoop hears what the browser asks for. A camera is not asked: what is kept helps.
func (v *Viewer) feedbackLoop() {
	for {
		packets, _, err := v.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				select {
				case v.lost <- struct{}{}:
				default:
				}
			}
		}
	}
}

// Bind implements webrtc.TrackLocal: H.264 and nothing else.
func (v *Viewer) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, p := range ctx.CodecParameters() {
		if codec.Name(p.MimeType) == codec.H264 {
			v.bound.Store(&outlet{writer: ctx.WriteStream(), ssrc: uint32(ctx.SSRC()), pt: uint8(p.PayloadType)})
			return p, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind implements webrtc.TrackLocal.
func (v *Viewer) Unbind(webrtc.TrackLocalContext) error {
	v.bound.Store(nil)
	return nil
}

// ID implements webrtc.TrackLocal: the viewer's name, by which End knows it.
func (v *Viewer) ID() string { return string(v.name) }

// StreamID implements webrtc.TrackLocal.
func (v *Viewer) StreamID() string { return "jedel-camera" }

// RID implements webrtc.TrackLocal: there is one size.
func (v *Viewer) RID() string { return "" }

// Kind implements webrtc.TrackLocal.
func (v *Viewer) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeVideo }
