package hints

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"jedel/internal/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is how long a test waits for what should happen within milliseconds.
const soon = 20 * time.Second

func open(t testing.TB, url string) *Hub {
	t.Helper()
	h, err := Open(context.Background(), url, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if h.remote != nil {
		simtest.Eventually(t, soon, "Redis in use", h.remote.up.Load)
	}
	return h
}

// forEachPair runs the same test for both forms: two users of one process, two nodes of one Redis.
func forEachPair(t *testing.T, test func(t *testing.T, a, b *Hub)) {
	t.Run("in process", func(t *testing.T) {
		h := open(t, "")
		test(t, h, h)
	})
	if testing.Short() {
		return // the short run has no servers
	}
	t.Run("Redis", func(t *testing.T) {
		r := simtest.NewRedis(t)
		test(t, open(t, r.URL()), open(t, r.URL()))
	})
}

// heard waits for the next wake-up that is not nil.
func heard(t *testing.T, c <-chan []byte) string {
	t.Helper()
	late := time.After(soon)
	for {
		select {
		case p, ok := <-c:
			if !ok {
				t.Fatal("the subscription ended")
			}
			if p != nil {
				return string(p)
			}
		case <-late:
			t.Fatal("no wake-up")
		}
	}
}

func is(h *Hub, key string) bool {
	alive, _ := h.Alive(context.Background(), key)
	return alive[0]
}

func TestPresenceLastsItsTime(t *testing.T) {
	forEachPair(t, func(t *testing.T, a, b *Hub) {
		a.Beat(t.Context(), "long", time.Hour)
		a.Beat(t.Context(), "short", 50*time.Millisecond)
		b.Beat(t.Context(), "theirs", time.Hour)
		alive, _ := b.Alive(t.Context(), "long", "none", "theirs")
		if fmt.Sprint(alive) != "[true false true]" {
			t.Errorf("%v", alive)
		}
		simtest.Eventually(t, soon, "the end of a beat", func() bool { return !is(a, "short") && !is(b, "short") })
		simtest.Eventually(t, soon, "a sure answer", func() bool {
			alive, sure := b.Alive(t.Context(), "short", "long")
			return sure && !alive[0] && alive[1]
		})
		if alive, _ := a.Alive(t.Context()); len(alive) != 0 {
			t.Errorf("nothing asked: %v", alive)
		}
	})
}

func TestWakeUpReachesEveryReaderOfItsTopicOnce(t *testing.T) {
	forEachPair(t, func(t *testing.T, a, b *Hub) {
		one, two := a.Subscribe(t.Context(), "queue"), b.Subscribe(t.Context(), "queue")
		other := b.Subscribe(t.Context(), "other")
		for i := range 5 {
			a.Publish(t.Context(), "queue", []byte(fmt.Sprint("x", i)))
		}
		b.Publish(t.Context(), "other", []byte("end"))
		a.Publish(t.Context(), "queue", []byte("end"))
		for name, c := range map[string]<-chan []byte{"one": one, "two": two} {
			for i := range 5 {
				if got := heard(t, c); got != fmt.Sprint("x", i) {
					t.Errorf("%s heard %q as number %d", name, got, i)
				}
			}
			if got := heard(t, c); got != "end" {
				t.Errorf("%s heard %q more", name, got)
			}
		}
		if got := heard(t, other); got != "end" {
			t.Errorf("the other topic heard %q", got)
		}
	})
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	forEachPair(t, func(t *testing.T, a, _ *Hub) {
		ctx, cancel := context.WithCancel(t.Context())
		c, stays := a.Subscribe(ctx, "x"), a.Subscribe(t.Context(), "x")
		cancel()
		simtest.Eventually(t, soon, "the end of the subscription", func() bool {
			select {
			case _, ok := <-c:
				return !ok
			default:
				return false
			}
		})
		a.Publish(t.Context(), "x", []byte("on"))
		if heard(t, stays) != "on" {
			t.Error("the other subscription ended too")
		}
	})
}

func TestSlowReaderHoldsNobodyUpAndIsTold(t *testing.T) {
	forEachPair(t, func(t *testing.T, a, b *Hub) {
		slow := b.Subscribe(t.Context(), "x")
		quick := b.Subscribe(t.Context(), "last")
		for range 10 * queued {
			a.Publish(t.Context(), "x", []byte("p"))
		}
		a.Publish(t.Context(), "last", []byte("p"))
		heard(t, quick) // by now all of them have arrived
		sawNil := false
		for len(slow) > 0 {
			sawNil = <-slow == nil || sawNil
		}
		if !sawNil {
			t.Error("the reader was not told that it missed something")
		}
	})
}

func TestLongPayloadBecomesALook(t *testing.T) {
	forEachPair(t, func(t *testing.T, a, b *Hub) {
		c := b.Subscribe(t.Context(), "x")
		a.Publish(t.Context(), "x", bytes.Repeat([]byte{'x'}, MaxPayload))
		if got := heard(t, c); len(got) != MaxPayload {
			t.Errorf("%d bytes", len(got))
		}
		for len(c) > 0 {
			<-c
		}
		a.Publish(t.Context(), "x", bytes.Repeat([]byte{'x'}, MaxPayload+1))
		select {
		case p := <-c:
			if p != nil {
				t.Errorf("%d bytes", len(p))
			}
		case <-time.After(soon):
			t.Error("no wake-up")
		}
	})
}

func TestTurnsAreSharedAndComeBack(t *testing.T) {
	forEachPair(t, func(t *testing.T, a, b *Hub) {
		var got atomic.Int32
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				if []*Hub{a, b}[i%2].Take(t.Context(), "k", 10, time.Hour) {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		if got.Load() != 10 {
			t.Errorf("%d turns of 10", got.Load())
		}
		if !a.Take(t.Context(), "other", 1, time.Hour) || b.Take(t.Context(), "other", 1, time.Hour) {
			t.Error("another key has turns of its own")
		}
		if a.Take(t.Context(), "x", 0, time.Hour) || a.Take(t.Context(), "x", 1, 0) {
			t.Error("nothing was allowed, something taken")
		}
		for range 3 {
			a.Take(t.Context(), "quick", 3, 300*time.Millisecond)
		}
		simtest.Eventually(t, soon, "a turn that comes back", func() bool { return b.Take(t.Context(), "quick", 3, 300*time.Millisecond) })
	})
}

func TestClosedHubAnswersAndWakesNobody(t *testing.T) {
	forEachPair(t, func(t *testing.T, a, b *Hub) {
		c := a.Subscribe(t.Context(), "x")
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		for range c { // ends
		}
		if _, ok := <-a.Subscribe(t.Context(), "x"); ok {
			t.Error("a closed hub wakes")
		}
		a.Beat(t.Context(), "k", time.Hour)
		a.Publish(t.Context(), "x", nil)
		if !is(a, "k") {
			t.Error("a closed hub forgot")
		}
	})
}

func TestAddressesAreCheckedAndKeptSecret(t *testing.T) {
	for _, url := range []string{"http://u:s3cret@x", "redis://u:s3cret@x:bad/0", "redis://u:s3cret@x/notanumber", "x", "redis://u:s3cret@%zz"} {
		_, err := Open(t.Context(), url, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
