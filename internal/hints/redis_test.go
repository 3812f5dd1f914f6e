package hints

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"jedel/internal/simtest"
)

// value reads a gauge or a counter.
func value(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var d dto.Metric
	if err := m.Write(&d); err != nil {
		t.Fatal(err)
	}
	return d.GetGauge().GetValue() + d.GetCounter().GetValue()
}

// slack is what a busy test machine may add to a bound.
const slack = 300 * time.Millisecond

// needServers reports whether this run has real servers.
func needServers(t *testing.T) bool {
	if testing.Short() {
		t.Log("short: real servers are left to the full run")
	}
	return !testing.Short()
}

// each runs every method once and returns the longest that one took.
func each(t *testing.T, h *Hub) (longest time.Duration) {
	t.Helper()
	for name, fn := range map[string]func(){
		"beat":    func() { h.Beat(t.Context(), "mine", time.Hour) },
		"alive":   func() { h.Alive(t.Context(), "mine", "theirs") },
		"publish": func() { h.Publish(t.Context(), "x", []byte("p")) },
		"take":    func() { h.Take(t.Context(), "k", 1<<30, time.Hour) },
	} {
		begin := time.Now()
		fn()
		took := time.Since(begin)
		longest = max(longest, took)
		if took > CallTime+slack {
			t.Errorf("%s took %s", name, took)
		}
	}
	return longest
}

// Redis goes and comes back: this node answers alone at once, and shares again by itself.
func TestLostRedisIsNeitherFeltNorMissed(t *testing.T) {
	if !needServers(t) {
		return
	}
	for name, lose := range map[string]func(*testing.T, *simtest.Redis) (back func()){
		"stopped": func(t *testing.T, r *simtest.Redis) func() { r.Stop(t); return func() { r.Start(t) } },
		"frozen":  func(t *testing.T, r *simtest.Redis) func() { return r.Freeze(t) },
	} {
		t.Run(name, func(t *testing.T) {
			r := simtest.NewRedis(t)
			a, b := open(t, r.URL()), open(t, r.URL())
			a.Beat(t.Context(), "mine", time.Hour)
			b.Beat(t.Context(), "theirs", time.Hour)
			simtest.Eventually(t, soon, "presence of the other node", func() bool { return is(a, "theirs") })
			wake := b.Subscribe(t.Context(), "x")
			for len(wake) > 0 {
				<-wake
			}

			back := lose(t, r)
			var wg sync.WaitGroup
			var worst [16]time.Duration
			for i := range worst { // many at the very moment
				wg.Go(func() { worst[i] = each(t, a) })
			}
			wg.Wait()
			simtest.Eventually(t, soon, "Redis given up", func() bool { return !a.remote.up.Load() && !b.remote.up.Load() })
			alone := each(t, a)
			if alone > 50*time.Millisecond {
				t.Errorf("an answer took %s though Redis was given up", alone)
			}
			t.Logf("longest answer at the moment of loss %s, afterwards %s", slices.Max(worst[:]), alone)
			alive, sure := a.Alive(t.Context(), "mine", "theirs")
			if !alive[0] || alive[1] || sure {
				t.Errorf("alone: %v, sure %v", alive, sure)
			}
			a.Subscribe(t.Context(), "own") // subscribing while it is away works too
			own := a.Subscribe(t.Context(), "own")
			a.Publish(t.Context(), "own", []byte("here"))
			if heard(t, own) != "here" {
				t.Error("a wake-up on this node did not arrive")
			}
			if !a.Take(t.Context(), "one", 1, time.Hour) || a.Take(t.Context(), "one", 1, time.Hour) {
				t.Error("turns are not counted alone")
			}

			back()
			began := time.Now()
			simtest.Eventually(t, soon, "Redis back in use", func() bool { return a.remote.up.Load() && b.remote.up.Load() })
			t.Logf("in use %s after it was back", time.Since(began).Round(time.Millisecond))
			// Nobody has to beat again: each node has said what it knew, before it counted as sure.
			simtest.Eventually(t, soon, "a sure answer", func() bool {
				alive, sure := a.Alive(t.Context(), "mine", "theirs", "none")
				if sure && (!alive[0] || !alive[1] || alive[2]) {
					t.Fatalf("sure of %v", alive)
				}
				return sure
			})
			select {
			case p := <-wake:
				if p != nil {
					t.Errorf("heard %q", p)
				}
			case <-time.After(soon):
				t.Error("the reader was not told to look for itself")
			}
			a.Publish(t.Context(), "x", []byte("again"))
			for got := ""; got != "again"; {
				got = heard(t, wake) // a frozen Redis first tells what was said before
			}
		})
	}
}

// A node may start before its Redis.
func TestRedisMayComeLater(t *testing.T) {
	if !needServers(t) {
		return
	}
	r := simtest.NewRedis(t)
	r.Stop(t)
	var out lockedBuffer
	reg := prometheus.NewRegistry()
	h, err := Open(t.Context(), r.URL(), reg, slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	each(t, h)
	if up := value(t, h.met.up); up != 0 {
		t.Errorf("up is %v", up)
	}
	r.Start(t)
	simtest.Eventually(t, soon, "Redis in use", h.remote.up.Load)
	if up, alone := value(t, h.met.up), value(t, h.met.alone.WithLabelValues("take")); up != 1 || alone != 1 {
		t.Errorf("up is %v, %v lonely answers", up, alone)
	}
	r.Stop(t)
	simtest.Eventually(t, soon, "the loss", func() bool { return !h.remote.up.Load() })
	for range 20 {
		each(t, h)
	}
	if n := strings.Count(out.String(), "goes on alone"); n != 1 {
		t.Errorf("one loss was told %d times:\n%s", n, out.String())
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A Redis that takes no writes is no use, though it answers.
func TestRedisThatRefusesIsGivenUp(t *testing.T) {
	if !needServers(t) {
		return
	}
	r := simtest.NewRedis(t)
	h := open(t, r.URL())
	ctx := t.Context()
	full := func(limit string) {
		if err := h.remote.rdb.ConfigSet(ctx, "maxmemory", limit).Err(); err != nil {
			t.Fatal(err)
		}
	}
	full("1")
	if !h.Take(ctx, "k", 1, time.Hour) || h.Take(ctx, "k", 1, time.Hour) {
		t.Error("turns are not counted alone")
	}
	simtest.Eventually(t, soon, "Redis given up", func() bool { h.Beat(ctx, "x", time.Hour); return !h.remote.up.Load() })
	full("0")
	simtest.Eventually(t, soon, "Redis back in use", h.remote.up.Load)
	if n, err := h.remote.rdb.Exists(ctx, prefixBeat+"x").Result(); err != nil || n != 1 {
		t.Errorf("the beat that was refused has not been said again: %d, %v", n, err)
	}
}

// Somebody else writes into our Redis.
func TestForeignMessagesAndCountersAreSurvived(t *testing.T) {
	if !needServers(t) {
		return
	}
	r := simtest.NewRedis(t)
	a, b := open(t, r.URL()), open(t, r.URL())
	ctx := t.Context()
	c := b.Subscribe(ctx, "x")
	for _, payload := range []string{"", "short", strings.Repeat("x", originLen+MaxPayload+1), strings.Repeat("\xff", 1<<20)} {
		if err := a.remote.rdb.Publish(ctx, prefixWake+"x", payload).Err(); err != nil {
			t.Fatal(err)
		}
	}
	a.Publish(ctx, "x", []byte("ours"))
	if got := heard(t, c); got != "ours" {
		t.Errorf("heard %q", got)
	}
	if n := value(t, b.met.dropped.WithLabelValues("foreign")); n != 4 {
		t.Errorf("%v foreign messages counted", n)
	}
	for _, value := range []string{"nonsense", "-1", "99999999999999999999", "nan", ""} {
		if err := a.remote.rdb.Set(ctx, prefixTurn+"k", value, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if !a.Take(ctx, "k", 1, time.Hour) || b.Take(ctx, "k", 1, time.Hour) {
			t.Errorf("a counter of %q", value)
		}
		a.local.turns, b.local.turns = table{}, table{}
	}
	// A key of another kind is an error of Redis; it costs an answer of our own, no more.
	if err := a.remote.rdb.LPush(ctx, prefixTurn+"list", "x").Err(); err != nil {
		t.Fatal(err)
	}
	if !a.Take(ctx, "list", 1, time.Hour) {
		t.Error("refused over a foreign key")
	}
}

func TestCallerWhoGivesUpDoesNotCondemnRedis(t *testing.T) {
	if !needServers(t) {
		return
	}
	h := open(t, simtest.NewRedis(t).URL())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 10 {
		h.Beat(ctx, fmt.Sprint(i), time.Hour)
		h.Take(ctx, "k", 1, time.Hour)
	}
	if !h.remote.up.Load() {
		t.Error("Redis was given up")
	}
}
