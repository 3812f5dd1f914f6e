package derive

import "time"

// A sender that stops capturing and goes on later often leaves its timestamps continuous: the
// stall is seen only in the arrival. What is looked for is a step in the lower envelope of
// (arrival - RTP time); a slow network moves single packets, not the envelope.
const (
	// stallStep is the smallest gap inserted. Smaller ones are within what networks do.
	stallStep = 250 * time.Millisecond
	// stallWindow and stallPackets are how long the envelope must stay up. Shorter takes a burst
	// of delay for a stall, longer misses stalls near the end.
	stallWindow  = 2 * time.Second
	stallPackets = 20
	// calmPackets is how many packets must precede a stall.
	calmPackets = 10
)

// stalls returns the positions in the run, in the order of sending, at which the envelope steps
// up and stays up.
func stalls(r *run) []int {
	n := len(r.packets)
	d := make([]int64, n)    // arrival - RTP time
	when := make([]int64, n) // arrival, made monotonic
	for i := range r.packets {
		p := &r.packets[i]
		d[i] = p.at - ticksNs(p.ts, r.lane.clock)
		when[i] = p.at
		if i == 0 {
			continue
		}
		if p.flags&flagRecovered != 0 { // came by another way: says nothing about the delay
			d[i], when[i] = d[i-1], when[i-1]
		}
		when[i] = max(when[i], when[i-1])
	}
	var cuts []int
	var past, next deque
	begin, end := 0, 0 // begin: first packet of the past window; end: behind the next window
	last := 0          // the newest cut
	for i := range n {
		for end < n && (end-i < stallPackets || when[end]-when[i] <= int64(stallWindow)) {
			next.push(d, end)
			end++
		}
		next.from(i)
		for i-begin > stallPackets && when[max(i-1, 0)]-when[begin] > int64(stallWindow) {
			begin++
		}
		past.from(begin)
		if i-last >= calmPackets && end-i >= stallPackets && d[next.min()]-d[past.min()] > int64(stallStep) {
			cuts = append(cuts, i)
			last, begin = i, i
			past = deque{}
		}
		past.push(d, i)
	}
	return cuts
}

// deque keeps the positions of the minima of a sliding window.
type deque struct{ at []int }

func (q *deque) push(d []int64, i int) {
	for len(q.at) > 0 && d[q.at[len(q.at)-1]] >= d[i] {
		q.at = q.at[:len(q.at)-1]
	}
	q.at = append(q.at, i)
}

func (q *deque) from(i int) {
	for len(q.at) > 0 && q.at[0] < i {
		q.at = q.at[1:]
	}
}

func (q *deque) min() int { return q.at[0] }
