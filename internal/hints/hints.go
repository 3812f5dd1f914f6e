// Package hints shares what nodes would like to know of each other and can do without: who is
// there, that there is something to look at, how often somebody has asked. It works in process,
// and over Redis for many nodes. Nothing here is the truth, which is in the store: without Redis
// every answer comes from this node alone, at once, and nobody gets an error.
package hints

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// CallTime bounds what any method here can take. Longer would let a sick Redis be felt in calls,
// shorter would give up a healthy one over a slow moment.
const CallTime = 200 * time.Millisecond

// MaxPayload is the longest payload of a wake-up in bytes.
const MaxPayload = 4096

// Hub is this node's part. It is safe for concurrent use. Keys and topics go to Redis as they are:
// they must not hold personal data.
type Hub struct {
	local  *local
	remote *remote // nil in process
	met    metrics
	stop   context.CancelFunc
	end    func() error // once
}

// Open makes a hub: in process for an empty url, else on "redis://..." or "rediss://...". Only an
// address that is none is an error: a Redis that does not answer may come later.
func Open(ctx context.Context, url string, reg prometheus.Registerer, log *slog.Logger) (*Hub, error) {
	h := &Hub{met: newMetrics(reg), stop: func() {}}
	h.local = newLocal(h.met)
	h.end = sync.OnceValue(h.close)
	if url == "" {
		h.met.up.Set(1)
		return h, nil
	}
	r, err := dial(url, h.local, h.met, log)
	if err != nil {
		return nil, err
	}
	h.remote = r
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx)) // until Close, however long opening was allowed to take
	r.startListener(ctx)
	return h, nil
}

// Close ends all subscriptions and the connection. It may be called twice.
func (h *Hub) Close() error { return h.end() }

func (h *Hub) close() error {
	h.stop()
	var err error
	if h.remote != nil {
		err = h.remote.close()
	}
	h.local.close()
	return err
}

// Beat says that key is there for the next ttl.
func (h *Hub) Beat(ctx context.Context, key string, ttl time.Duration) {
	h.local.beat(key, ttl)
	h.ask(ctx, "beat", func(ctx context.Context) error { return h.remote.beat(ctx, key, ttl) })
}

// Alive tells for each key whether its last beat still counts. Where sure is false, the others
// could not be asked, or have not had the time to say again what a Redis that came back empty has
// forgotten: true is true, but false means that nobody knows.
func (h *Hub) Alive(ctx context.Context, keys ...string) (alive []bool, sure bool) {
	alive = h.local.alive(keys)
	if h.remote == nil || len(keys) == 0 {
		return alive, true
	}
	var theirs []bool
	asked := h.ask(ctx, "alive", func(ctx context.Context) (err error) {
		theirs, err = h.remote.alive(ctx, keys)
		return err
	})
	for i := range theirs {
		alive[i] = alive[i] || theirs[i]
	}
	return alive, asked && h.remote.settled()
}

// Publish wakes who has subscribed to topic, on this node and the others. A payload longer than
// MaxPayload arrives as nil.
func (h *Hub) Publish(ctx context.Context, topic string, payload []byte) {
	if len(payload) > MaxPayload {
		payload = nil
	}
	h.local.publish(topic, payload)
	h.ask(ctx, "publish", func(ctx context.Context) error { return h.remote.publish(ctx, topic, payload) })
}

// Subscribe returns the wake-ups of topic until ctx ends or the hub is closed; then the channel is
// closed. A nil payload means that something may have been missed, because the reader was too slow
// or Redis was away: look for yourself.
func (h *Hub) Subscribe(ctx context.Context, topic string) <-chan []byte {
	return h.local.subscribe(ctx, topic)
}

// Take uses one of the limit turns that key has per window and reports whether there was one. The
// turns come back one by one over the window, so that no moment allows two windows' worth. A limit
// below 1 allows nothing. Without Redis each node counts for itself.
func (h *Hub) Take(ctx context.Context, key string, limit int, window time.Duration) bool {
	if limit < 1 || window <= 0 {
		return false
	}
	mine := h.local.take(key, limit, window) // counted here too: what we go on with if Redis goes
	all := mine
	if h.ask(ctx, "take", func(ctx context.Context) (err error) {
		all, err = h.remote.take(ctx, key, limit, window)
		return err
	}) {
		return all
	}
	return mine
}

// ask asks Redis while it answers, and reports whether it did.
func (h *Hub) ask(ctx context.Context, what string, fn func(context.Context) error) bool {
	if h.remote == nil {
		return false
	}
	if h.remote.up.Load() {
		inner, cancel := context.WithTimeout(ctx, CallTime)
		defer cancel()
		err := fn(inner)
		if err == nil {
			return true
		}
		if ctx.Err() == nil { // else the caller gave up, which says nothing of Redis
			h.remote.fail(err)
		}
	}
	h.met.alone.WithLabelValues(what).Inc()
	return false
}

// withoutSecret takes the address, and with it a password, out of what net/url says of it.
func withoutSecret(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return fmt.Errorf("hints.url: %w", err)
}
