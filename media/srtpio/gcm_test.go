package srtpio

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v5/replaydetector"
	"pgregory.net/rapid"
)

// pions are the contexts that a session's packets are held against.
func pions(t *rapid.T, c *srtp.Config) (in, out *srtp.Context) {
	in, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile,
		srtp.SRTPReplayDetectorFactory(func() replaydetector.ReplayDetector { return newWindow(mostRTP) }))
	if err != nil {
		t.Fatal(err)
	}
	out, err = srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}

func drawConfig(t *rapid.T) *srtp.Config {
	c := &srtp.Config{Profile: rapid.SampledFrom([]srtp.ProtectionProfile{srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm}).Draw(t, "profile")}
	n, err := c.Profile.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	key := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "key")
	salt := rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "salt")
	c.Keys = srtp.SessionKeys{LocalMasterKey: key, LocalMasterSalt: salt, RemoteMasterKey: key, RemoteMasterSalt: salt}
	return c
}

// drawPacket makes a packet with any header that RTP knows.
func drawPacket(t *rapid.T, ssrc uint32, seq uint16) []byte {
	h := rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: seq, Marker: rapid.Bool().Draw(t, "marker"), PayloadType: 96, Timestamp: rapid.Uint32().Draw(t, "ts")}
	h.CSRC = rapid.SliceOfN(rapid.Uint32(), 0, 15).Draw(t, "csrc")
	for i := range rapid.IntRange(0, 3).Draw(t, "extensions") {
		if err := h.SetExtension(uint8(i+1), rapid.SliceOfN(rapid.Byte(), 1, 16).Draw(t, "extension")); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := (&rtp.Packet{Header: h, Payload: rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "payload")}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What is sealed and what is opened is the same, byte by byte and refusal by refusal, as with Pion: over rollovers,
// losses, packets that come late, twice, or changed, of more sources than there is room for.
func TestAESGCMIsPions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		in, out := pions(t, c)
		s, err := newSession(c)
		if err != nil {
			t.Fatal(err)
		}
		var sent [][]byte
		next := map[uint32]uint16{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			ssrc := uint32(rapid.IntRange(1, near+2).Draw(t, "ssrc"))
			if len(sent) == 0 || rapid.Bool().Draw(t, "seal") {
				next[ssrc] += uint16(rapid.OneOf(rapid.IntRange(1, 3), rapid.IntRange(1, 30000)).Draw(t, "ahead"))
				plain := drawPacket(t, ssrc, next[ssrc]-uint16(rapid.SampledFrom([]int{0, 0, 0, 7}).Draw(t, "behind")))
				want, err := out.EncryptRTP(nil, plain, nil)
				if err != nil {
					t.Fatal(err)
				}
				buf := append(make([]byte, 0, len(plain)+Overhead), plain...)
				got, err := s.SealRTP(buf)
				if err != nil || !bytes.Equal(got, want) || &got[0] != &buf[0] {
					t.Fatalf("sealed %x, Pion %x: %v", got, want, err)
				}
				sent = append(sent, bytes.Clone(got))
				continue
			}
			b := bytes.Clone(sent[rapid.IntRange(max(0, len(sent)-8), len(sent)-1).Draw(t, "which")])
			switch rapid.IntRange(0, 5).Draw(t, "harm") {
			case 0:
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
			case 1:
				b = b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]
			}
			want, errWant := in.DecryptRTP(nil, b, nil)
			got, _, err := s.OpenRTP(bytes.Clone(b))
			if (err == nil) != (errWant == nil) || err == nil && !bytes.Equal(got, want) {
				t.Fatalf("opened %x, %v; Pion %x, %v", got, err, want, errWant)
			}
		}
	})
}

// A sender's numbers come round a thousand times in a call of two weeks.
func TestNumbersComeRound(t *testing.T) {
	var c counter
	index := uint64(65000)
	for range 300_000 {
		if got := c.guess(uint16(index)); got != index {
			t.Fatalf("%d taken for %d", index, got)
		}
		c.took(1, index)
		for _, late := range []uint64{1, 500, 30_000} {
			if index >= late && (c.begun && index-late >= 65000) && c.guess(uint16(index-late)) != index-late {
				t.Fatalf("%d, %d late, taken for %d", index-late, late, c.guess(uint16(index-late)))
			}
		}
		index += 29
	}
}

// What nobody has sealed leaves no trace: SSRCs that are made up take no memory.
func TestForgedSourcesAreNotKept(t *testing.T) {
	s, err := Fixed([16]byte{1}, [12]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	for ssrc := range uint32(100) {
		b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: 9}, Payload: make([]byte, 100)}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.OpenRTP(b); err == nil {
			t.Fatal("a forgery")
		}
	}
	if s.opener.near[0].begun || len(s.opener.far) > 0 {
		t.Fatal("a forger is remembered")
	}
}

// A key that has sealed all it may seals no more (RFC 3711 section 9.2).
func TestASpentKeySealsNoMore(t *testing.T) {
	s, err := Fixed([16]byte{1}, [12]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	s.sealer.near[0] = counter{index: mostRTP, ssrc: 5, begun: true}
	b, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, SequenceNumber: 0}, Payload: make([]byte, 100)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SealRTP(append(make([]byte, 0, 200), b...)); err == nil {
		t.Fatal("sealed with a number that was used")
	}
}

func BenchmarkSession(b *testing.B) {
	s, err := Fixed([16]byte{1}, [12]byte{2})
	if err != nil {
		b.Fatal(err)
	}
	buf, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5}, Payload: make([]byte, 1000)}).Marshal()
	if err != nil {
		b.Fatal(err)
	}
	buf = append(make([]byte, 0, len(buf)+Overhead), buf...)
	b.ReportAllocs()
	for i := range b.N {
		buf[2], buf[3] = byte(i>>8), byte(i)
		sealed, err := s.SealRTP(buf)
		if err == nil {
			buf, _, err = s.OpenRTP(sealed)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
