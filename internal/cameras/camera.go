package cameras

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"jedel/media/h264"
)

// camera is one camera and the goroutine that reads it.
type camera struct {
	// Set at creation, read by all.
	cfg    Camera
	linger time.Duration
	screen Screen
	met    *metrics
	log    *slog.Logger
	made   time.Time
	wake   chan struct{} // capacity 1: look at once whether somebody wants it

	// Owned by run.
	clock  timeline
	wanted time.Time // when it was last wanted

	mu    sync.Mutex // guards the rest
	state State
	ring  ring
	taps  []*tap
}

// lookEvery is how often a camera looks whether somebody wants it.
const lookEvery = 500 * time.Millisecond

// run reads the camera while it is wanted, until ctx ends.
func (c *camera) run(ctx context.Context) {
	c.clock = timeline{start: c.made}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	wait, next := firstWait, time.Time{}
	for {
		if now := time.Now(); c.want(now) && !now.Before(next) {
			err := c.session(ctx)
			if ctx.Err() != nil {
				return
			}
			wait, next = c.ended(err, wait)
			continue
		}
		select {
		case <-tick.C:
			if !c.want(time.Now()) {
				c.rest()
				wait, next = firstWait, time.Time{}
			}
		case <-c.wake:
		case <-ctx.Done():
			return
		}
	}
}

// ended notes how a session ended and says when the next may begin.
func (c *camera) ended(err error, wait time.Duration) (time.Duration, time.Time) {
	if err == nil {
		c.rest()
		return firstWait, time.Time{}
	}
	code, codec := codeOf(err)
	c.met.failures.WithLabelValues(string(code)).Inc()
	c.log.Warn("camera", "code", code, "err", err)
	if code == Lost { // it worked: begin with short waits again
		wait = firstWait
	}
	if code.patient() {
		wait = longestWait
	}
	c.enter(State{Phase: Failed, Code: code, Codec: codec})
	next := time.Now().Add(wait/2 + rand.N(wait/2+1))
	return min(2*wait, longestWait), next
}

// want reports whether somebody wants the camera, or has until a short while ago.
func (c *camera) want(now time.Time) bool {
	c.mu.Lock()
	clips := len(c.taps)
	c.mu.Unlock()
	if c.cfg.Always || clips > 0 || c.screen.Viewers() > 0 {
		c.wanted = now
		return true
	}
	return !c.wanted.IsZero() && now.Sub(c.wanted) < c.linger
}

// stir lets the camera look at once.
func (c *camera) stir() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// session connects and reads until nobody wants the camera (nil), it fails, or ctx ends.
func (c *camera) session(ctx context.Context) error {
	c.enter(State{Phase: Connecting, Code: c.now().Code})
	begun := time.Now()
	l, err := dial(ctx, c.cfg)
	if err != nil {
		return err
	}
	defer l.close()
	clock := c.clock
	clock.begun = false
	a, err := newAssembler(l.format.PacketizationMode, l.sets(), clock)
	if err != nil {
		return &fails{code: BadStream, err: err}
	}
	defer func() {
		c.clock = a.clock
		c.met.packetsDropped.Add(float64(l.dropped.Load()))
		if ctx.Err() != nil {
			c.breakOff(Interrupted)
			return
		}
		c.breakOff(Lost)
	}()
	return c.read(ctx, l, a, begun)
}

// read takes packets until the session ends.
func (c *camera) read(ctx context.Context, l *link, a *assembler, begun time.Time) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last, live := begun, false
	for {
		select {
		case p := <-l.packets:
			now := time.Now()
			pic, ok, missing, err := a.take(p, now)
			if err != nil {
				return err
			}
			if missing {
				c.met.missing.Inc()
				c.breakOff(Missing)
			}
			if !ok {
				continue
			}
			last = now
			if !live {
				live = true
				c.met.connect.Observe(now.Sub(begun).Seconds())
				c.goLive(a)
			}
			c.picture(pic)
		case now := <-tick.C:
			if !c.want(now) {
				return nil
			}
			if now.Sub(last) > silentTime {
				return c.broken(live, NoPicture, nil)
			}
		case <-c.wake:
		case err := <-l.over:
			return c.broken(live, Unreachable, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// broken is the end of a session that nobody asked for.
func (c *camera) broken(live bool, before Code, err error) error {
	if live {
		return &fails{code: Lost, err: err}
	}
	if err != nil {
		return explained(err)
	}
	return &fails{code: before, err: err}
}

func (c *camera) goLive(a *assembler) {
	w, h := sizeOf(a.sets.SPS)
	c.enter(State{Phase: Live, Width: w, Height: h})
}

// picture gives a picture to all.
func (c *camera) picture(p h264.Picture) {
	c.met.pictures.Inc()
	c.met.bytes.Add(float64(p.Size()))
	c.screen.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring.put(p)
	for _, t := range c.taps {
		t.push(item{pic: p})
	}
}

// breakOff tells that the next picture does not follow the last.
func (c *camera) breakOff(why Code) {
	if why != Missing { // a viewer sees the picture stand still until the next key frame
		c.screen.Reset()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.taps {
		t.push(item{gap: why})
	}
}

// rest goes idle.
func (c *camera) rest() {
	if c.now().Phase == Idle {
		return
	}
	c.enter(State{Phase: Idle})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring.clear()
}

func (c *camera) enter(s State) {
	s.Since = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
}

// now is the present state.
func (c *camera) now() State {
	viewers := c.screen.Viewers()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state
	s.Viewers = viewers
	return s
}
