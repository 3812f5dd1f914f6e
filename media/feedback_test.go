package media

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/media/agreed"
	"jedel/media/codec"
	"jedel/media/compound"
	"jedel/media/red"
	"jedel/media/report"
	"jedel/media/srtpio"

	"github.com/pion/rtp"
)

// lab is a speaker with a camera and a receiver of both, without sockets and with a clock of its own.
type lab struct {
	t        testing.TB
	node     *Node
	now      time.Time
	from, to *conn
	sound    *upTrack
	picture  *upTrack
	ear, eye *downTrack
	box      outbox   // of the sources' reader
	gone     [][]byte // what has left it
	reply    outbox   // of the receiver's reader
	said     reporter
	taken    takes
}

// takes is a tap of one track.
type takes struct{ recovered, all []uint16 }

func (k *takes) RTP(_ time.Time, b []byte, recovered bool) {
	seq := binary.BigEndian.Uint16(b[2:])
	if k.all = append(k.all, seq); recovered {
		k.recovered = append(k.recovered, seq)
	}
}
func (k *takes) RTCP(time.Time, []byte, bool) {}
func (k *takes) Close()                       {}

// Numbers of the lab.
const (
	ssrcSound, ssrcPicture = 11, 12
	ssrcEar, ssrcEye       = 21, 22
	ssrcEyeAgain           = 23
)

func newLab(t testing.TB) *lab {
	n := openNode(t, nil)
	l := &lab{t: t, node: n, now: n.start.Add(time.Second), from: bare(n), to: bare(n)}
	l.said.node = n
	sections := agreed.Sections{
		{Kind: "audio", Sends: true, Codecs: map[uint8]agreed.Codec{
			111: {MIME: codec.Opus, Clock: 48000, Nack: true}, 63: {MIME: codec.RED, Clock: 48000, Nack: true}}, Ours: agreed.Source{SSRC: ssrcEar}},
		{Kind: "video", Sends: true, Codecs: map[uint8]agreed.Codec{
			96: {MIME: codec.VP8, Clock: 90000, Nack: true}, 97: {MIME: "video/rtx", Clock: 90000, Of: 96}}, Ours: agreed.Source{SSRC: ssrcEye, RTX: ssrcEyeAgain}},
	}
	for _, c := range []*conn{l.from, l.to} {
		c.made = l.now
		c.sections.Store(&sections)
		session, err := srtpio.Fixed([16]byte{1}, [12]byte{2})
		must(t, err)
		c.out.aim(target{n.ports.sockets[0], netip.MustParseAddrPort("127.0.0.1:9")})
		c.out.direct(session)
		c.feedback.trip(40 * time.Millisecond)
	}
	l.sound = &upTrack{id: 1, conn: l.from, kind: Audio, mime: codec.Opus, ssrc: ssrcSound, info: TrackInfo{PayloadType: 111, ClockRate: 48000}}
	l.picture = &upTrack{id: 2, conn: l.from, kind: Video, mime: codec.VP8, ssrc: ssrcPicture, section: 1, info: TrackInfo{PayloadType: 96, ClockRate: 90000}}
	l.from.begun(l.sound)
	l.from.begun(l.picture)
	l.sound.tap.Store(&tapBox{&l.taken})
	l.ear, l.eye = newDownTrack(l.to, Audio, "audio-0", 0), newDownTrack(l.to, Video, "video-0", 1)
	l.ear.bind(&sections[0])
	l.eye.bind(&sections[1])
	l.to.audio, l.to.video = []*downTrack{l.ear}, []*downTrack{l.eye}
	l.from.peer.conn = l.from
	l.from.peer.setReceivers(Audio, l.to.audio)
	l.from.peer.setReceivers(Video, l.to.video)
	l.ear.from.Store(l.from.peer)
	l.eye.from.Store(l.from.peer)
	return l
}

// opus is a valid frame of 20 ms that names its packet.
func opus(seq uint16) []byte { return []byte{15 << 3, byte(seq >> 8), byte(seq), 5, 6, 7} }

// hears lets a packet of sound come; payload nil is plain Opus.
func (l *lab) hears(seq uint16, payload []byte) {
	pt := uint8(63)
	if payload == nil {
		pt, payload = 111, opus(seq)
	}
	l.takes(l.sound, rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: seq, Timestamp: 960 * uint32(seq), SSRC: ssrcSound}, payload)
}

// sees lets a packet of a picture come, the first of each ten a keyframe.
func (l *lab) sees(seq uint16) {
	frame := byte(1)
	if seq%10 == 0 {
		frame = 0
	}
	payload := append([]byte{0x90, 0x80, 0x80 | byte(seq>>8)&0x7f, byte(seq), frame}, bytes.Repeat([]byte{byte(seq)}, 900)...)
	l.takes(l.picture, rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, Timestamp: 1800 * uint32(seq), SSRC: ssrcPicture, Marker: true}, payload)
}

func (l *lab) takes(u *upTrack, h rtp.Header, payload []byte) {
	raw, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	must(l.t, err)
	var parsed rtp.Header
	must(l.t, second(parsed.Unmarshal(raw)))
	u.take(&packet{up: u, raw: raw, header: &parsed, at: l.now}, &l.box)
	l.gone = append(l.gone, out(&l.box)...)
}

// sent returns what went to the receiver since it was last called.
func (l *lab) sent() [][]byte {
	defer func() { l.gone = nil }()
	return l.gone
}

// out empties an outbox.
func out(b *outbox) (sealed [][]byte) {
	for i := range b.lists {
		for _, m := range b.lists[i].msgs[:b.lists[i].n] {
			sealed = append(sealed, append([]byte(nil), m.B[:m.N]...))
		}
		b.lists[i].n = 0
	}
	return sealed
}

// open opens what was sent, each with a session of its own: repetitions are wanted.
func (l *lab) open(sealed [][]byte) (packets []*rtp.Packet) {
	l.t.Helper()
	for _, b := range sealed {
		session, err := srtpio.Fixed([16]byte{1}, [12]byte{2})
		must(l.t, err)
		plain, _, err := session.OpenRTP(append([]byte(nil), b...))
		must(l.t, err)
		p := new(rtp.Packet)
		must(l.t, p.Unmarshal(plain))
		packets = append(packets, p)
	}
	return packets
}

// says lets the node say to c what is due, and returns it packet by packet.
func (l *lab) says(c *conn) (packets []compound.Packet) {
	l.t.Helper()
	if c.feedback.due.Load() <= l.now.UnixNano() {
		l.said.one(c, l.now.UnixNano())
	}
	for _, b := range out(&l.said.box) {
		if b[1] < 192 || b[1] > 223 { // media that is repeated once more
			l.gone = append(l.gone, b)
			continue
		}
		session, err := srtpio.Fixed([16]byte{1}, [12]byte{2})
		must(l.t, err)
		raw, err := session.OpenRTCP(b)
		must(l.t, err)
		for {
			p, rest, ok := compound.Next(raw)
			if !ok {
				break
			}
			packets, raw = append(packets, p), rest
		}
	}
	return packets
}

// tells lets RTCP come from c.
func (l *lab) tells(c *conn, raw []byte) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.feedback.control(raw, l.now, &l.reply)
}

// requests returns what sources are asked for by p.
func requests(packets []compound.Packet, ssrc uint32) (seqs []uint16) {
	for _, p := range packets {
		if media, fci, ok := p.Feedback(); ok && p.Type == compound.RTPFB && p.Count == compound.NACK && media == ssrc {
			seqs = append(seqs, compound.Lost(fci, make([]uint16, 0, 300))...)
		}
	}
	return seqs
}

func TestMissingPacketsAreAskedForOnceARoundTripAndMarked(t *testing.T) {
	l := newLab(t)
	asked := map[uint16]int{}
	for seq := range uint16(100) {
		if seq%10 != 5 {
			l.hears(seq, nil)
			l.sees(seq)
		}
		for range 4 {
			l.now = l.now.Add(5 * time.Millisecond)
			p := l.says(l.from)
			for _, s := range requests(p, ssrcSound) {
				if asked[s]++; asked[s] == 2 { // the first request was lost, this one is answered
					l.hears(s, nil)
				}
			}
			for _, s := range requests(p, ssrcPicture) {
				l.sees(s)
			}
		}
	}
	for s := uint16(5); s < 90; s += 10 {
		if asked[s] != 2 {
			t.Errorf("packet %d of the sound was asked for %d times", s, asked[s])
		}
	}
	if len(asked) > 10 || len(l.taken.recovered) < 9 || len(l.taken.all) != 90+len(l.taken.recovered) {
		t.Fatal(asked, l.taken.recovered)
	}
	for _, s := range l.taken.recovered {
		if s%10 != 5 {
			t.Errorf("packet %d is marked as recovered", s)
		}
	}
	heard := map[uint16]bool{}
	for _, p := range l.open(l.sent()) {
		if p.SSRC == ssrcEar {
			if heard[p.SequenceNumber] || !bytes.Equal(p.Payload, opus(p.SequenceNumber)) {
				t.Fatalf("%d", p.SequenceNumber)
			}
			heard[p.SequenceNumber] = true
		}
	}
	if len(heard) < 99 {
		t.Fatalf("%d frames", len(heard))
	}
}

func TestWhoDidNotAgreeToRequestsGetsNone(t *testing.T) {
	l := newLab(t)
	sections := agreed.Sections{{Kind: "audio", Codecs: map[uint8]agreed.Codec{111: {MIME: codec.Opus}}}}
	l.from.sections.Store(&sections)
	l.sound.hearing.begin(l.sound)
	for seq := range uint16(200) {
		if seq%10 != 5 {
			l.hears(seq, nil)
		}
		l.now = l.now.Add(20 * time.Millisecond)
		if got := requests(l.says(l.from), ssrcSound); len(got) > 0 {
			t.Fatal(got)
		}
	}
	if len(l.taken.recovered) > 0 {
		t.Fatal(l.taken.recovered)
	}
}

func TestSoundIsRepeatedAsTheSameBytes(t *testing.T) {
	l := newLab(t)
	for seq := range uint16(100) {
		l.hears(seq, nil)
		l.now = l.now.Add(20 * time.Millisecond)
	}
	sent := l.sent()
	l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEar, []uint16{84, 86, 90, 99, 100, 40000}))
	again := out(&l.reply)
	if len(again) != 4 || !bytes.Equal(again[0], sent[84]) || !bytes.Equal(again[1], sent[86]) || !bytes.Equal(again[3], sent[99]) {
		t.Fatal(len(again))
	}
	// At once again: the answer is on its way.
	l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEar, []uint16{86}))
	if got := out(&l.reply); len(got) != 0 {
		t.Fatal(len(got))
	}
	l.now = l.now.Add(20 * time.Millisecond) // half a round trip
	l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEar, []uint16{86}))
	if got := out(&l.reply); len(got) != 1 || !bytes.Equal(got[0], sent[86]) {
		t.Fatal(len(got))
	}
}

// Who asks for what is no longer kept gets it the next time.
func TestWhoIsFarAwayMakesUsKeepMore(t *testing.T) {
	l := newLab(t)
	old := 0
	for round := range 2 {
		for seq := range uint16(100) {
			l.hears(uint16(round)*100+seq, nil)
			l.now = l.now.Add(20 * time.Millisecond)
		}
		sent := l.sent()
		for range 4 {
			l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEar, []uint16{uint16(round*100 + 10)}))
			l.now = l.now.Add(20 * time.Millisecond)
		}
		again := out(&l.reply)
		if round == 0 {
			old = len(again)
		} else if len(again) == 0 || !bytes.Equal(again[0], sent[10]) {
			t.Fatal("still not kept")
		}
	}
	if old != 0 {
		t.Fatal("more was kept than anybody needed", old)
	}
}

func TestPicturesAreRepeatedOnTheirOwnSSRC(t *testing.T) {
	l := newLab(t)
	for seq := uint16(1000); seq < 1120; seq++ {
		l.sees(seq)
		l.now = l.now.Add(8 * time.Millisecond)
	}
	sent := l.open(l.sent())
	want := sent[len(sent)-10]
	for n := range 2 {
		l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEye, []uint16{want.SequenceNumber}))
		got := l.open(out(&l.reply))
		if len(got) != 1 {
			t.Fatal(len(got))
		}
		p := got[0]
		if p.SSRC != ssrcEyeAgain || p.PayloadType != 97 || p.Timestamp != want.Timestamp || p.Marker != want.Marker || p.SequenceNumber != uint16(n+1) ||
			binary.BigEndian.Uint16(p.Payload) != want.SequenceNumber || !bytes.Equal(p.Payload[2:], want.Payload) {
			t.Fatalf("%v is no repetition of %v", p, want)
		}
		l.now = l.now.Add(100 * time.Millisecond)
	}
	// What another source sent before is not repeated as this one's.
	l.picture.id = 3
	for seq := range uint16(40) {
		l.sees(seq)
	}
	l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEye, []uint16{want.SequenceNumber}))
	if got := out(&l.reply); len(got) != 0 {
		t.Fatal(len(got))
	}
}

func TestWhoAsksForEverythingGetsNoSecondStream(t *testing.T) {
	l := newLab(t)
	sent := 0
	var all []byte
	for first := 0; first < 1<<16; first += 64 {
		var seqs []uint16
		for i := range 64 {
			seqs = append(seqs, uint16(first+i))
		}
		all = compound.AppendNACK(all, 1, ssrcEye, seqs)
	}
	begin := time.Now()
	for seq := range uint16(500) {
		l.sees(seq)
		for _, b := range l.sent() {
			sent += len(b)
		}
		for at := 0; at < len(all); at += 1400 { // the whole round, in datagrams as long as they may be
			l.tells(l.to, all[at:min(len(all), at+1400)])
		}
		l.now = l.now.Add(8 * time.Millisecond)
	}
	again := counter(t, l.node.met.repeated) * 905
	if again < float64(sent)/10 || again > float64(sent+repeatBurst) {
		t.Fatalf("%d bytes sent, %.0f again", sent, again)
	}
	if d := time.Since(begin); d > bound {
		t.Fatal(d)
	}
	if counter(t, l.node.met.unanswered) < 1e5 {
		t.Fatal(counter(t, l.node.met.unanswered))
	}
}

func TestPictureRequestsAreFewWhateverComes(t *testing.T) {
	l := newLab(t)
	l.sees(0)
	pli := compound.AppendPLI(nil, 1, ssrcEye)
	bye := []byte{0x81, 203, 0, 1, 0, 0, 0, ssrcEye}
	fir := append([]byte{0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0}, 0, 0, 0, ssrcEye, 1, 0, 0, 0)
	before := counter(t, l.node.met.keyframes)
	for i := range 3000 { // three seconds of a thousand each
		l.now = l.now.Add(time.Millisecond)
		l.tells(l.to, slices.Concat(pli, fir, bye)[:12+20*(i%2)+8*(i%2)])
	}
	if got := counter(t, l.node.met.keyframes) - before; got < 5 || got > 7 {
		t.Fatalf("%v keyframes asked for in 3 s", got)
	}
	l.sees(10)
	l.hears(10, nil)
	if got := len(l.sent()); got != 3 {
		t.Fatalf("%d packets go on after a BYE", got)
	}
}

func TestTheSpeakerHearsOfTheReceiversLoss(t *testing.T) {
	l := newLab(t)
	fraction := func() float64 {
		for _, p := range l.says(l.from) {
			for i := 0; ; i++ {
				b, ok := p.Block(i)
				if !ok {
					break
				}
				if b.SSRC == ssrcSound {
					return report.Share(b.Fraction)
				}
			}
		}
		return -1
	}
	seq := uint16(0)
	talk := func(told float64, lost uint16) (got float64) {
		for range 120 {
			if seq++; lost == 0 || seq%lost != 1 {
				l.hears(seq, nil)
			}
			l.now = l.now.Add(20 * time.Millisecond)
			if told >= 0 && seq%25 == 0 {
				l.tells(l.to, compound.AppendRR(nil, 1, []compound.Block{{SSRC: ssrcEar, Fraction: report.Fraction(told)}}))
			}
			l.says(l.to)
			if f := fraction(); f >= 0 {
				got = f
			}
		}
		return got
	}
	if got := talk(-1, 0); got != 0 {
		t.Fatal("nobody lost anything", got)
	}
	if got := talk(0.3, 0); math.Abs(got-0.3) > 0.01 {
		t.Fatal("the receiver's loss", got)
	}
	if got := talk(0.05, 5); got < 0.15 || got > 0.25 {
		t.Fatal("the greater of both is ours", got)
	}
	l.now = l.now.Add(lossFresh)
	if got := talk(-1, 0); got != 0 {
		t.Fatal("an old word", got)
	}
}

func TestReceiverThatAsksAgainIsKnownToLose(t *testing.T) {
	l := newLab(t)
	for seq := range uint16(150) {
		l.hears(seq, nil)
		if seq%4 == 3 && seq < 140 { // each is asked for twice
			l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEar, []uint16{seq}))
		}
		if seq%4 == 1 && seq > 4 {
			l.tells(l.to, compound.AppendNACK(nil, 1, ssrcEar, []uint16{seq - 2}))
		}
		l.now = l.now.Add(20 * time.Millisecond)
		l.says(l.to)
	}
	if got := l.ear.loss.lately(l.now.UnixNano()); math.Abs(got-0.25) > 0.05 {
		t.Fatal(got)
	}
}

// TestLipsStayWithWordsInReports lets a speaker's reports come late by different times, and holds that
// the reports of the slots mean one moment of his.
func TestLipsStayWithWordsInReports(t *testing.T) {
	l := newLab(t)
	theirs := func() int64 { return l.now.UnixNano() - int64(77*time.Hour) }
	rng := rand.New(rand.NewPCG(1, 2))
	got := map[uint32]compound.SenderInfo{}
	for tick := range 400 {
		seq := uint16(tick)
		l.hears(seq, nil)
		l.sees(seq)
		if tick%50 == 10 {
			ntp := report.NTP(theirs())
			sound := compound.SenderInfo{NTP: ntp, RTP: 960 * uint32(seq)}
			picture := compound.SenderInfo{NTP: ntp, RTP: 1800*uint32(seq) - 9000} // the camera is 100 ms behind
			was := l.now
			l.now = l.now.Add(time.Duration(rng.IntN(150)) * time.Millisecond)
			l.tells(l.from, compound.AppendSR(nil, ssrcSound, sound, nil))
			l.now = was.Add(time.Duration(rng.IntN(150)) * time.Millisecond)
			l.tells(l.from, compound.AppendSR(nil, ssrcPicture, picture, nil))
			l.now = was
		}
		for _, p := range l.says(l.to) {
			if i, ok := p.SenderInfo(); ok && tick > 100 {
				got[p.Sender()] = i
			}
		}
		l.now = l.now.Add(20 * time.Millisecond)
		if a, v := got[ssrcEar], got[ssrcEye]; a.NTP != 0 && a.NTP == v.NTP {
			// One moment of his: a frame of the sound, and the picture that is 9000 ticks behind.
			sound, picture := float64(a.RTP)/48000, float64(v.RTP+9000)/90000
			if d := sound - picture; math.Abs(d) > 0.005 {
				t.Fatalf("sound %v, picture %v", sound, picture)
			}
			if a.Packets == 0 || a.Octets != a.Packets*6 || v.Octets != v.Packets*905 {
				t.Fatalf("%+v %+v", a, v)
			}
		}
	}
	if len(got) != 2 {
		t.Fatal(got)
	}
}

func TestRoundTripIsLearntFromReports(t *testing.T) {
	l := newLab(t)
	l.hears(1, nil)
	l.now = l.now.Add(2 * time.Second)
	var sr compound.SenderInfo
	for _, p := range l.says(l.to) {
		if i, ok := p.SenderInfo(); ok && p.Sender() == ssrcEar {
			sr = i
		}
	}
	l.to.feedback.rtt.Store(0)
	l.now = l.now.Add(80 * time.Millisecond)
	l.tells(l.to, compound.AppendRR(nil, 1, []compound.Block{{SSRC: ssrcEar, LSR: uint32(sr.NTP >> 16), DLSR: 65536 / 50}}))
	if got := l.to.feedback.roundTrip(); (got - 60*time.Millisecond).Abs() > time.Millisecond {
		t.Fatal(got)
	}
}

func TestRedundantSpeakerIsHeardByWhoDoesNotKnowIt(t *testing.T) {
	l := newLab(t)
	sections := agreed.Sections{{Codecs: map[uint8]agreed.Codec{111: {MIME: codec.Opus}}, Ours: agreed.Source{SSRC: ssrcEar}}}
	l.ear.bind(&sections[0])
	l.ear.depth.Store(3) // whatever is decided, it does not take redundancy
	var past red.History
	for seq := range uint16(100) {
		ts := 960 * uint32(seq)
		payload := red.Append(nil, 111, red.Frame{TS: ts, Data: opus(seq)}, past.Before(seq, ts, 2, nil), 1200)
		past.Put(seq, ts, opus(seq))
		if seq%10 < 8 { // two of ten are lost
			l.hears(seq, payload)
		}
		l.now = l.now.Add(20 * time.Millisecond)
		if got := requests(l.says(l.from), ssrcSound); len(got) > 0 {
			t.Fatalf("%v came with other packets and is asked for", got)
		}
	}
	packets := l.open(l.sent())
	if len(packets) != 98 { // the last two have nothing behind them
		t.Fatal(len(packets))
	}
	for i, p := range packets {
		if p.SequenceNumber != uint16(i) || p.Timestamp != 960*uint32(i) || p.PayloadType != 111 || !bytes.Equal(p.Payload, opus(uint16(i))) {
			t.Fatalf("packet %d is %v", i, p)
		}
	}
	if got := counter(t, l.node.met.restored); got != 18 {
		t.Fatal(got)
	}
}

func TestReceiverThatLosesGetsRedundancyAndACleanOneDoesNot(t *testing.T) {
	l := newLab(t)
	seq := uint16(0)
	talk := func(seconds int, loss float64) (deepest int) {
		for range 50 * seconds {
			seq++
			l.hears(seq, nil)
			l.now = l.now.Add(20 * time.Millisecond)
			if seq%25 == 0 {
				l.tells(l.to, compound.AppendRR(nil, 1, []compound.Block{{SSRC: ssrcEar, Fraction: report.Fraction(loss)}}))
			}
			l.says(l.to)
			for _, p := range l.open(l.sent()) {
				if p.PayloadType == 111 {
					continue
				}
				blocks, err := red.Parse(p.Payload, nil)
				if err != nil || p.PayloadType != 63 || !bytes.Equal(blocks[len(blocks)-1].Data, opus(p.SequenceNumber)) {
					t.Fatal(p, err)
				}
				for i, b := range blocks { // 4, 2 and 1 packets back, then itself
					back := []uint16{4, 2, 1, 0}[4-len(blocks)+i]
					if b.Offset != 960*uint32(back) || !bytes.Equal(b.Data, opus(p.SequenceNumber-back)) {
						t.Fatalf("copy %d of %d", i, p.SequenceNumber)
					}
				}
				deepest = max(deepest, len(blocks)-1)
			}
		}
		return deepest
	}
	for _, step := range []struct {
		seconds  int
		loss     float64
		deep, at int // copies at the deepest, and in the end
	}{{5, 0, 0, 0}, {5, 0.04, 0, 0}, {3, 0.07, 1, 1}, {3, 0.2, 2, 2}, {3, 0.4, 3, 3}, {60, 0, 3, 0}, {3, 0, 0, 0}} {
		if got := talk(step.seconds, step.loss); got != step.deep || int(l.ear.depth.Load()) != step.at {
			t.Fatalf("at %.2f: %d copies, then %d", step.loss, got, l.ear.depth.Load())
		}
	}
}

func TestArrivalsOfPicturesAreTold(t *testing.T) {
	l := newLab(t)
	l.from.feedback.seqExt.Store(5)
	h := rtp.Header{Version: 2, SSRC: ssrcPicture}
	told := 0
	for seq := range uint16(200) {
		must(t, h.SetExtension(5, []byte{byte(seq >> 8), byte(seq)}))
		l.from.in.mu.Lock()
		l.from.feedback.arrived(&h, l.now)
		l.from.in.mu.Unlock()
		l.now = l.now.Add(10 * time.Millisecond)
		for _, p := range l.says(l.from) {
			if p.Type == compound.RTPFB && p.Count == compound.TWCC {
				told += int(binary.BigEndian.Uint16(p.Body[10:]))
			}
		}
	}
	if told < 185 || told > 200 {
		t.Fatal(told)
	}
}

// TestRedundancyIsAgreedOnAndNobodyIsSilenced connects pages that know redundant sound and one that does
// not, by both ways, and holds that all hear a redundant speaker and see him.
func TestRedundancyIsAgreedOnAndNobodyIsSilenced(t *testing.T) {
	for _, plain := range []bool{false, true} {
		n := openNode(t, func(c *Config) { c.Plain = plain })
		open := func(role Role, knows bool) *page {
			p := &page{t: t, id: ident.New[ident.ClientID](), pcID: "1", role: role, node: n, got: map[string][]*rtp.Packet{}, knows: knows}
			p.connect()
			p.connected()
			return p
		}
		speaker, knows, other := open(RoleCaller, true), open(RoleOperator, true), open(RoleOperator, false)
		sdp := speaker.pc.RemoteDescription().SDP
		for _, line := range []string{" 111 63\r\n", "a=rtcp-fb:111 nack", "a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111", "a=rtcp-fb:63 nack"} {
			if !strings.Contains(sdp, line) {
				t.Errorf("the answer lacks %q:\n%s", line, sdp)
			}
		}
		must(t, n.SetRoutes(ident.New[ident.CallID](), []Route{
			{From: speaker.id, To: knows.id, Kind: Audio}, {From: speaker.id, To: other.id, Kind: Audio}, {From: speaker.id, To: other.id, Kind: Video},
		}))
		var past red.History
		ssrc := uint32(speaker.pc.GetSenders()[0].GetParameters().Encodings[0].SSRC)
		voice := *speaker.voice.writer.Load()
		for seq := range uint16(60) {
			ts := 960 * uint32(seq)
			payload := red.Append(nil, 111, red.Frame{TS: ts, Data: opus(seq)}, past.Before(seq, ts, 1, nil), 1200)
			past.Put(seq, ts, opus(seq))
			if seq%3 != 1 {
				must(t, second(voice.WriteRTP(&rtp.Header{Version: 2, PayloadType: 63, SequenceNumber: seq, Timestamp: ts, SSRC: ssrc}, payload)))
			}
			if seq > 2 {
				want := seq - 1
				eventually(t, "all hear it", func() bool { return hasFrame(knows, want) && hasFrame(other, want) })
			}
			must(t, speaker.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: seq, Timestamp: 1800 * uint32(seq)},
				Payload: []byte{0x90, 0x80, 0x80 | byte(seq>>8), byte(seq), 0, 1}}))
		}
		eventually(t, "the picture goes on", func() bool { return len(other.packets("video-0")) > 40 })
	}
}

// hasFrame reports whether a page got a frame of sound.
func hasFrame(p *page, seq uint16) bool {
	for _, pkt := range p.packets("audio-0") {
		if bytes.Equal(pkt.Payload, opus(seq)) {
			return true
		}
	}
	return false
}

// FuzzControl lets any bytes come as RTCP from both ends: nothing panics, nothing is sent on another
// SSRC, and no more is repeated than was sent.
func FuzzControl(f *testing.F) {
	f.Add(compound.AppendNACK(compound.AppendRR(nil, 1, []compound.Block{{SSRC: ssrcEar, Fraction: 99, LSR: 7}}), 1, ssrcEye, []uint16{20, 21, 40}))
	f.Add(compound.AppendSR(compound.AppendPLI(nil, 1, ssrcEye), ssrcSound, compound.SenderInfo{NTP: math.MaxUint64, RTP: 7}, nil))
	f.Add([]byte{0x81, 203, 0, 1, 0, 0, 0, 1})
	l := newLab(f)
	seq := uint16(0)
	f.Fuzz(func(t *testing.T, raw []byte) {
		l.t = t
		for range 30 {
			l.hears(seq, nil)
			l.sees(seq)
			seq++
		}
		l.sent()
		for _, c := range []*conn{l.from, l.to} {
			l.tells(c, raw)
			l.now = l.now.Add(time.Second)
			l.says(c)
		}
		for _, b := range out(&l.reply) {
			if ssrc := binary.BigEndian.Uint32(b[8:]); ssrc != ssrcEar && ssrc != ssrcEyeAgain {
				t.Fatal(ssrc)
			}
		}
	})
}
