package hints

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	prefixBeat = "jedel:beat:"
	prefixTurn = "jedel:turn:"
	prefixWake = "jedel:wake:"
	probe      = "jedel:probe" // written to find out whether Redis takes anything

	// quiet is how long the listener hears nothing before it asks whether Redis is there.
	quiet = time.Second
	// retry is the mean pause between attempts to come back. Longer keeps nodes apart for longer,
	// shorter loads a Redis that is just starting.
	retry = 500 * time.Millisecond
	// settleTime is how long after its return Redis may lack what other nodes have yet to say
	// again: a few retries of theirs.
	settleTime = 4 * retry
	// returnTime is how long saying everything again may take; nobody waits for it.
	returnTime = 2 * time.Second
	// connections of a node. Each is held for one round trip.
	connections = 8
	originLen   = 26
)

// turnScript is local.take in Redis, on Redis's own clock. A moment that lies further ahead than
// it can comes from a clock that was turned back, and counts for nothing.
const turnScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local step, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = tonumber(redis.call('GET', KEYS[1]) or now)
if not at or not (at >= now and at - now <= window) then at = now end
at = at + step
if at - now > window then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000))
return 1`

// remote is what all nodes share.
type remote struct {
	// Set at creation.
	rdb    *redis.Client
	turns  *redis.Script
	origin string // marks our own wake-ups, which are delivered already
	local  *local
	met    metrics
	log    *slog.Logger
	join   sync.WaitGroup

	up    atomic.Bool               // whether questions are put to Redis; only the listener sets it
	since atomic.Pointer[time.Time] // when it was last taken into use; nil before
}

func dial(address string, l *local, met metrics, log *slog.Logger) (*remote, error) {
	opt, err := redis.ParseURL(address)
	if err != nil {
		return nil, withoutSecret(err)
	}
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout, opt.PoolTimeout = CallTime, CallTime, CallTime, CallTime
	opt.ContextTimeoutEnabled = true
	opt.MaxRetries, opt.DialerRetries = -1, 1 // this node's own answer is better than a late one
	opt.PoolSize = connections
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	logging.Disable() // the library tells each failed attempt; we tell each change
	return &remote{
		rdb: redis.NewClient(opt), turns: redis.NewScript(turnScript), origin: rand.Text()[:originLen], local: l, met: met, log: log,
	}, nil
}

func (r *remote) beat(ctx context.Context, key string, ttl time.Duration) error {
	return r.rdb.Set(ctx, prefixBeat+key, "", max(ttl, time.Millisecond)).Err()
}

func (r *remote) alive(ctx context.Context, keys []string) ([]bool, error) {
	asked := make([]*redis.IntCmd, len(keys))
	_, err := r.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			asked[i] = p.Exists(ctx, prefixBeat+key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(keys))
	for i, cmd := range asked {
		out[i] = cmd.Val() == 1
	}
	return out, nil
}

func (r *remote) publish(ctx context.Context, topic string, payload []byte) error {
	return r.rdb.Publish(ctx, prefixWake+topic, r.origin+string(payload)).Err()
}

func (r *remote) take(ctx context.Context, key string, limit int, window time.Duration) (bool, error) {
	step := max(1, window.Microseconds()/int64(limit))
	n, err := r.turns.Run(ctx, r.rdb, []string{prefixTurn + key}, step, max(1, window.Microseconds())).Int()
	return n == 1, err
}

// settled reports whether all nodes have had the time to repeat what is so.
func (r *remote) settled() bool {
	at := r.since.Load()
	return at != nil && time.Since(*at) > settleTime
}

// fail takes Redis out of use; the listener finds out when it is back.
func (r *remote) fail(err error) {
	if r.up.CompareAndSwap(true, false) {
		r.met.up.Set(0)
		r.log.Warn("redis does not answer: this node goes on alone", "err", err)
	}
}

// startListener starts the goroutine that hears the wake-ups of other nodes and finds out whether
// Redis is there. close joins it.
func (r *remote) startListener(ctx context.Context) {
	r.join.Go(func() {
		for ctx.Err() == nil {
			err := r.listen(ctx)
			if ctx.Err() == nil {
				r.fail(err)
			}
			pause := time.NewTimer(retry/2 + mrand.N(retry))
			select {
			case <-ctx.Done():
			case <-pause.C:
			}
			pause.Stop()
		}
	})
}

func (r *remote) close() error {
	r.join.Wait()
	r.up.Store(false)
	return r.rdb.Close()
}

// listen hears one connection's wake-ups until it breaks.
func (r *remote) listen(ctx context.Context) error {
	ps := r.rdb.PSubscribe(ctx, prefixWake+"*")
	defer context.AfterFunc(ctx, func() { _ = ps.Close() })() // ends a read that waits
	defer ps.Close()
	pinged, tried := false, time.Time{}
	for {
		wait := quiet
		if pinged {
			wait = CallTime
		}
		msg, err := ps.ReceiveTimeout(ctx, wait)
		var ne net.Error
		switch {
		case err == nil:
			pinged = false
		case errors.As(err, &ne) && ne.Timeout() && !pinged && ctx.Err() == nil:
			if err := ps.Ping(ctx); err != nil {
				return fmt.Errorf("ping: %w", err)
			}
			pinged = true
			continue
		default:
			return fmt.Errorf("listen: %w", err)
		}
		if m, ok := msg.(*redis.Message); ok {
			r.hear(m)
		}
		if !r.up.Load() && time.Since(tried) > retry { // it speaks: perhaps it also listens
			tried = time.Now()
			r.comeBack(ctx)
		}
	}
}

// hear passes on what another node published.
func (r *remote) hear(m *redis.Message) {
	topic, ok := strings.CutPrefix(m.Channel, prefixWake)
	if !ok || len(m.Payload) < originLen || len(m.Payload) > originLen+MaxPayload {
		r.met.dropped.WithLabelValues("foreign").Inc()
		return
	}
	if m.Payload[:originLen] == r.origin {
		return
	}
	payload := []byte(m.Payload[originLen:])
	if len(payload) == 0 {
		payload = nil
	}
	r.local.publish(topic, payload)
}

// comeBack says again what this node knows, which a Redis that was restarted has forgotten, and
// puts it to use where it takes that.
func (r *remote) comeBack(ctx context.Context) {
	inner, cancel := context.WithTimeout(ctx, returnTime)
	defer cancel()
	_, err := r.rdb.Pipelined(inner, func(p redis.Pipeliner) error {
		p.Set(inner, probe, "", time.Second)
		for key, left := range r.local.living() {
			p.Set(inner, prefixBeat+key, "", max(left, time.Millisecond))
		}
		return nil
	})
	if err != nil {
		return
	}
	now := time.Now()
	r.since.Store(&now)
	r.up.Store(true)
	r.met.up.Set(1)
	r.local.missed()
	r.log.Info("redis answers: hints are shared")
}
