package notify

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jedel/internal/notice"
	"jedel/internal/outbox"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"
)

// world is citizens, carriers and a gateway that is killed now and then, in virtual time.
type world struct {
	t     *rapid.T
	disk  *disk
	p     outbox.Policy
	live  *memory
	stop  context.CancelFunc
	ended chan struct{}
	now   *Sender

	mu      sync.Mutex
	faults  []byte         // chance for what happens in goroutines
	handed  map[string]int // letters by their attempt
	taken   map[string]int // by message: how often a carrier took it
	reports []Told
}

// chance takes a byte; none left is a carrier that accepts and a store that works.
func (w *world) chance() byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) == 0 {
		return 0
	}
	b := w.faults[0]
	w.faults = w.faults[1:]
	return b
}

// fickle is a carrier that does what chance says.
type fickle struct{ w *world }

func (f fickle) Send(ctx context.Context, l Letter) outbox.Outcome {
	w := f.w
	message, _, _ := strings.Cut(l.ID, "-")
	w.mu.Lock()
	w.handed[l.ID]++
	n := w.handed[l.ID]
	w.mu.Unlock()
	if n > 1 {
		w.t.Errorf("attempt %s was sent %d times", l.ID, n)
	}
	b := w.chance()
	select {
	case <-time.After(time.Duration(b) * 300 * time.Millisecond):
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch b % 8 {
	case 1:
		return outbox.Refused{Reason: "bad"}
	case 2:
		return outbox.Later{Reason: "busy"}
	case 3:
		return outbox.Unknown{Reason: "lost"}
	case 4:
		panic("a bug")
	case 5:
		return nil
	}
	w.taken[message]++
	id := "x" + l.ID
	if b&16 != 0 {
		w.reports = append(w.reports, Told{id, outbox.Delivered})
	} else if b&32 != 0 {
		w.reports = append(w.reports, Told{id, outbox.Failed})
	}
	return outbox.Accepted{ID: id}
}

// start begins a life of the gateway.
func (w *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	w.live, w.stop, w.ended = &memory{disk: w.disk, fault: w.fault}, cancel, make(chan struct{})
	w.now = New(Config{
		Policy: w.p, Zone: time.UTC, Channels: []outbox.Channel{outbox.SMS}, Carriers: map[outbox.Channel]Carrier{outbox.SMS: fickle{w}}, Prefixes: []string{"+7"},
		Texts: notice.Default(), MaxParts: 3, Store: w.live, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Reg: prometheus.NewRegistry(),
	})
	go func(s *Sender, ended chan struct{}) {
		s.Run(ctx)
		close(ended)
	}(w.now, w.ended)
}

func (w *world) fault(what string) (lost, unanswered bool) {
	if what != "append" {
		return false, false
	}
	b := w.chance()
	return b == 250, b == 251
}

// kill ends the life as kill -9 does: from now on nothing it does reaches the disk.
func (w *world) kill() {
	w.live.kill()
	w.stop()
	<-w.ended
}

// report tells the gateway what carriers say later.
func (w *world) report() {
	w.mu.Lock()
	list := w.reports
	w.reports = nil
	w.mu.Unlock()
	for _, r := range list {
		for try := 0; ; try++ { // a carrier tells again what was not acknowledged
			if err := w.now.told(context.Background(), outbox.SMS, r); err == nil {
				break
			} else if try > 50 {
				w.t.Fatalf("report: %v", err)
			}
			time.Sleep(time.Second)
		}
	}
}

// TestEveryMessageEndsAndNoAttemptIsSentTwice lives random days with a gateway that is killed, a store that
// fails and carriers that do anything.
func TestEveryMessageEndsAndNoAttemptIsSentTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var failed any
		synctest.Test(t, func(*testing.T) {
			defer func() { failed = recover() }() // rapid's way to stop is a panic, and it is not in this goroutine
			live(r)
		})
		if failed != nil {
			panic(failed)
		}
	})
}

// live is one world from its first message to its last.
func live(t *rapid.T) {
	minutes := func(low, high int, what string) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, what)) * time.Minute
	}
	w := &world{
		t: t, disk: newDisk(), handed: map[string]int{}, taken: map[string]int{}, faults: rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "faults"),
		p: outbox.Policy{
			Attempts: rapid.IntRange(1, 4).Draw(t, "attempts"), First: minutes(1, 5, "first"), Longest: minutes(5, 60, "longest"), Life: minutes(60, 3000, "life"), AnswerTime: time.Minute,
			DoubtTime: minutes(0, 20, "doubt"), Repeats: rapid.IntRange(0, 2).Draw(t, "repeats"), Reports: map[outbox.Channel]time.Duration{outbox.SMS: minutes(0, 90, "reports")},
		},
	}
	w.start()
	defer func() { w.kill() }()
	n := 0
	for range rapid.IntRange(1, 25).Draw(t, "steps") {
		switch rapid.IntRange(0, 5).Draw(t, "step") {
		case 0, 1:
			m := Message{Case: fmt.Sprint("case", n%3), Version: uint64(n / 2), Kind: notice.Closed, To: Citizen{Phone: "+7701555121" + fmt.Sprint(n%3)}, Args: notice.Args{Number: "26-1", Text: "x"}}
			if _, err := w.now.Enqueue(context.Background(), m); err != nil {
				t.Fatal(err)
			}
			n++
		case 2:
			w.kill()
			w.start()
		case 3:
			w.report()
		default:
			time.Sleep(time.Duration(rapid.IntRange(0, 900).Draw(t, "seconds")) * time.Second)
		}
	}
	for range 400 { // four days
		time.Sleep(15 * time.Minute)
		w.report()
	}
	w.check()
}

func (w *world) check() {
	for id, m := range w.disk.messages {
		if !m.Ended {
			w.t.Fatalf("%s has not ended: %+v, due %v at %v\n%s", id, m.MessageState, m.Due, time.Now(), m.Records)
		}
		if m.Phone != "" || strings.Contains(string(m.Body), "text") {
			w.t.Fatalf("the phone or the words are not forgotten: %q %s", m.Phone, m.Body)
		}
		p, err := open(w.p, *m)
		if err != nil {
			w.t.Fatal(err)
		}
		doubts := 0
		for _, a := range p.rules.Attempts {
			if _, unknown := a.Outcome.(outbox.Unknown); unknown || a.Outcome == nil {
				doubts++
			}
		}
		if doubts > w.p.Repeats+1 {
			w.t.Fatalf("%s may have arrived %d times, %d repeats are allowed", id, doubts, w.p.Repeats)
		}
		if most := max(w.p.Attempts, 1); len(p.rules.Attempts) > most {
			w.t.Fatalf("%s: %d attempts of %d", id, len(p.rules.Attempts), most)
		}
		if w.taken[id] > w.p.Repeats+1 {
			w.t.Fatalf("%s was taken %d times, %d repeats are allowed", id, w.taken[id], w.p.Repeats)
		}
		if m.Stage == StageDelivered != delivered(p.rules) {
			w.t.Fatalf("%s is %s: %s", id, m.Stage, m.Records)
		}
	}
}

func delivered(m outbox.Message) bool {
	for _, a := range m.Attempts {
		if a.Report == outbox.Delivered {
			return true
		}
	}
	return false
}
