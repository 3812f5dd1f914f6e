package cameras

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Keeper keeps clips for good.
type Keeper interface {
	// KeepClip keeps a clip whose bytes are file, and returns the recording that has it. It is
	// durable when KeepClip returns. The same clip again changes nothing.
	KeepClip(ctx context.Context, c Clip, file io.Reader) (ident.CallID, error)
}

// ClipPhase is how far a clip is.
type ClipPhase string

// Phases of a clip.
const (
	Taking  ClipPhase = "taking"  // pictures are being collected
	Keeping ClipPhase = "keeping" // it is on its way into an archive
	Kept    ClipPhase = "kept"
	Dropped ClipPhase = "dropped" // taken back before it was kept
	Broken  ClipPhase = "failed"  // there was no picture, or it could not be kept
)

// ClipState is how a clip stands.
type ClipState struct {
	Clip
	Phase    ClipPhase
	Code     Code         // why it failed: no_picture and the like, or not_kept
	KeptIn   ident.CallID // the recording that has it
	Progress float64      // 0..1 of the time it goes on
}

// Bounds of all clips.
const (
	maxTaking  = 8
	maxClips   = 1000 // remembered, those included that are over
	rememberIt = 24 * time.Hour
	// keepTime is how long the keeper is asked again before a clip counts as lost.
	keepTime = time.Hour
	// lastTime is how long the keeping of what is cut by the end of the process may take.
	lastTime = 10 * time.Second
)

// Clips makes clips of cameras. Make it with NewClips, then Run it.
type Clips struct {
	set    *Set
	keeper Keeper
	log    *slog.Logger
	begin  chan *job // capacity maxTaking

	mu     sync.Mutex // guards the rest
	jobs   map[ident.FileID]*job
	closed bool
}

// job is one clip while and after it is made.
type job struct {
	id   ident.FileID // also what a repeated order is told by
	cam  *camera
	tap  *tap
	past []item
	made time.Time
	drop chan struct{} // closed to take it back; guarded by Clips.mu

	state ClipState // guarded by Clips.mu
}

// NewClips returns the maker of clips.
func NewClips(set *Set, keeper Keeper, log *slog.Logger) *Clips {
	return &Clips{set: set, keeper: keeper, log: log, begin: make(chan *job, maxTaking), jobs: map[ident.FileID]*job{}}
}

// Make begins a clip. The same order again is the same clip.
func (c *Clips) Make(o Order) (ClipState, error) {
	const op = "clip.make"
	cam, err := c.set.find(o.Camera)
	if err != nil {
		return ClipState{}, err
	}
	if o.Back < 0 || o.Back > MaxBack || o.Length < 0 || o.Length > MaxLength || o.Back+o.Length < time.Second {
		return ClipState{}, fault.Newf(fault.BadValue, op, "%v back, %v on", o.Back, o.Length)
	}
	now := time.Now()
	c.mu.Lock()
	if old := c.jobs[o.ID]; old != nil {
		defer c.mu.Unlock()
		if old.state.Camera != o.Camera || old.state.Recording != o.Recording || old.state.By != o.By {
			return ClipState{}, fault.Newf(fault.BadValue, op, "the id is another clip's")
		}
		return old.state, nil
	}
	c.forget(now)
	if c.closed || c.taking() >= maxTaking || len(c.jobs) >= maxClips {
		c.mu.Unlock()
		return ClipState{}, fault.Newf(fault.TooMany, op, "clips at once")
	}
	j := &job{id: o.ID, cam: cam, tap: &tap{queue: make(chan item, tapLen)}, made: now, drop: make(chan struct{})}
	j.state = ClipState{Phase: Taking, Clip: Clip{
		ID: o.ID, Camera: o.Camera, Name: cam.cfg.Name, Recording: o.Recording, By: o.By, From: now.Add(-o.Back), Until: now.Add(o.Length),
	}}
	st := j.state
	select {
	case c.begin <- j:
		c.jobs[o.ID] = j
	default: // many were dropped, and none has been begun yet
		err = fault.Newf(fault.TooMany, op, "clips at once")
	}
	c.mu.Unlock()
	j.cam.stir()
	return st, err
}

// taking counts clips that are not over. c.mu is held.
func (c *Clips) taking() int {
	n := 0
	for _, j := range c.jobs {
		if j.state.Phase == Taking || j.state.Phase == Keeping {
			n++
		}
	}
	return n
}

// forget lets go of clips that were over long ago. c.mu is held.
func (c *Clips) forget(now time.Time) {
	for id, j := range c.jobs {
		if over := j.state.Phase != Taking && j.state.Phase != Keeping; over && now.Sub(j.made) > rememberIt {
			delete(c.jobs, id)
		}
	}
}

// State tells how a clip of a camera stands.
func (c *Clips) State(cam string, id ident.FileID) (ClipState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.jobs[id]
	if j == nil || j.state.Camera != cam {
		return ClipState{}, fault.New(fault.NoSuchClip, "clip", nil)
	}
	return c.present(j), nil
}

// present is a job's state now. c.mu is held.
func (c *Clips) present(j *job) ClipState {
	st := j.state
	st.Gaps = slices.Clone(st.Gaps)
	if st.Phase == Taking {
		if whole := st.Until.Sub(j.made); whole > 0 {
			st.Progress = min(float64(time.Since(j.made))/float64(whole), 1)
		}
	} else {
		st.Progress = 1
	}
	return st
}

// List tells of the clips of a recording in the last day, the newest first.
func (c *Clips) List(recording ident.CallID) []ClipState {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []ClipState
	for _, j := range c.jobs {
		if j.state.Recording == recording {
			out = append(out, c.present(j))
		}
	}
	slices.SortFunc(out, func(a, b ClipState) int { return b.From.Compare(a.From) })
	return out
}

// Drop takes a clip back while it is being taken; after that it is evidence.
func (c *Clips) Drop(cam string, id ident.FileID) (ClipState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.jobs[id]
	switch {
	case j == nil || j.state.Camera != cam:
		return ClipState{}, fault.New(fault.NoSuchClip, "clip.drop", nil)
	case j.state.Phase == Dropped:
	case j.state.Phase != Taking:
		return ClipState{}, fault.Newf(fault.WrongState, "clip.drop", "it is %s", j.state.Phase)
	default:
		j.state.Phase = Dropped
		close(j.drop)
		c.set.met.clips.WithLabelValues(string(Dropped)).Inc()
	}
	return c.present(j), nil
}

// Run makes the clips that are asked for. When ctx ends, those that are being taken are cut and
// kept. The cameras must run on until then.
func (c *Clips) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case j := <-c.begin:
			wg.Go(func() { c.run(ctx, j) })
		case <-ctx.Done():
			c.mu.Lock()
			c.closed = true
			c.mu.Unlock()
			for {
				select {
				case j := <-c.begin:
					wg.Go(func() { c.run(ctx, j) })
				default:
					return nil
				}
			}
		}
	}
}

func (c *Clips) run(ctx context.Context, j *job) {
	j.past = j.cam.tapIn(j.tap, j.state.From) // From never changes
	defer j.cam.tapOut(j.tap)
	f := newFilm(j.state.Clip)
	if !c.take(ctx, j, f) {
		return
	}
	j.cam.tapOut(j.tap)
	st := j.cam.now()
	c.mu.Lock()
	if j.state.Phase != Taking {
		c.mu.Unlock()
		return
	}
	j.state.Clip, j.state.Phase = f.clip, Keeping
	if f.clip.Pictures == 0 {
		j.state.Phase, j.state.Code = Broken, NoPicture
		if st.Code != "" {
			j.state.Code = st.Code
		}
	}
	phase := j.state.Phase
	c.mu.Unlock()
	if phase == Keeping {
		c.keep(ctx, j, f)
		return
	}
	c.set.met.clips.WithLabelValues(string(Broken)).Inc()
}

// take collects until the clip is whole, or ctx ends; false where it was taken back.
func (c *Clips) take(ctx context.Context, j *job, f *film) bool {
	var err error
	for _, it := range j.past {
		if err == nil {
			err = f.take(it)
		}
	}
	j.past = nil
	due := time.NewTimer(time.Until(f.clip.Until))
	defer due.Stop()
	end, why := f.clip.Until, Lost
	for going := err == nil; going; {
		select {
		case it := <-j.tap.queue:
			err = f.take(it)
			going = err == nil
		case <-due.C:
			going = false
		case <-j.drop:
			return false
		case <-ctx.Done():
			end, why, going = time.Now(), Interrupted, false
		}
	}
	for more := err == nil; more; { // what waits was before the end
		select {
		case it := <-j.tap.queue:
			err = f.take(it)
			more = err == nil
		default:
			more = false
		}
	}
	if err != nil {
		c.log.Error("clip", "camera", f.clip.Camera, "err", err)
		end, why = time.Now(), NotKept
	}
	if err := f.finish(end, why); err != nil {
		c.log.Error("clip", "camera", f.clip.Camera, "err", err)
	}
	return true
}

// keep gives the clip to the keeper until that has it.
func (c *Clips) keep(ctx context.Context, j *job, f *film) {
	give := func(ctx context.Context) (ident.CallID, error) { return c.keeper.KeepClip(ctx, f.clip, f.reader()) }
	in, err := give(ctx)
	for wait, until := firstWait, time.Now().Add(keepTime); err != nil && ctx.Err() == nil && passing(err) && time.Now().Before(until); wait = min(2*wait, longestWait) {
		c.log.Warn("clip waits to be kept", "camera", f.clip.Camera, "err", err)
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-timer.C:
			in, err = give(ctx)
		case <-ctx.Done():
			timer.Stop()
		}
	}
	if err != nil && ctx.Err() != nil { // the process ends: once more, with a time of its own
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
		defer cancel()
		in, err = give(last)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if j.state.KeptIn, j.state.Phase = in, Kept; err != nil {
		j.state.Phase, j.state.Code = Broken, NotKept
		c.log.Error("clip is lost", "camera", f.clip.Camera, "call", f.clip.Recording, "err", err)
	}
	c.set.met.clips.WithLabelValues(string(j.state.Phase)).Inc()
}

// passing reports whether it may go better later.
func passing(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.Unavailable || code == fault.Internal || code == fault.NoSpace
}
