package red

// kept is how many frames a History holds: MaxDepth and room for disorder. A power of two.
const kept = 8

// History keeps the last frames of a source, from which redundant packets to its receivers are
// built. Its zero value is empty. One owner at a time.
type History struct {
	frames [kept]Frame // by sequence number; Data is our own
}

// Put keeps a copy of a frame. One that no redundant packet could carry takes the place of what was
// there before all the same.
func (h *History) Put(seq uint16, ts uint32, data []byte) {
	f := &h.frames[seq%kept]
	f.Seq, f.TS, f.Data = seq, ts, f.Data[:0]
	if len(data) <= maxLength {
		f.Data = append(f.Data, data...)
	}
}

// spread is how far back each copy is. Losses come in runs: copies that lie apart survive a run that
// takes those next to each other, and cost a player who waits 100 ms nothing.
var spread = [MaxDepth]uint16{1, 2, 4}

// Before appends the up to depth frames from before seq that are to go along with it, newest first, to
// out: what Append takes. One that is missing is left out. They are good until the next Put.
func (h *History) Before(seq uint16, ts uint32, depth int, out []Frame) []Frame {
	for _, back := range spread[:min(depth, MaxDepth)] {
		f := &h.frames[(seq-back)%kept]
		offset := ts - f.TS
		if f.Seq == seq-back && len(f.Data) > 0 && offset > 0 && offset <= maxOffset {
			out = append(out, *f)
		}
	}
	return out
}
