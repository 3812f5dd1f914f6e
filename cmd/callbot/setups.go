package main

import (
	"sync"
	"time"

	"jedel/cmd/callbot/watch"
)

// setups measures calls from the tap until both sides have what the other sends.
type setups struct {
	kinds int // of media each way

	mu    sync.Mutex // guards the rest
	taps  map[string]time.Time
	calls map[string]*setup
}

// setup is one call on its way to both ways.
type setup struct {
	tapped       time.Time
	sound, all   int
	soundAt, end time.Time
	waited       time.Duration // the longest that a first packet was under way
}

func newSetups(kinds int) *setups {
	return &setups{kinds: kinds, taps: map[string]time.Time{}, calls: map[string]*setup{}}
}

func (s *setups) see(e watch.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := e.(type) {
	case watch.Tapped:
		s.taps[e.Ref] = e.At
	case watch.Created:
		s.of(e.Call).tapped = s.taps[e.Ref]
	case watch.Arrived:
		c := s.of(e.Call)
		if e.What == "audio" {
			c.sound++
			c.soundAt = latest(c.soundAt, e.At)
		}
		c.all++
		c.end = latest(c.end, e.At)
		if !e.Sent.IsZero() {
			c.waited = max(c.waited, e.At.Sub(latest(e.Sent, c.tapped)))
		}
	}
}

func (s *setups) of(call string) *setup {
	c := s.calls[call]
	if c == nil {
		c = &setup{}
		s.calls[call] = c
	}
	return c
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// figures returns the times to sound both ways, to everything both ways, and of it what the slowest first packet of a
// call was under way.
func (s *setups) figures() (sound, all, waited watch.Figure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sounds, alls, waits []time.Duration
	for _, c := range s.calls {
		if c.tapped.IsZero() {
			continue
		}
		if c.sound >= 2 {
			sounds = append(sounds, c.soundAt.Sub(c.tapped))
		}
		if c.all >= 2*s.kinds {
			alls, waits = append(alls, c.end.Sub(c.tapped)), append(waits, c.waited)
		}
	}
	return watch.FigureOf(sounds), watch.FigureOf(alls), watch.FigureOf(waits)
}
