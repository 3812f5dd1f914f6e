package bwe

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// told is what a report says of one packet.
type told struct {
	seq uint16
	at  time.Duration
	got bool
}

func read(t testing.TB, raw []byte) ([]told, error) {
	t.Helper()
	r, err := readReport(raw)
	if err != nil {
		return nil, err
	}
	var all []told
	for {
		seq, at, got, more := r.next()
		if !more {
			return all, nil
		}
		all = append(all, told{seq, at, got})
	}
}

// asPion reads the same with the library; nil where it refuses.
func asPion(raw []byte) []told {
	var cc rtcp.TransportLayerCC
	if cc.Unmarshal(raw) != nil {
		return nil
	}
	var all []told
	seq, at, d := cc.BaseSequenceNumber, time.Duration(cc.ReferenceTime)*refTick, 0
	one := func(s uint16) {
		if len(all) == int(cc.PacketStatusCount) {
			return
		}
		x := told{seq: seq}
		if s == rtcp.TypeTCCPacketReceivedSmallDelta || s == rtcp.TypeTCCPacketReceivedLargeDelta {
			at += time.Duration(cc.RecvDeltas[d].Delta) * time.Microsecond
			x.at, x.got = at, true
			d++
		}
		all = append(all, x)
		seq++
	}
	for _, chunk := range cc.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				one(c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			for _, s := range c.SymbolList {
				one(s)
			}
		}
	}
	return all
}

func sample(base uint16) []byte {
	cc := rtcp.TransportLayerCC{
		SenderSSRC: 1, MediaSSRC: 2, BaseSequenceNumber: base, PacketStatusCount: 30, ReferenceTime: 0xFFFFF0, FbPktCount: 3,
		PacketChunks: []rtcp.PacketStatusChunk{
			&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 5},
			&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketNotReceived, RunLength: 4},
			&rtcp.StatusVectorChunk{SymbolSize: rtcp.TypeTCCSymbolSizeTwoBit, SymbolList: []uint16{2, 0, 1, 1, 0, 0, 2}},
			&rtcp.StatusVectorChunk{SymbolSize: rtcp.TypeTCCSymbolSizeOneBit, SymbolList: []uint16{0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1}},
		},
	}
	add := func(n int, kind uint16, micros int64) {
		for range n {
			cc.RecvDeltas = append(cc.RecvDeltas, &rtcp.RecvDelta{Type: kind, Delta: micros})
		}
	}
	add(5, rtcp.TypeTCCPacketReceivedSmallDelta, 20_000)
	add(1, rtcp.TypeTCCPacketReceivedLargeDelta, 400_000)
	add(2, rtcp.TypeTCCPacketReceivedSmallDelta, 250)
	add(1, rtcp.TypeTCCPacketReceivedLargeDelta, -30_000)
	add(7, rtcp.TypeTCCPacketReceivedSmallDelta, 0)
	cc.Header = rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: uint16(cc.MarshalSize()/4 - 1), Padding: true}
	raw, err := cc.Marshal()
	if err != nil {
		panic(err)
	}
	return raw
}

func TestReportIsReadAsTheLibraryReadsIt(t *testing.T) {
	for _, base := range []uint16{0, 1, 32767, 32768, 65520, 65535} {
		raw := sample(base)
		want := asPion(raw)
		got, err := read(t, raw)
		if err != nil || len(got) != 30 || len(want) != 30 {
			t.Fatalf("%d packets of %d: %v", len(got), len(want), err)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("packet %d: %+v, want %+v", i, got[i], want[i])
			}
		}
	}
}

func TestReportOfALieIsRefused(t *testing.T) {
	whole := sample(7)
	change := func(at int, v ...byte) []byte {
		raw := append([]byte(nil), whole...)
		copy(raw[at:], v)
		return raw
	}
	bad := map[string][]byte{
		"nothing":                nil,
		"a header alone":         whole[:12],
		"cut":                    whole[:len(whole)-5],
		"another kind":           change(1, 206),
		"another format":         change(0, 2<<6|1),
		"another version":        change(0, 1<<6|15),
		"longer than it is":      change(2, 0xFF, 0xFF),
		"no packets":             change(14, 0, 0),
		"65,535 packets":         change(14, 0xFF, 0xFF),
		"more than there are":    change(14, 1, 0),
		"padding over the start": change(len(whole)-1, 250),
		"runs of nothing":        change(20, 0, 0, 0, 0, 0, 0, 0, 0),
	}
	all := []byte{2<<6 | 15, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0x3F, 0xFF, 0, 0}
	bad["65,535 received in eight chunks"] = all
	for what, raw := range bad {
		if got, err := read(t, raw); err == nil {
			t.Errorf("%s: taken, %d packets", what, len(got))
		}
		if err := New().Feedback(raw, time.Second); err == nil {
			t.Errorf("%s: taken by the estimator", what)
		}
	}
}

// A receiver may report what it likes: packets never sent, at any time, in any order.
func TestReportsOfNothingSentAreHarmless(t *testing.T) {
	e := New()
	for i := range 2000 {
		if err := e.Feedback(sample(uint16(i*997)), time.Duration(i)*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if s := e.State(2 * time.Second); s.Bps < MinBps || s.Bps > MaxBps {
		t.Errorf("%+v", s)
	}
}

func FuzzReport(f *testing.F) {
	f.Add(sample(0))
	f.Add(sample(65530))
	f.Add([]byte{2<<6 | 15, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0, 0x20, 9, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := read(t, raw)
		if err != nil {
			return
		}
		if len(got) == 0 || len(got) > historyLen {
			t.Fatalf("%d packets", len(got))
		}
		e := New()
		for i := range got {
			if got[i].seq != got[0].seq+uint16(i) {
				t.Fatalf("packet %d is %d after %d", i, got[i].seq, got[0].seq)
			}
			e.Sent(got[i].seq, 1000, time.Duration(i)*time.Millisecond)
		}
		if err := e.Feedback(raw, 2*time.Second); err != nil {
			t.Fatal(err)
		}
		if s := e.State(2 * time.Second); s.Bps < MinBps || s.Bps > MaxBps || s.Queue < 0 || s.Loss < 0 || s.Loss > 1 {
			t.Fatalf("%+v", s)
		}
		if want := asPion(raw); want != nil {
			for i := range min(len(want), len(got)) {
				if got[i] != want[i] {
					t.Fatalf("packet %d: %+v, the library says %+v", i, got[i], want[i])
				}
			}
		}
	})
}
