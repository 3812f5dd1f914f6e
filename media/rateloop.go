package media

import (
	"context"
	"maps"
	"time"

	"jedel/internal/ident"
	"jedel/media/bwe"
	"jedel/media/tune"

	"github.com/pion/rtcp"
)

const (
	// rateTick is how often ways are looked at. A way that became narrow is full within it.
	rateTick = 250 * time.Millisecond
	// rembEvery is the time between two words to a sender that nothing has changed: they get lost.
	rembEvery = time.Second
	// rembOff is what a sender is asked for whose picture goes nowhere: it may not know tunes.
	rembOff = 50_000
)

// sight is a connection with those its pictures go to and come from, by the routes.
type sight struct {
	conn     *conn
	watchers []*conn
	shown    []*conn
	heard    []*conn

	now   time.Duration
	in    bwe.State
	out   bwe.State
	known bool // out is
	sends tune.Decision
}

// runRates looks after the ways of all connections until ctx ends.
func (n *Node) runRates(ctx context.Context) {
	tick := time.NewTicker(rateTick)
	defer tick.Stop()
	v := newView()
	for {
		select {
		case now := <-tick.C:
			n.rates(v, now)
		case <-ctx.Done():
			return
		}
	}
}

// rates decides for all connections. Only runRates calls it.
func (n *Node) rates(v *view, now time.Time) {
	n.look(v)
	all := v.all
	at := now.Sub(n.start)
	for _, s := range all {
		s.measure(now, at)
	}
	held := map[tune.Level]int{}
	for _, s := range all {
		if s.decide(all) {
			n.rewireRooms(s.conn.peer.id)
		}
		held[min(s.sends.Video, s.sends.Shown)]++
	}
	for _, s := range all {
		s.limit(all)
	}
	n.met.rate.thin.Set(float64(held[tune.Thin]))
	n.met.rate.off.Set(float64(held[tune.Off]))
}

// view is what is seen of all connections at one tick, and its room for the next.
type view struct {
	all map[*conn]*sight
	of  map[ident.ClientID]*sight
}

func newView() *view { return &view{all: map[*conn]*sight{}, of: map[ident.ClientID]*sight{}} }

// look sees which connections are up, and what the routes say of them.
func (n *Node) look(v *view) {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(v.of)
	for id, p := range n.peers {
		if c := p.current(); c != nil && c.up.Load() {
			s := v.all[c]
			if s == nil {
				s = &sight{}
				v.all[c] = s
			}
			for _, list := range [][]*conn{s.watchers, s.shown, s.heard} {
				clear(list) // connections that have ended are not kept for it
			}
			*s = sight{conn: c, watchers: s.watchers[:0], shown: s.shown[:0], heard: s.heard[:0]}
			v.of[id] = s
		}
	}
	maps.DeleteFunc(v.all, func(c *conn, s *sight) bool { return v.of[c.peer.id] != s })
	for r := range n.plan.all() {
		from, to := v.of[r.From], v.of[r.To]
		switch {
		case from == nil || to == nil:
		case r.Kind == Audio:
			to.heard = append(to.heard, from.conn)
		default:
			from.watchers = append(from.watchers, to.conn)
			to.shown = append(to.shown, from.conn)
		}
	}
}

// measure takes what is known of the connection's ways.
func (s *sight) measure(wall time.Time, now time.Duration) {
	r, met := &s.conn.rate, s.conn.peer.node.met
	lostUp, lostDown := r.lostUp(), r.lostDown(wall)
	s.now = now
	s.in, s.out, s.known = r.states(now, lostUp)
	if !r.tells() && len(s.shown) > 0 { // nothing but its reports
		sent := 0
		for _, from := range s.shown {
			sent += from.rate.pictures(now)
		}
		r.limited(0, lostDown, sent, wall)
	}
	in := tune.Inputs{Up: wayOf(s.in), RTT: s.conn.feedback.roundTrip()}
	if s.in.Known { // else nobody speaks, and the loss is of words long ago
		in.Up.Loss = lostUp
	}
	if s.known {
		in.Down = wayOf(s.out)
		if s.out.Known && s.out.Full {
			met.rate.down.Observe(float64(s.out.Bps) / 8)
		}
	}
	in.Down.Loss = lostDown
	if s.in.Known && s.in.Full {
		met.rate.up.Observe(float64(s.in.Bps) / 8)
	}
	for _, c := range s.heard {
		in.Heard, in.Jitter = max(in.Heard, c.rate.lostUp()), max(in.Jitter, c.rate.jitter())
	}
	r.line.Next(now, in)
}

func wayOf(s bwe.State) tune.Way {
	if !s.Known {
		return tune.Way{}
	}
	return tune.Way{Kbps: s.Bps / 1000, Full: s.Full, Watched: true, Queue: s.Queue}
}

// lines are those of connections.
func lines(conns []*conn) []*tune.Line {
	out := make([]*tune.Line, len(conns))
	for i, c := range conns {
		out[i] = c.rate.line
	}
	return out
}

// decide makes of it how the connection is used; true says that pictures go, or no longer go, to it.
func (s *sight) decide(all map[*conn]*sight) bool {
	c := s.conn
	shown := tune.On
	if len(s.shown) > 0 {
		shown = tune.Off
	}
	for _, from := range s.shown {
		shown = max(shown, from.rate.line.Sends(lines(all[from].watchers)))
	}
	s.sends = c.rate.line.Decide(lines(s.watchers), shown)
	was := tune.Start()
	if t := c.tuned.Load(); t != nil {
		was = t.Decision
	}
	if s.sends != was {
		c.retune(s.sends)
		c.peer.node.met.rate.note(was, s.sends)
	}
	blind := c.rate.line.Down() == tune.Off
	return c.rate.blind.Swap(blind) != blind
}

// limit tells the sender of pictures how much of them there is room for. A browser with transport-wide
// feedback knows its own way better and is told of the others' alone.
func (s *sight) limit(all map[*conn]*sight) {
	r, bps := &s.conn.rate, 0
	if at := r.section(); at == nil {
		return
	} else if at.SeqExt == 0 && s.in.Known {
		bps = s.in.Bps
	}
	for _, w := range s.watchers {
		if k := all[w].bears(); k > 0 && (bps == 0 || k < bps) {
			bps = k
		}
	}
	switch s.sends.Video {
	case tune.Off:
		bps = rembOff
	case tune.Thin:
		// What the way loses goes once more, words as well, and browsers take it from this.
		most := int(float64(1000*s.sends.VideoKbps) / (1 - s.in.Own))
		if bps == 0 || bps > most {
			bps = most
		}
	}
	if bps == 0 {
		bps = bwe.MaxBps
		if r.limit == 0 {
			return // nothing to say, and nothing was ever said
		}
	}
	less := bps < r.limit*9/10
	if s.now-r.asked < rembEvery && !less {
		return
	}
	if r.ask(bps) {
		r.asked, r.limit = s.now, bps
	}
}

// bears returns how many bits a second of pictures may go to the connection, 0 for any: what it says
// of them is not known. One that will tell begins small.
func (s *sight) bears() int {
	switch {
	case s.conn.rate.blind.Load():
		return 0
	case s.known && s.out.Known:
		return s.out.Bps
	case s.conn.rate.tells():
		return bwe.StartBps
	}
	return 0
}

// ask sends REMB for the pictures of the connection (draft-alvestrand-rmcat-remb-03).
func (r *rate) ask(bps int) bool {
	c := r.link.conn
	var ssrcs []uint32
	for _, u := range c.tracks() {
		if u.kind == Video {
			ssrcs = append(ssrcs, u.ssrc)
		}
	}
	if len(ssrcs) == 0 {
		return false
	}
	_, err := c.writeRTCP([]rtcp.Packet{&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: c.ssrc, Bitrate: float32(bps), SSRCs: ssrcs}})
	return err == nil
}
