package srtpio

import "github.com/pion/transport/v5/replaydetector"

// replayWindow is how many packets may be late before they are taken for replays.
const replayWindow = 1024

// ringWords is the length of a window's ring: twice the window, since whole words of it are cleared at once.
const ringWords = 2 * replayWindow / 64

// window tells replays from packets that are late (RFC 3711 section 3.3.2). It is a ring of bits in which nothing
// moves when the newest number grows (RFC 6479). It implements replaydetector.ReplayDetector and CheckAccepter.
type window struct {
	most   uint64 // the largest number there is
	newest uint64
	any    bool // newest is set
	seen   [ringWords]uint64
}

func newWindow(most uint64) replaydetector.ReplayDetector { return &window{most: most} }

// CheckSeq implements replaydetector.CheckAccepter.
func (w *window) CheckSeq(seq uint64) replaydetector.Token {
	switch {
	case seq > w.most:
		return replaydetector.Rejected(seq)
	case !w.any || seq > w.newest:
		return replaydetector.Passed(seq)
	case w.newest-seq >= replayWindow || w.seen[seq/64%ringWords]>>(seq%64)&1 == 1:
		return replaydetector.Rejected(seq)
	}
	return replaydetector.Passed(seq)
}

// Accept implements replaydetector.CheckAccepter.
func (w *window) Accept(t replaydetector.Token) bool {
	if !t.Passed() {
		return false
	}
	seq := t.Seq()
	latest := !w.any || seq > w.newest
	if latest {
		from, to := w.newest/64, seq/64
		for i := range min(to-from, ringWords) {
			w.seen[(to-i)%ringWords] = 0
		}
		w.newest, w.any = seq, true
	}
	w.seen[seq/64%ringWords] |= 1 << (seq % 64)
	return latest
}

// Check implements replaydetector.ReplayDetector.
func (w *window) Check(seq uint64) (func() bool, bool) {
	t := w.CheckSeq(seq)
	return func() bool { return w.Accept(t) }, t.Passed()
}
