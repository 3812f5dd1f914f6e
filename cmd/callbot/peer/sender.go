package peer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/watch"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
)

// mtu is the largest RTP packet, small enough for every path of the field.
const mtu = 1200

// behind is how far a sender may lag its clock before it skips instead of sending a burst.
const behind = 200 * time.Millisecond

// sender sends one kind of a clip, unit by unit on time.
type sender struct {
	// Set at creation, read by all.
	track *webrtc.TrackLocalStaticRTP
	rtp   *webrtc.RTPSender
	units [][]byte
	every time.Duration
	ticks uint32 // of the RTP clock in one unit
	pack  rtp.Packetizer

	on      atomic.Bool
	key     atomic.Bool // a key frame was asked for: the clip begins anew
	packets atomic.Uint64
	frames  atomic.Uint64
	lost    atomic.Uint64
}

func newSender(kind webrtc.RTPCodecType, c clip.Clip) (*sender, error) {
	capability := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	var payloader rtp.Payloader = &codecs.OpusPayloader{}
	s := &sender{units: c.Audio, every: clip.AudioTime}
	if kind == webrtc.RTPCodecTypeVideo {
		capability = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
		payloader = &codecs.VP8Payloader{EnablePictureID: true}
		s.units, s.every = c.Frames, c.FrameTime
	}
	if len(s.units) == 0 || s.every <= 0 {
		return nil, fmt.Errorf("the clip has no %s", kind)
	}
	var err error
	if s.track, err = webrtc.NewTrackLocalStaticRTP(capability, kind.String(), "callbot"); err != nil {
		return nil, err
	}
	s.ticks = uint32(s.every * time.Duration(capability.ClockRate) / time.Second)
	s.pack = rtp.NewPacketizer(mtu, 0, 0, payloader, rtp.NewRandomSequencer(), capability.ClockRate)
	return s, nil
}

// pump sends while on. Its clock goes on while it is silent, as a microphone's does.
func (s *sender) pump(ctx context.Context) {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	next, at := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if skip := now.Sub(next) - behind; skip > 0 {
			n := skip / s.every
			s.pack.SkipSamples(uint32(n) * s.ticks)
			next = next.Add(n * s.every)
		}
		for ; !next.After(now); next = next.Add(s.every) {
			if !s.on.Load() {
				s.pack.SkipSamples(s.ticks)
				at = 0 // a clip begins with a key frame
				continue
			}
			if s.key.Swap(false) {
				at = 0
			}
			s.send(s.units[at%len(s.units)])
			at++
		}
	}
}

func (s *sender) send(unit []byte) {
	for _, p := range s.pack.Packetize(unit, s.ticks) {
		if s.track.WriteRTP(p) == nil {
			s.packets.Add(1)
		}
	}
	s.frames.Add(1)
}

// reports reads what the gateway says of our packets until the connection closes.
func (s *sender) reports() {
	for {
		packets, _, err := s.rtp.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.ReceiverReport:
				for _, r := range p.Reports {
					s.lost.Store(uint64(r.TotalLost))
				}
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				s.key.Store(true)
			}
		}
	}
}

func (s *sender) leg() watch.Leg {
	return watch.Leg{Packets: s.packets.Load(), Lost: s.lost.Load(), Frames: s.frames.Load()}
}
