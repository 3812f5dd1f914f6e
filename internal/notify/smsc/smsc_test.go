package smsc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"
	"jedel/internal/smpp"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bound = 10 * time.Second

// centre is a message centre in this process. What it does to a message is the test's.
type centre struct {
	t   *testing.T
	l   net.Listener
	wg  sync.WaitGroup
	ids atomic.Int64

	onSubmit func(c *peer, p smpp.PDU, s smpp.Short) // nil: accepted

	mu      sync.Mutex // guards the rest
	binds   []smpp.Bind
	shorts  []smpp.Short
	answers map[uint32]smpp.Status // to what the centre sent, by its number
	enquiry int
	unbound int
	refuse  smpp.Status // of binds
	mute    bool        // answers to nothing but binds
	peers   []*peer
}

type peer struct {
	c    *centre
	conn net.Conn
	mu   sync.Mutex
}

func (p *peer) send(pdu smpp.PDU) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.conn.Write(pdu.Bytes())
}

func startCentre(t *testing.T) *centre {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &centre{t: t, l: l, answers: map[uint32]smpp.Status{}}
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p := &peer{c: c, conn: conn}
			c.mu.Lock()
			c.peers = append(c.peers, p)
			c.mu.Unlock()
			c.wg.Go(func() { p.serve() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.cut()
		c.wg.Wait()
	})
	return c
}

// cut ends every connection.
func (c *centre) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.peers {
		_ = p.conn.Close()
	}
}

func (p *peer) serve() {
	defer p.conn.Close()
	for {
		in, err := smpp.Read(p.conn)
		if err != nil {
			return
		}
		p.take(in)
	}
}

func (p *peer) take(in smpp.PDU) {
	c := p.c
	answer := smpp.PDU{Command: in.Command | smpp.Answer, Seq: in.Seq}
	c.mu.Lock()
	mute := c.mute
	switch in.Command {
	case smpp.BindTransceiver:
		b, err := smpp.ParseBind(in.Body)
		if err != nil {
			c.t.Error(err)
		}
		c.binds = append(c.binds, b)
		answer.Status, answer.Body, mute = c.refuse, smpp.Name("centre"), false
	case smpp.EnquireLink:
		c.enquiry++
	case smpp.Unbind:
		c.unbound++
	case smpp.DeliverSM | smpp.Answer:
		c.answers[in.Seq], mute = in.Status, true
	case smpp.SubmitSM:
		s, err := smpp.ParseShort(in.Body)
		if err != nil {
			c.t.Error(err)
		}
		c.shorts = append(c.shorts, s)
		c.mu.Unlock()
		if c.onSubmit != nil {
			c.onSubmit(p, in, s)
		} else if !mute {
			p.accept(in)
		}
		return
	}
	c.mu.Unlock()
	if !mute {
		p.send(answer)
	}
}

// accept answers with an identifier, which counts from 1 in hexadecimal.
func (p *peer) accept(in smpp.PDU) {
	p.send(smpp.PDU{Command: smpp.SubmitSM | smpp.Answer, Seq: in.Seq, Body: smpp.Name(strconv.FormatInt(p.c.ids.Add(1)+9, 16))})
}

func (p *peer) status(in smpp.PDU, s smpp.Status) {
	p.send(smpp.PDU{Command: smpp.SubmitSM | smpp.Answer, Seq: in.Seq, Status: s})
}

func (c *centre) peek(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

func (c *centre) config() Config {
	return Config{
		Addr: c.l.Addr().String(), SystemID: "jedel", Password: "secret", Sender: "Police102", AnswerTime: time.Second, Enquire: time.Minute, Retry: 20 * time.Millisecond,
	}
}

// life is a link that runs.
type life struct {
	*Link
	told chan notify.Told
	fail atomic.Bool // reports cannot be kept
}

func run(t *testing.T, cfg Config) *life {
	t.Helper()
	l := &life{Link: New(cfg, slog.New(slog.NewTextHandler(io.Discard, nil))), told: make(chan notify.Told, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- l.Run(ctx, func(_ context.Context, r notify.Told) error {
			if l.fail.Load() {
				return errors.New("the store is away")
			}
			l.told <- r
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(bound); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal(what)
		}
	}
}

func letter(text string) notify.Letter {
	return notify.Letter{ID: "m1-1", Phone: "+77015551212", Text: text, Until: time.Now().Add(25*time.Hour + 30*time.Minute)}
}

func TestALongKazakhTextArrivesWhole(t *testing.T) {
	c := startCentre(t)
	l := run(t, c.config())
	until(t, "not bound", l.Bound)
	text := strings.Repeat("Сіздің өтінішіңіз қаралды. ", 9)
	if got := l.Send(t.Context(), letter(text)); got != (outbox.Accepted{ID: "a b c d"}) {
		t.Fatalf("%#v", got)
	}
	var parts [][]byte
	for _, s := range c.shorts {
		parts = append(parts, s.Text)
		if s.Class != smpp.ClassUDH || s.Coding != smpp.CodingUCS2 || !s.Receipt || s.To != smpp.International("77015551212") || s.From.Text != "Police102" || s.From.TON != 5 {
			t.Errorf("%+v", s)
		}
		if !strings.HasPrefix(s.Validity, "00000101") || !strings.HasSuffix(s.Validity, "00000R") || len(s.Validity) != 16 {
			t.Error(s.Validity)
		}
	}
	if got, ok := smpp.Join(smpp.CodingUCS2, parts); !ok || got != text {
		t.Errorf("%q", got)
	}
	if c.binds[0] != (smpp.Bind{SystemID: "jedel", Password: "secret"}) {
		t.Error(c.binds)
	}
}

func TestReceiptsAreToldAndAcknowledgedOnceTheyAreKept(t *testing.T) {
	c := startCentre(t)
	cfg := c.config()
	cfg.Decimal = true
	l := run(t, cfg)
	until(t, "not bound", l.Bound)
	if got := l.Send(t.Context(), letter("ok")); got != (outbox.Accepted{ID: "10"}) { // 0xa
		t.Fatalf("%#v", got)
	}
	receipt := func(seq uint32, text string) {
		c.peers[0].send(smpp.PDU{Command: smpp.DeliverSM, Seq: seq, Body: smpp.Short{Class: smpp.ClassReceipt, Text: []byte(text)}.Bytes()})
		until(t, "no answer", func() (ok bool) { c.peek(func() { _, ok = c.answers[seq] }); return ok })
	}
	l.fail.Store(true)
	receipt(5, "id:10 stat:DELIVRD")
	if c.answers[5] != smpp.TryLater {
		t.Error("acknowledged though it was not kept", c.answers[5])
	}
	l.fail.Store(false)
	receipt(6, "id:10 stat:DELIVRD")
	receipt(7, "id:11 stat:UNDELIV")
	receipt(8, "id:12 stat:ENROUTE")
	c.peers[0].send(smpp.PDU{Command: smpp.DeliverSM, Seq: 9, Body: []byte("garbage")})
	until(t, "no answer", func() (ok bool) { c.peek(func() { _, ok = c.answers[9] }); return ok })
	if a, b := <-l.told, <-l.told; a != (notify.Told{ID: "10", Report: outbox.Delivered}) || b != (notify.Told{ID: "11", Report: outbox.Failed}) || len(l.told) != 0 {
		t.Error(a, b, len(l.told))
	}
	if c.answers[6] != smpp.OK || c.answers[8] != smpp.OK || c.answers[9] == smpp.OK {
		t.Error(c.answers)
	}
}

func TestEveryAnswerHasItsMeaning(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*peer, smpp.PDU)
		want outbox.Outcome
	}{
		"a bad number":         {func(p *peer, in smpp.PDU) { p.status(in, smpp.BadDest) }, outbox.Refused{Reason: "status 0x0b"}},
		"too fast":             {func(p *peer, in smpp.PDU) { p.status(in, smpp.Throttled) }, outbox.Later{Reason: "status 0x58"}},
		"full":                 {func(p *peer, in smpp.PDU) { p.status(in, smpp.QueueFull) }, outbox.Later{Reason: "status 0x14"}},
		"a vendor's own":       {func(p *peer, in smpp.PDU) { p.status(in, 0x400) }, outbox.Later{Reason: "status 0x400"}},
		"no identifier":        {func(p *peer, in smpp.PDU) { p.status(in, smpp.OK) }, outbox.Unknown{Reason: "answer without an identifier"}},
		"silence":              {func(*peer, smpp.PDU) {}, outbox.Unknown{Reason: "no answer"}},
		"a link that cut":      {func(p *peer, _ smpp.PDU) { _ = p.conn.Close() }, outbox.Unknown{Reason: "no answer"}},
		"garbage":              {func(p *peer, _ smpp.PDU) { _, _ = p.conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, outbox.Unknown{Reason: "no answer"}},
		"an answer to another": {func(p *peer, in smpp.PDU) { in.Seq += 7; p.accept(in) }, outbox.Unknown{Reason: "no answer"}},
		"a name with a space": {func(p *peer, in smpp.PDU) {
			p.send(smpp.PDU{Command: smpp.SubmitSM | smpp.Answer, Seq: in.Seq, Body: smpp.Name("a b")})
		}, outbox.Unknown{Reason: "answer without an identifier"}},
	} {
		t.Run(name, func(t *testing.T) {
			centre := startCentre(t)
			centre.onSubmit = func(p *peer, in smpp.PDU, _ smpp.Short) { c.do(p, in) }
			cfg := centre.config()
			cfg.AnswerTime = 300 * time.Millisecond
			l := run(t, cfg)
			until(t, "not bound", l.Bound)
			if got := l.Send(t.Context(), letter("hello")); got != c.want {
				t.Errorf("%#v", got)
			}
			centre.peek(func() {
				if len(centre.shorts) != 1 {
					t.Errorf("submitted %d times", len(centre.shorts))
				}
			})
		})
	}
}

func TestHalfAMessageIsUnknown(t *testing.T) {
	c := startCentre(t)
	c.onSubmit = func(p *peer, in smpp.PDU, s smpp.Short) {
		if s.Text[5] == 2 {
			p.status(in, smpp.Throttled)
			return
		}
		p.accept(in)
	}
	l := run(t, c.config())
	until(t, "not bound", l.Bound)
	if got := l.Send(t.Context(), letter(strings.Repeat("ұ", 100))); got != (outbox.Unknown{Reason: "only a part was taken"}) {
		t.Errorf("%#v", got)
	}
}

func TestALostLinkIsMadeAgain(t *testing.T) {
	c := startCentre(t)
	l := run(t, c.config())
	for round := range 3 {
		until(t, "not bound", func() (ok bool) {
			c.peek(func() { ok = len(c.binds) > round })
			return ok && l.Bound()
		})
		until(t, "not accepted", func() bool { _, ok := l.Send(t.Context(), letter("hello")).(outbox.Accepted); return ok })
		c.cut()
	}
	c.peek(func() { c.refuse = smpp.BadPassword })
	c.cut()
	until(t, "still bound", func() bool { return !l.Bound() })
	if got := l.Send(t.Context(), letter("hello")); got != (outbox.Later{Reason: "not connected"}) {
		t.Errorf("%#v", got)
	}
}

func TestAQuietLinkIsTriedAndADeadOneGivenUp(t *testing.T) {
	c := startCentre(t)
	cfg := c.config()
	cfg.Enquire, cfg.AnswerTime = 20*time.Millisecond, 200*time.Millisecond
	l := run(t, cfg)
	until(t, "nobody asks", func() (ok bool) { c.peek(func() { ok = c.enquiry >= 3 }); return ok })
	if !l.Bound() {
		t.Error("a link that answers was given up")
	}
	c.peek(func() { c.mute = true })
	until(t, "a dead link is kept", func() (ok bool) { c.peek(func() { ok = len(c.binds) >= 2 }); return ok })
}

func TestTheEndIsSaid(t *testing.T) {
	c := startCentre(t)
	t.Run("link", func(t *testing.T) {
		l := run(t, c.config())
		until(t, "not bound", l.Bound)
	})
	until(t, "not unbound", func() (ok bool) { c.peek(func() { ok = c.unbound == 1 }); return ok })
}

func TestManyAtOnceKeepToTheWindowAndThePace(t *testing.T) {
	c := startCentre(t)
	var under, most atomic.Int64
	c.onSubmit = func(p *peer, in smpp.PDU, _ smpp.Short) {
		most.Store(max(most.Load(), under.Add(1)))
		c.wg.Go(func() {
			defer under.Add(-1)
			<-time.After(20 * time.Millisecond)
			p.accept(in)
		})
	}
	cfg := c.config()
	cfg.PerSecond, cfg.AnswerTime = 400, 5*time.Second
	l := run(t, cfg)
	until(t, "not bound", l.Bound)
	var wg sync.WaitGroup
	begun := time.Now()
	seen := sync.Map{}
	for range 60 {
		wg.Go(func() {
			got, ok := l.Send(t.Context(), letter("hello")).(outbox.Accepted)
			if _, twice := seen.LoadOrStore(got.ID, true); !ok || twice {
				t.Errorf("%#v twice: %v", got, twice)
			}
		})
	}
	wg.Wait()
	if took := time.Since(begun); most.Load() > window || took < 59*time.Second/400 {
		t.Errorf("%d at once, took %v", most.Load(), took)
	}
}
