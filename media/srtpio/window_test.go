package srtpio

import (
	"testing"

	"github.com/pion/transport/v5/replaydetector"
	"pgregory.net/rapid"
)

// TestWindowIsPions: the ring says of every number what Pion's shifting window says.
func TestWindowIsPions(t *testing.T) {
	const most = 1<<48 - 1
	rapid.Check(t, func(t *rapid.T) {
		ours, ok := newWindow(most).(replaydetector.CheckAccepter)
		theirs, also := replaydetector.New(replayWindow, most).(replaydetector.CheckAccepter)
		if !ok || !also {
			t.Fatal("no CheckAccepter")
		}
		at := rapid.Uint64Range(0, 5000).Draw(t, "begin")
		for range rapid.IntRange(1, 400).Draw(t, "packets") {
			step := rapid.OneOf(rapid.Int64Range(-3, 4), rapid.Int64Range(-1100, 200), rapid.Int64Range(-10, 5000)).Draw(t, "step")
			seq := uint64(max(0, int64(at)+step))
			if rapid.IntRange(0, 200).Draw(t, "end") == 0 {
				seq = most + uint64(rapid.IntRange(-5, 5).Draw(t, "past"))
			}
			got, want := ours.CheckSeq(seq), theirs.CheckSeq(seq)
			if got != want {
				t.Fatalf("%d after %d: %v, want %v", seq, at, got.Passed(), want.Passed())
			}
			if rapid.IntRange(0, 9).Draw(t, "forged") == 0 { // it passes and is not what it says
				continue
			}
			if a, b := ours.Accept(got), theirs.Accept(want); a != b {
				t.Fatalf("%d after %d: the latest %v, want %v", seq, at, a, b)
			}
			if got.Passed() {
				at = max(at, seq)
			}
		}
	})
}

func BenchmarkWindow(b *testing.B) {
	for name, w := range map[string]replaydetector.ReplayDetector{"ours": newWindow(1<<48 - 1), "pions": replaydetector.New(replayWindow, 1<<48-1)} {
		b.Run(name, func(b *testing.B) {
			d, ok := w.(replaydetector.CheckAccepter)
			if !ok {
				b.Fatal("no CheckAccepter")
			}
			seq := uint64(0)
			for b.Loop() {
				d.Accept(d.CheckSeq(seq))
				seq++
			}
		})
	}
}
