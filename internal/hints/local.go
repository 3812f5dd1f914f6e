package hints

import (
	"context"
	"sync"
	"time"
)

const (
	// queued is how many wake-ups wait for a reader. More are of no use: after a nil it looks for
	// itself anyway.
	queued = 16
	// maxCounters bounds the counters kept, about 100 bytes each. Beyond it nobody is refused: a
	// full table must not silence an emergency line.
	maxCounters = 1 << 17
	// firstSweep is how many entries a table may have before old ones are looked for.
	firstSweep = 1024
)

// local is what this node knows by itself.
type local struct {
	met metrics

	mu     sync.Mutex // guards the following
	beats  table      // key -> when its last beat ceases to count
	turns  table      // key -> when all its turns are back (the theoretical arrival time of GCRA)
	topics map[string]map[*subscription]struct{}
	closed bool
}

// subscription is one reader of a topic.
type subscription struct {
	out  chan []byte // closed under local.mu
	stop func() bool // forgets the wait for the reader's context
}

func newLocal(met metrics) *local {
	return &local{met: met, beats: table{}, turns: table{}, topics: map[string]map[*subscription]struct{}{}}
}

// table is a set of moments; those in the past are of no interest.
type table struct {
	at    map[string]time.Time
	sweep int // how many entries there may be before the next look at their age
}

func (t *table) put(key string, at, now time.Time) {
	if t.at == nil {
		t.at, t.sweep = map[string]time.Time{}, firstSweep
	}
	t.at[key] = at
	if len(t.at) <= t.sweep {
		return
	}
	for k, v := range t.at {
		if !v.After(now) {
			delete(t.at, k)
		}
	}
	t.sweep = max(firstSweep, 2*len(t.at))
}

func (l *local) beat(key string, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.beats.put(key, now.Add(ttl), now)
}

func (l *local) alive(keys []string) []bool {
	out := make([]bool, len(keys))
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for i, key := range keys {
		out[i] = l.beats.at[key].After(now)
	}
	return out
}

// living returns the keys that are there, with the time they have left.
func (l *local) living() map[string]time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, out := time.Now(), map[string]time.Duration{}
	for key, at := range l.beats.at {
		if left := at.Sub(now); left > 0 {
			out[key] = left
		}
	}
	return out
}

// take is the generic cell rate algorithm (ITU-T I.371 annex A): a key's turns are all back at one
// moment; each turn moves it on by window/limit, and it may lie at most one window ahead.
func (l *local) take(key string, limit int, window time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	at := l.turns.at[key]
	if at.Before(now) {
		at = now
	}
	at = at.Add(max(1, window/time.Duration(limit)))
	if at.Sub(now) > window {
		return false
	}
	if _, known := l.turns.at[key]; !known && len(l.turns.at) >= maxCounters {
		l.met.dropped.WithLabelValues("table full").Inc()
		return true
	}
	l.turns.put(key, at, now)
	return true
}

func (l *local) subscribe(ctx context.Context, topic string) <-chan []byte {
	s := &subscription{out: make(chan []byte, queued)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		close(s.out)
		return s.out
	}
	if l.topics[topic] == nil {
		l.topics[topic] = map[*subscription]struct{}{}
	}
	l.topics[topic][s] = struct{}{}
	s.stop = context.AfterFunc(ctx, func() { l.unsubscribe(topic, s) })
	return s.out
}

func (l *local) unsubscribe(topic string, s *subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.topics[topic][s]; !ok {
		return // the hub was closed
	}
	delete(l.topics[topic], s)
	if len(l.topics[topic]) == 0 {
		delete(l.topics, topic)
	}
	close(s.out)
}

func (l *local) publish(topic string, payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.topics[topic] {
		l.push(s, payload)
	}
}

// missed tells every reader that something may have passed by.
func (l *local) missed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, readers := range l.topics {
		for s := range readers {
			l.push(s, nil)
		}
	}
}

// push gives a reader a wake-up. One who is too slow gets a single nil in place of all that waits.
// It never blocks: only push sends, and only under the mutex.
func (l *local) push(s *subscription, payload []byte) {
	select {
	case s.out <- payload:
		return
	default:
	}
	for {
		select {
		case <-s.out:
			l.met.dropped.WithLabelValues("slow reader").Inc()
			continue
		default:
		}
		s.out <- nil
		return
	}
}

func (l *local) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for topic, readers := range l.topics {
		for s := range readers {
			s.stop()
			close(s.out)
		}
		delete(l.topics, topic)
	}
}
