package single

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jedel/internal/sos"
)

// thin is a gateway behind a line of 20 kbit/s and a second there and back that loses a part of all datagrams each way.
type thin struct {
	net.Conn // the gateway's end
	rnd      *rand.Rand
	loss     float64
	oneWay   time.Duration
	answer   func(f sos.Frame, asked int) []byte
	wg       sync.WaitGroup
	asked    []time.Time // run's, until it has ended

	mu   sync.Mutex   // guards free, and rnd
	free [2]time.Time // when the line is idle, up and down
}

const (
	kbit  = 20
	heads = 28 // of UDP and IPv4, bytes
)

// pass is how long a datagram of size bytes takes from now in one direction; false: it is lost. What is lost has used the line.
func (l *thin) pass(direction, size int) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.free[direction].Before(now) {
		l.free[direction] = now
	}
	l.free[direction] = l.free[direction].Add(time.Duration(8*(size+heads)) * time.Millisecond / kbit)
	return l.free[direction].Sub(now) + l.oneWay, l.rnd.Float64() >= l.loss
}

// run carries datagrams until the phone hangs up.
func (l *thin) run() {
	buf := make([]byte, sos.MaxFrame)
	for asked := 0; ; asked++ {
		n, err := l.Read(buf)
		if err != nil {
			return
		}
		l.asked = append(l.asked, time.Now())
		there, ok := l.pass(0, n)
		if !ok {
			continue
		}
		f, err := sos.Parse(bytes.Clone(buf[:n]))
		if err != nil {
			continue
		}
		l.wg.Go(func() {
			time.Sleep(there)
			b := l.answer(f, asked)
			if b == nil {
				return
			}
			back, ok := l.pass(1, len(b))
			if !ok {
				return
			}
			time.Sleep(back)
			_, _ = l.Write(b)
		})
	}
}

// phone is one behind l; key is nil where it speaks in the open.
func (l *thin) phone(key *sos.Key) *Phone {
	ours, theirs := net.Pipe()
	l.Conn = theirs
	l.wg.Go(l.run)
	return &Phone{conn: ours, from: [16]byte{1}, key: key}
}

// says lets one phone make one call and returns how long it took, and what it sent.
func says(t *testing.T, seed uint64, key *sos.Key) (took time.Duration, sent int) {
	synctest.Test(t, func(t *testing.T) {
		l := &thin{rnd: rand.New(rand.NewPCG(seed, 1)), loss: 0.1, oneWay: 500 * time.Millisecond}
		proof := [12]byte{7}
		l.answer = func(f sos.Frame, _ int) []byte {
			if f.Form == sos.Open && f.Nonce != proof {
				return sos.Challenge(f, proof)
			}
			time.Sleep(20 * time.Millisecond) // it is made durable
			return sos.Receipt{Status: sos.Registered, Number: "26-000001"}.Bytes(f, key, [12]byte{})
		}
		p := l.phone(key)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := p.Say(ctx, sos.Message{Kind: sos.Voice, Text: "help"})
		took, sent = time.Since(began), p.Sent
		if err == nil && r.Number != "26-000001" {
			t.Errorf("%+v", r)
		}
		_ = p.Close()
		l.wg.Wait()
	})
	return took, sent
}

// TestACallOverAThinLine is the goal of docs/PROTOCOL.md, "One datagram", in virtual time.
func TestACallOverAThinLine(t *testing.T) {
	const runs = 3000
	for name, key := range map[string]*sos.Key{"with a key": {1}, "without": nil} {
		var took []time.Duration
		var sent []int
		for seed := range uint64(runs) {
			d, n := says(t, seed, key)
			took, sent = append(took, d), append(sent, n)
		}
		slices.Sort(took)
		slices.Sort(sent)
		at := func(p float64) int { return int(p * runs) }
		t.Logf("%s: p50 %v, p95 %v, p99 %v, most %v; datagrams p50 %d, p95 %d, most %d", name,
			took[at(.5)], took[at(.95)], took[at(.99)], took[runs-1], sent[at(.5)], sent[at(.95)], sent[runs-1])
		if took[at(.99)] > 5*time.Second {
			t.Errorf("%s: one of a hundred calls takes %v", name, took[at(.99)])
		}
		if sent[at(.95)] > 10 {
			t.Errorf("%s: %d datagrams", name, sent[at(.95)])
		}
	}
}

func TestWhoIsAskedToComeLaterComesNoSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &thin{rnd: rand.New(rand.NewPCG(1, 1))}
		l.answer = func(f sos.Frame, asked int) []byte {
			if asked < 4 {
				return sos.Receipt{Status: sos.Wait}.Bytes(f, nil, [12]byte{})
			}
			return sos.Receipt{Status: sos.Registered}.Bytes(f, nil, [12]byte{})
		}
		p := l.phone(nil)
		if r, err := p.Say(t.Context(), sos.Message{Kind: sos.Voice}); err != nil || r.Status != sos.Registered {
			t.Fatal(r, err)
		}
		_ = p.Close()
		l.wg.Wait()
		if len(l.asked) < 5 {
			t.Fatal(l.asked)
		}
		for i := 1; i < len(l.asked); i++ {
			if got := l.asked[i].Sub(l.asked[i-1]); got < sos.Gap(i)-time.Millisecond {
				t.Errorf("copy %d came %v after the one before", i+1, got)
			}
		}
	})
}
