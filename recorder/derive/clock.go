package derive

import (
	"slices"
	"sort"
	"time"
)

// span is a piece of a run with one relation between RTP time and the sender's wall clock.
type span struct {
	from, to int // packets of the run
	env      int64
	first    int64 // arrival of the first packet
	srs      []point
	wall     line // RTP time -> what to add for the sender's time
	delay    line // sender's time -> what to add for the call clock
}

const (
	// driftRange is how long sender reports must go before their drift is believed.
	driftRange = 60 * time.Second
	// delayRange is the same for the drift between the sender's clock and ours, which is read from
	// arrivals and therefore rougher.
	delayRange = 300 * time.Second
	// sameSpan is how near the offsets of two spans are when there was no stall, only delay.
	sameSpan = 30 * time.Millisecond
	// srSpread is how far the streams of one sender may disagree about its clock before none of its
	// reports is believed.
	srSpread = 2 * time.Second
	// srWeight is how many packets a stream needs to have a say in that.
	srWeight = 50
	// reportSlack is how long after its last packet a report may still speak of a run.
	reportSlack = 10 * time.Second
	// latest is how far before its arrival a packet may be placed, at most.
	latest = 60 * time.Second
)

// placeLanes gives every run of one sender its time: T = ts/clock + wall + delay. The lanes are
// all those of one participant with one clock.
//
// wall = median over the reports of (NTP - RTP/clock), per span; delay = lower envelope over all
// lanes of (arrival - RTP/clock - wall). Runs without a report are placed by arrival alone.
func placeLanes(lanes []*lane) {
	steady(lanes)
	for _, l := range lanes {
		for _, r := range l.runs {
			r.split()
			r.bound = r.report()
		}
	}
	believed := agree(lanes)
	var bound []*run
	for _, l := range lanes {
		for _, r := range l.runs {
			r.bound = r.bound && believed
			if r.bound {
				bound = append(bound, r)
				continue
			}
			r.byArrival()
			envelope([]*run{r})
		}
	}
	envelope(bound)
}

// split cuts the run where the sender stalled and measures each piece.
func (r *run) split() {
	r.spans = r.spans[:0]
	from := 0
	for _, to := range append(stalls(r), len(r.packets)) {
		s := span{from: from, to: to, first: r.packets[from].at, env: 1 << 62}
		for i := from; i < to; i++ {
			p := &r.packets[i]
			if p.flags&flagRecovered == 0 || to-from == 1 {
				s.env = min(s.env, p.at-ticksNs(p.ts, r.lane.clock))
			}
			s.first = min(s.first, p.at)
		}
		if s.env == 1<<62 { // nothing but retransmissions
			s.env = r.packets[from].at - ticksNs(r.packets[from].ts, r.lane.clock)
		}
		r.spans = append(r.spans, s)
		from = to
	}
	// A stall is never undone: an envelope that comes down again was delay.
	for i := len(r.spans) - 2; i >= 0; i-- {
		r.spans[i].env = min(r.spans[i].env, r.spans[i+1].env)
	}
}

// report sets wall from the lane's sender reports. It reports false when there are none.
func (r *run) report() bool {
	srs := r.lane.srs // by arrival
	begin := r.packets[0].at - int64(stallWindow)
	for _, sr := range srs[sort.Search(len(srs), func(i int) bool { return srs[i].at >= begin }):] {
		if sr.at > r.topAt+int64(reportSlack) {
			break
		}
		i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i].first > sr.at }) - 1
		s := &r.spans[max(i, 0)]
		top := r.topAtArrival(sr.at)
		rtp := ticksNs(top+int64(int32(sr.rtp-uint32(top))), r.lane.clock)
		if d := rtp - ticksNs(top, r.lane.clock); d < -int64(lateSlack) || d > int64(lateSlack) {
			continue // a report of another run
		}
		s.srs = append(s.srs, point{rtp, sr.ntp - rtp})
	}
	known := slices.IndexFunc(r.spans, func(s span) bool { return len(s.srs) > 0 })
	if known < 0 {
		return false
	}
	r.join()
	known = slices.IndexFunc(r.spans, func(s span) bool { return len(s.srs) > 0 })
	ref := &r.spans[known]
	for i := range r.spans {
		s := &r.spans[i]
		if len(s.srs) > 0 {
			s.wall = fit(s.srs, int64(driftRange))
			ref = s
			continue
		}
		s.wall = ref.wall // no report here: the stall is what the envelope says
		s.wall.y0 += s.env - ref.env
	}
	return true
}

// topAtArrival returns a timestamp near those that arrived at the time given.
func (r *run) topAtArrival(at int64) int64 {
	i := sort.Search(len(r.packets), func(i int) bool { return r.packets[i].at > at })
	return r.packets[max(i-1, 0)].ts
}

// join makes one span of neighbours whose reports agree: there was delay, not a stall.
func (r *run) join() {
	out := r.spans[:1]
	for _, s := range r.spans[1:] {
		p := &out[len(out)-1]
		if len(p.srs) > 0 && len(s.srs) > 0 && near(offset(p.srs), offset(s.srs), int64(sameSpan)) {
			p.to = s.to
			p.srs = append(p.srs, s.srs...)
			continue
		}
		out = append(out, s)
	}
	r.spans = out
}

func near(a, b, within int64) bool { return a-b <= within && b-a <= within }

// offset is the median of the reports' offsets.
func offset(srs []point) int64 {
	ys := make([]int64, len(srs))
	for i, p := range srs {
		ys[i] = p.y
	}
	return median(ys)
}

// byArrival sets wall so that only stalls remain in it: the first span counts from 0.
func (r *run) byArrival() {
	for i := range r.spans {
		r.spans[i].wall = line{y0: r.spans[i].env - r.spans[0].env}
	}
}

// agree tells whether the lanes' reports can be of one clock.
func agree(lanes []*lane) bool {
	lo, hi := int64(1<<62), int64(-1<<62)
	for _, l := range lanes {
		n, least := 0, int64(1<<62)
		for _, r := range l.runs {
			if !r.bound {
				continue
			}
			n += len(r.packets)
			for _, s := range r.spans {
				least = min(least, s.env-s.wall.at(ticksNs(r.packets[s.from].ts, l.clock)))
			}
		}
		if n >= srWeight {
			lo, hi = min(lo, least), max(hi, least)
		}
	}
	return hi-lo <= int64(srSpread)
}

// envelope lays the lower envelope of (arrival - sender's time) under all the runs and gives it
// to their spans.
func envelope(runs []*run) {
	lo, hi := int64(1<<62), int64(-1<<62)
	visit(runs, func(t, _ int64) { lo, hi = min(lo, t), max(hi, t) })
	if lo > hi {
		return
	}
	var floor [fitPoints]point
	var seen [fitPoints]bool
	width := (hi-lo)/fitPoints + 1
	visit(runs, func(t, d int64) {
		i := (t - lo) / width
		if !seen[i] || d < floor[i].y {
			seen[i], floor[i] = true, point{t, d}
		}
	})
	var points []point
	for i, ok := range seen {
		if ok {
			points = append(points, floor[i])
		}
	}
	l := fit(points, int64(delayRange))
	l.y0 = 1 << 62
	for _, p := range points {
		l.y0 = min(l.y0, p.y-scale(p.x-l.x0, l.ppb))
	}
	for _, r := range runs {
		for i := range r.spans {
			r.spans[i].delay = l
		}
	}
}

// visit calls fn with the sender's time and the delay of every packet that came by itself.
func visit(runs []*run, fn func(t, delay int64)) {
	for _, r := range runs {
		for _, s := range r.spans {
			for i := s.from; i < s.to; i++ {
				p := &r.packets[i]
				if p.flags&flagRecovered == 0 || len(r.packets) == 1 {
					t := ticksNs(p.ts, r.lane.clock)
					t += s.wall.at(t)
					fn(t, p.at-t)
				}
			}
		}
	}
}

// time returns when packet i was made, on the call clock. A packet is never placed after its
// arrival nor more than latest before it.
func (r *run) time(i int) int64 { return r.timeOf(i, r.packets[i].ts) }

// timeOf is time for a timestamp that travelled in packet i.
func (r *run) timeOf(i int, ts int64) int64 {
	s := &r.spans[sort.Search(len(r.spans), func(k int) bool { return r.spans[k].to > i })]
	t := ticksNs(ts, r.lane.clock)
	t += s.wall.at(t)
	t += s.delay.at(t)
	return min(max(t, r.packets[i].at-int64(latest)), r.packets[i].at)
}

// Steps of the sender's wall clock.
const (
	ntpStep   = time.Second            // a smaller one is left to the median
	ntpAgree  = 250 * time.Millisecond // how near reports are that confirm each other
	ntpVoters = 3                      // reports that make a step
)

// steady takes the steps out of the sender's wall clock, for all lanes alike, and drops reports
// that stand alone: the clock may be set during the call, the picture must not jump.
func steady(lanes []*lane) {
	type ref struct{ lane, i int }
	var all []ref
	for l := range lanes {
		for i := range lanes[l].srs {
			all = append(all, ref{l, i})
		}
	}
	sr := func(k int) *senderReport { return &lanes[all[k].lane].srs[all[k].i] }
	sort.SliceStable(all, func(a, b int) bool { return sr(a).at < sr(b).at })
	theta := func(k int) int64 { return sr(k).at - sr(k).ntp }
	var shift, level int64
	alone := map[ref]bool{}
	for k := range all {
		now := theta(k)
		switch {
		case k == 0 || near(now, level, int64(ntpStep)):
		case confirmed(theta, k, len(all)):
			shift += now - level
		default:
			alone[all[k]] = true
			continue
		}
		level = now
		sr(k).ntp += shift
	}
	for l := range lanes {
		kept := lanes[l].srs[:0]
		for i, s := range lanes[l].srs {
			if !alone[ref{l, i}] {
				kept = append(kept, s)
			}
		}
		lanes[l].srs = kept
	}
}

func confirmed(theta func(int) int64, k, n int) bool {
	if k+ntpVoters > n {
		return false
	}
	for v := k + 1; v < k+ntpVoters; v++ {
		if !near(theta(v), theta(k), int64(ntpAgree)) {
			return false
		}
	}
	return true
}
