package compound

import (
	"bytes"
	"slices"
	"testing"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"
)

func block(t *rapid.T) Block {
	return Block{
		SSRC: rapid.Uint32().Draw(t, "ssrc"), Fraction: rapid.Uint8().Draw(t, "fraction"),
		Lost: rapid.Int32Range(-1<<23, 1<<23-1).Draw(t, "lost"), Highest: rapid.Uint32().Draw(t, "highest"),
		Jitter: rapid.Uint32().Draw(t, "jitter"), LSR: rapid.Uint32().Draw(t, "lsr"), DLSR: rapid.Uint32().Draw(t, "dlsr"),
	}
}

// TestReportsAreReadByOthersAndByUs writes reports, reads them with Pion's parser and with ours.
func TestReportsAreReadByOthersAndByUs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var blocks []Block
		for range rapid.IntRange(0, 40).Draw(t, "blocks") {
			blocks = append(blocks, block(t))
		}
		info := SenderInfo{rapid.Uint64().Draw(t, "ntp"), rapid.Uint32().Draw(t, "rtp"), rapid.Uint32().Draw(t, "packets"), rapid.Uint32().Draw(t, "octets")}
		name := rapid.StringN(0, 60, 300).Draw(t, "name")
		b := AppendRR(AppendSR(nil, 7, info, blocks), 8, blocks)
		b = AppendPLI(AppendCNAME(b, 7, name), 8, 9)
		theirs, err := rtcp.Unmarshal(b)
		if err != nil || len(theirs) != 4 {
			t.Fatal(theirs, err)
		}
		sr, rr := theirs[0].(*rtcp.SenderReport), theirs[1].(*rtcp.ReceiverReport)
		if sr.SSRC != 7 || sr.NTPTime != info.NTP || sr.RTPTime != info.RTP || sr.PacketCount != info.Packets || sr.OctetCount != info.Octets || rr.SSRC != 8 {
			t.Fatal(sr, rr)
		}
		if got := theirs[2].(*rtcp.SourceDescription).Chunks[0]; got.Source != 7 || got.Items[0].Text != name[:min(len(name), 255)] {
			t.Fatal(got)
		}
		if pli := theirs[3].(*rtcp.PictureLossIndication); pli.SenderSSRC != 8 || pli.MediaSSRC != 9 {
			t.Fatal(pli)
		}
		blocks = blocks[:min(len(blocks), 31)]
		for n, kind := range []uint8{SR, RR, SDES, PSFB} {
			p, rest, ok := Next(b)
			if !ok || p.Type != kind || (n < 2 && p.Sender() != uint32(7+n)) {
				t.Fatal(n, p, ok)
			}
			b = rest
			if i, ok := p.SenderInfo(); ok != (kind == SR) || ok && i != info {
				t.Fatal(i, ok)
			}
			if n > 1 {
				continue
			}
			if _, ok := p.Block(len(blocks)); ok {
				t.Fatal("more blocks than there are")
			}
			for i, want := range blocks {
				got, ok := p.Block(i)
				their := append(sr.Reports, rr.Reports...)[n*len(blocks)+i]
				if !ok || got != want || their.FractionLost != want.Fraction || their.TotalLost != uint32(want.Lost)&0xffffff ||
					their.LastSequenceNumber != want.Highest || their.Delay != want.DLSR || their.LastSenderReport != want.LSR {
					t.Fatal(got, want, their)
				}
			}
		}
		if len(b) != 0 {
			t.Fatal(len(b), "bytes too many")
		}
	})
}

func TestRequestsAreReadByOthersAndByUs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var seqs []uint16
		seq := rapid.Uint16().Draw(t, "first")
		for range rapid.IntRange(1, 80).Draw(t, "packets") {
			seqs = append(seqs, seq)
			seq += uint16(rapid.IntRange(1, 40).Draw(t, "step"))
		}
		b := AppendNACK(nil, 7, 9, seqs)
		var n rtcp.TransportLayerNack
		if err := n.Unmarshal(b); err != nil || n.SenderSSRC != 7 || n.MediaSSRC != 9 {
			t.Fatal(n, err)
		}
		var theirs []uint16
		for _, p := range n.Nacks {
			theirs = append(theirs, p.PacketList()...)
		}
		p, rest, ok := Next(b)
		media, fci, okay := p.Feedback()
		if !ok || !okay || len(rest) != 0 || media != 9 || p.Type != RTPFB || p.Count != NACK {
			t.Fatal(p, media)
		}
		if got := Lost(fci, make([]uint16, 0, len(seqs))); !slices.Equal(got, seqs) || !slices.Equal(theirs, seqs) {
			t.Fatal(got, theirs, seqs)
		}
		if got := Lost(fci, make([]uint16, 0, 3)); !slices.Equal(got, seqs[:min(3, len(seqs))]) {
			t.Fatal("no more than there is room for", got)
		}
	})
}

func TestIntraRequestsAreRead(t *testing.T) {
	b, err := (&rtcp.FullIntraRequest{SenderSSRC: 1, MediaSSRC: 2, FIR: []rtcp.FIREntry{{SSRC: 5, SequenceNumber: 1}, {SSRC: 6}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p, _, _ := Next(b)
	_, fci, ok := p.Feedback()
	first, a := Intra(fci, 0)
	second, c := Intra(fci, 1)
	_, more := Intra(fci, 2)
	if !ok || p.Count != FIR || !a || !c || more || first != 5 || second != 6 {
		t.Fatal(first, second, more)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	blocks, seqs := []Block{{SSRC: 1}, {SSRC: 2}}, []uint16{1, 2, 9, 300}
	b, lost := make([]byte, 0, 1500), make([]uint16, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		b = AppendNACK(AppendPLI(AppendRR(AppendSR(b[:0], 1, SenderInfo{}, blocks), 1, blocks), 1, 2), 1, 2, seqs)
		for rest := b; ; {
			p, r, ok := Next(rest)
			if !ok {
				break
			}
			rest = r
			p.Block(1)
			p.SenderInfo()
			if _, fci, ok := p.Feedback(); ok {
				lost = Lost(fci, lost[:0])
			}
		}
	}); n != 0 {
		t.Fatal(n)
	}
}

// FuzzNext reads any bytes: never more than there are, always forward, and nothing that Pion takes for
// a sender report or a request is read otherwise.
func FuzzNext(f *testing.F) {
	f.Add(AppendSR(nil, 1, SenderInfo{}, []Block{{SSRC: 1}}))
	f.Add(AppendNACK(nil, 1, 2, []uint16{1, 2, 60}))
	f.Add([]byte{0xa1, 200, 0, 1, 0, 0, 0, 4})
	f.Add(append([]byte{0x8f, 205, 0, 6}, make([]byte, 24)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		lost := make([]uint16, 0, 32)
		for rest := b; ; {
			p, r, ok := Next(rest)
			if !ok {
				return
			}
			if len(p.Raw) < 4 || len(r)+len(p.Raw) != len(rest) || len(p.Body) > len(p.Raw)-4 {
				t.Fatalf("%d of %d", len(p.Raw), len(rest))
			}
			rest = r
			p.Sender()
			for i := range 40 {
				if _, ok := p.Block(i); ok && i >= int(p.Count) {
					t.Fatal(i)
				}
			}
			info, isSR := p.SenderInfo()
			if _, fci, ok := p.Feedback(); ok {
				if lost = Lost(fci, lost[:0]); len(lost) > 32 || cap(lost) != 32 {
					t.Fatal(len(lost))
				}
				for i := 0; ; i++ {
					if _, ok := Intra(fci, i); !ok {
						break
					}
				}
			}
			var sr rtcp.SenderReport
			if p.Type == SR && sr.Unmarshal(p.Raw) == nil && p.Raw[0]&0x20 == 0 && (!isSR || info.NTP != sr.NTPTime || info.Octets != sr.OctetCount) {
				t.Fatalf("%+v is not %+v", info, sr)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	raw := AppendNACK(AppendRR(nil, 1, []Block{{SSRC: 1}, {SSRC: 2}}), 1, 2, []uint16{1, 2, 9, 300})
	lost := make([]uint16, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		for rest := raw; ; {
			p, r, ok := Next(rest)
			if !ok {
				break
			}
			rest = r
			p.Block(0)
			if _, fci, ok := p.Feedback(); ok {
				lost = Lost(fci, lost[:0])
			}
		}
	}
	if !bytes.Equal(raw[:1], []byte{0x82}) {
		b.Fatal(raw[0])
	}
}
