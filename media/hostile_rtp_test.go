package media

import (
	"encoding/binary"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// plain returns a packet without anything special.
func plain(ssrc uint32, pt uint8, seq uint16, payload []byte) []byte {
	b := []byte{0x80, pt}
	b = binary.BigEndian.AppendUint16(b, seq)
	b = binary.BigEndian.AppendUint32(b, uint32(seq)*480)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	return append(b, payload...)
}

// with returns the packet with what broke changes in its header.
func with(b []byte, broken func([]byte) []byte) []byte { return broken(append([]byte(nil), b...)) }

// extension puts a header extension (RFC 3550 section 5.3.1) of a profile behind the fixed header; words is the length that it
// claims.
func extension(b []byte, profile uint16, words int, body []byte) []byte {
	out := append([]byte(nil), b[:12]...)
	out[0] |= 0x10
	out = binary.BigEndian.AppendUint16(out, profile)
	out = binary.BigEndian.AppendUint16(out, uint16(words))
	out = append(out, body...)
	return append(out, b[12:]...)
}

// malformed are packets as no honest sender makes them.
var malformed = map[string]func([]byte) []byte{
	"padding of 0":          func(b []byte) []byte { b[0] |= 0x20; return append(b, 0) },
	"padding of 255":        func(b []byte) []byte { b[0] |= 0x20; return append(b, 255) },
	"padding alone":         func(b []byte) []byte { b[0] |= 0x20; return append(b[:12], 1) },
	"no payload":            func(b []byte) []byte { return b[:12] },
	"15 CSRCs":              func(b []byte) []byte { b[0] |= 15; return append(b[:12], append(make([]byte, 60), b[12:]...)...) },
	"15 CSRCs, cut":         func(b []byte) []byte { b[0] |= 15; return b[:20] },
	"overlong extension":    func(b []byte) []byte { return extension(b, 0xbede, 0xffff, nil) },
	"extension to the end":  func(b []byte) []byte { return extension(b, 0xbede, len(b[12:])/4, nil) },
	"two-byte ids":          func(b []byte) []byte { return extension(b, 0x1000, 2, []byte{1, 4, 'a', 'b', 'c', 'd', 0, 0}) },
	"two-byte id, overlong": func(b []byte) []byte { return extension(b, 0x1000, 1, []byte{1, 255, 'a', 'b'}) },
	"one-byte id, overlong": func(b []byte) []byte { return extension(b, 0xbede, 1, []byte{0x3f, 'a', 'b', 'c'}) },
	"id 15":                 func(b []byte) []byte { return extension(b, 0xbede, 1, []byte{0xf0, 1, 2, 3}) },
	"own profile":           func(b []byte) []byte { return extension(b, 0x4242, 300, make([]byte, 1200)) },
	"version 3":             func(b []byte) []byte { b[0] = 0xc0; return b },
	"unknown type":          func(b []byte) []byte { b[1] = 35; return b },
	"as long as it gets":    func(b []byte) []byte { return append(b, make([]byte, 1460-len(b))...) },
}

func TestHostile_MalformedRTPKeepsCall(t *testing.T) {
	ways(t, func(t *testing.T, f *flow) {
		ssrc, pt := f.audio()
		for name, broken := range malformed {
			for range 5 {
				f.next(func(seq uint16) {
					raw := with(plain(ssrc, pt, seq, []byte("payload that is no word")), broken)
					// Sealed like the page's own where the header lets it be sealed, and as it is.
					if b, err := f.seal.EncryptRTP(nil, raw, nil); err == nil {
						f.wire.send(t, b)
					} else if raw[0]&0x10 == 0 && name != "15 CSRCs, cut" {
						t.Errorf("%s: %v", name, err)
					}
					f.wire.send(t, raw)
				})
			}
		}
		f.unharmed(0)
	})
}

// stranger is the sender of control packets that the page itself has not sent.
const stranger = 0xabad1dea

func TestHostile_ByeKeepsCall(t *testing.T) {
	ways(t, func(t *testing.T, f *flow) {
		ssrc, _ := f.audio()
		slot := f.n.find(f.caller.id).current().audio[0].bound.Load().ssrc
		for range 20 {
			f.report(&rtcp.ReceiverReport{SSRC: stranger}, &rtcp.Goodbye{Sources: []uint32{ssrc, slot, stranger}, Reason: "over"})
			f.report(&rtcp.Goodbye{Sources: []uint32{ssrc}})
		}
		f.unharmed(0)
	})
}

func TestHostile_ThousandPLIsAskForFewPictures(t *testing.T) {
	f := flowing(t)
	must(t, f.operator.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: 1}, Payload: []byte{0x90, 0x80, 0x80, 1, 0, 'k'}}))
	eventually(t, "a picture", func() bool { return len(f.caller.packets("video-0")) > 0 })
	asked := counter(t, f.n.met.keyframes)
	slot := f.n.find(f.caller.id).current().video[0].bound.Load().ssrc
	for i := range 1000 {
		f.report(&rtcp.PictureLossIndication{SenderSSRC: stranger, MediaSSRC: slot})
		f.report(&rtcp.FullIntraRequest{SenderSSRC: stranger, MediaSSRC: slot, FIR: []rtcp.FIREntry{{SSRC: slot, SequenceNumber: uint8(i)}}})
		if i%100 == 0 {
			eventually(t, "a tenth of a second", f.later(10))
		}
	}
	f.unharmed(0)
	if n := counter(t, f.n.met.keyframes) - asked; n < 1 || n > 6 { // one each half second
		t.Errorf("%v requests", n)
	}
}

func TestHostile_NackOfEverythingIsAnsweredWithinBounds(t *testing.T) {
	f := flowing(t)
	slot := f.n.find(f.caller.id).current().audio[0].bound.Load().ssrc
	f.wire.mu.Lock()
	before := f.wire.got
	f.wire.mu.Unlock()
	f.mu.Lock()
	said := f.said
	f.mu.Unlock()
	const pairs = 250 // in one datagram
	for range 20 {
		for seq := 0; seq < 1<<16; {
			n := &rtcp.TransportLayerNack{SenderSSRC: stranger, MediaSSRC: slot}
			for range pairs {
				n.Nacks = append(n.Nacks, rtcp.NackPair{PacketID: uint16(seq), LostPackets: 0xffff})
				seq += 17
			}
			f.report(n)
		}
	}
	f.unharmed(0)
	f.mu.Lock()
	honest := int(f.said - said)
	f.mu.Unlock()
	f.wire.mu.Lock()
	got := f.wire.got - before
	f.wire.mu.Unlock()
	// All that was ever said, twice over, and the reports: more would make the node somebody's amplifier.
	if most := 3*(honest+int(said)) + 200; got > most {
		t.Errorf("%d datagrams for %d words and 20 requests for everything, at most %d", got, honest, most)
	}
}

// processor returns the processor time of this process so far.
func processor(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// congestion returns transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01) that claims 65,535 packets.
func congestion(ssrc uint32, symbol uint16, deltas int) []byte {
	b := binary.BigEndian.AppendUint32(nil, stranger)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = binary.BigEndian.AppendUint16(b, 0)      // the first number
	b = binary.BigEndian.AppendUint16(b, 0xffff) // how many
	b = append(b, 0, 0, 1, 0)                    // reference time, count
	for left := 0xffff; left > 0; {
		run := min(left, 0x1fff)
		b = binary.BigEndian.AppendUint16(b, symbol<<13|uint16(run))
		left -= run
	}
	b = append(b, make([]byte, deltas)...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	head := binary.BigEndian.AppendUint16([]byte{0x80 | 15, 205}, uint16(len(b)/4))
	return append(head, b...)
}

func TestHostile_CongestionFeedbackOf65535EntriesKeepsCall(t *testing.T) {
	ways(t, func(t *testing.T, f *flow) {
		slot := f.n.find(f.caller.id).current().video[0].bound.Load().ssrc
		before := processor(t)
		for range 100 {
			f.rtcp(congestion(slot, 0, 0))    // nothing arrived
			f.rtcp(congestion(slot, 1, 1000)) // all arrived, the times are cut off
			f.rtcp(congestion(slot, 2, 1000))
			f.rtcp(congestion(slot, 3, 0)) // a symbol that is not used
		}
		f.unharmed(0)
		// Whoever believes the count needs some milliseconds for each.
		if took := processor(t) - before; took > 700*time.Millisecond {
			t.Errorf("400 packets cost %v of processor time", took)
		}
	})
}

func TestHostile_MalformedRTCPKeepsCall(t *testing.T) {
	ways(t, func(t *testing.T, f *flow) {
		slot := f.n.find(f.caller.id).current().audio[0].bound.Load().ssrc
		body := binary.BigEndian.AppendUint32(nil, slot)
		for pt := byte(192); pt <= 223; pt++ {
			for _, first := range []byte{0x80, 0x81, 0x9f, 0xa1, 0xbf} { // counts and padding that are not there
				for _, words := range []uint16{0, 1, 2, 0xffff} {
					raw := binary.BigEndian.AppendUint16([]byte{first, pt}, words)
					raw = append(append(binary.BigEndian.AppendUint32(raw, stranger), body...), body...)
					f.rtcp(raw)
				}
			}
		}
		f.unharmed(0)
	})
}
