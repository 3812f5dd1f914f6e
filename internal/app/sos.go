package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"jedel/internal/admit"
	"jedel/internal/call"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/sos"
	"jedel/media"
	"jedel/recorder/evr"
	"jedel/signaling"
	"jedel/signaling/wire"

	"github.com/prometheus/client_golang/prometheus"
)

// itemSOS is one datagram of a call, as it was read.
const itemSOS = "sos"

const (
	// sosFresh is by how much a sealed datagram's clock may differ from ours. One beyond it, recorded and sent again a month
	// later, is no better proof than one in the open; shorter would distrust phones with a wrong clock.
	sosFresh = 12 * time.Hour
	// sosHere is how long somebody counts as there after a datagram: they ask each 5 s while they wait for words.
	sosHere = 20 * time.Second
	// sosProofTime is how long the proof of an address holds, at least.
	sosProofTime = 5 * time.Minute
	// sosClients bounds what is remembered of those who send.
	sosClients = 20000
)

// Rates of datagrams. Those who are proven are counted by client, because thousands of phones share the address of one
// operator's network.
var (
	sosOfClient   = admit.Rate{Every: 250 * time.Millisecond, Burst: 40}
	sosOfAddress  = admit.Rate{Every: 50 * time.Microsecond, Burst: 5000} // whatever comes by UDP from one address: who shares it with a flood still gets through
	sosOfAll      = admit.Rate{Every: 25 * time.Microsecond, Burst: 5000} // by UDP from everywhere: a tenth of a core
	sosOfStranger = admit.Rate{Every: 2 * time.Second, Burst: 30}         // an address: calls without a key, and seals that do not hold
	sosOfNewcomer = admit.Rate{Every: 100 * time.Millisecond, Burst: 300} // an address: challenges, which cost a hash and are a fifth of what they answer
)

// sosDesk takes calls of single datagrams, whichever way they come: by UDP, by a data channel, by HTTP. All are idempotent
// by the ref and the number of the message, so a copy changes nothing whenever it comes; what a recorder of the way sends
// again finds the call that it made. Locks: mu guards the tables.
type sosDesk struct {
	a      *App
	secret []byte
	taken  *prometheus.CounterVec

	mu        sync.Mutex // guards the rest
	clients   admit.Table
	strangers admit.Table
	newcomers admit.Table
	addresses admit.Table
	all       admit.Bucket
	heard     map[ident.ClientID]time.Time
}

func newSOSDesk(a *App, secret []byte, reg prometheus.Registerer) *sosDesk {
	d := &sosDesk{
		a: a, secret: secret, heard: map[ident.ClientID]time.Time{},
		taken:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_sos_datagrams_total", Help: "SOS datagrams by what became of them."}, []string{"outcome"}),
		clients:   admit.Table{Rate: sosOfClient, Max: sosClients},
		strangers: admit.Table{Rate: sosOfStranger, Max: sosClients},
		newcomers: admit.Table{Rate: sosOfNewcomer, Max: sosClients},
		addresses: admit.Table{Rate: sosOfAddress, Max: sosClients},
	}
	reg.MustRegister(d.taken)
	return d
}

// sender is who a datagram comes from.
type sender struct {
	client ident.ClientID
	key    *sos.Key // nil in the open
	sure   bool     // the seal holds and is fresh
}

// Take implements signaling.SOS.
func (d *sosDesk) Take(ctx context.Context, raw []byte, from string, proven bool) []byte {
	f, err := sos.Parse(raw)
	if err != nil {
		d.taken.WithLabelValues("not ours").Inc()
		return nil
	}
	now := time.Now()
	who, m, answer := d.read(f, from, proven, now)
	if answer != nil {
		return answer
	}
	if who.client == "" {
		return nil
	}
	r := d.carryOut(ctx, who, m, now)
	return d.receipt(f, who.key, r)
}

// room reports whether a datagram from an address may cost us a look.
func (d *sosDesk) room(from string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	ok, _ := d.addresses.Take(from, now)
	if ok {
		ok, _ = d.all.Take(sosOfAll, now)
	}
	return ok
}

// sosAtOnce bounds the datagrams by UDP that are being made durable; the senders of others repeat them.
const sosAtOnce = 64

// run takes the datagrams that come by UDP. Reading one costs microseconds and is done here, one after another; what it asks
// for waits for the store and is done beside.
func (d *sosDesk) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, sosAtOnce)
	buf := make([]byte, 0, sos.MaxFrame)
	for {
		var s media.Single
		select {
		case s = <-d.a.node.Singles():
		case <-ctx.Done():
			return
		}
		now, at := time.Now(), s.From.As16()
		from := string(at[:])
		if !d.room(from, now) {
			d.taken.WithLabelValues("over the rate").Inc()
			continue
		}
		buf = append(buf[:0], s.Bytes()...)
		f, err := sos.Parse(buf)
		if err != nil {
			d.taken.WithLabelValues("not ours").Inc()
			continue
		}
		who, m, answer := d.read(f, from, false, now)
		if answer != nil {
			d.a.node.Answer(&s, answer)
		}
		if who.client == "" {
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			d.taken.WithLabelValues("over the rate").Inc()
			continue
		}
		one := s
		wg.Go(func() {
			defer func() { <-slots }()
			if f, err := sos.Parse(one.Bytes()); err == nil {
				d.a.node.Answer(&one, d.receipt(f, who.key, d.carryOut(ctx, who, m, now)))
			}
		})
	}
}

// receipt seals r as an answer to f.
func (d *sosDesk) receipt(f sos.Frame, key *sos.Key, r sos.Receipt) []byte {
	var nonce [12]byte
	rand.Read(nonce[:])
	return r.Bytes(f, key, nonce)
}

// read finds out who speaks and what is said. What is not proven is answered with what would prove it; nothing is dropped
// without a word but what is over the rate of strangers, which would make us a source of floods.
func (d *sosDesk) read(f sos.Frame, from string, proven bool, now time.Time) (sender, sos.Message, []byte) {
	if f.Form == sos.Sealed {
		client := ident.Of[ident.ClientID](f.From)
		key := sos.KeyOf(d.a.edge.Hub().Key(client))
		m, err := f.Unseal(key)
		if err == nil && now.Sub(time.UnixMilli(m.SentMs)).Abs() < sosFresh {
			if !d.admit(&d.clients, string(client), now) {
				d.taken.WithLabelValues("over the rate").Inc()
				return sender{}, m, d.receipt(f, &key, sos.Receipt{Status: sos.Wait, N: m.N})
			}
			return sender{client: client, key: &key, sure: true}, m, nil
		}
		if !d.admit(&d.strangers, from, now) {
			d.taken.WithLabelValues("over the rate").Inc()
			return sender{}, m, nil
		}
		d.taken.WithLabelValues("unreadable").Inc()
		return sender{}, m, d.receipt(f, nil, sos.Receipt{Status: sos.Unreadable})
	}
	return d.readOpen(f, from, proven, now)
}

// readOpen reads what has no seal. Copies of a call that stands are its client's: a phone repeats what it hears no answer to,
// and the others behind the same address are not to pay for it.
func (d *sosDesk) readOpen(f sos.Frame, from string, proven bool, now time.Time) (sender, sos.Message, []byte) {
	m, err := f.Message()
	if err != nil {
		d.taken.WithLabelValues("not ours").Inc()
		return sender{}, m, nil
	}
	client := d.a.edge.Hub().Claimed(f.From)
	proven = proven || d.proves(f.Nonce, f.From, from, now)
	_, stands := d.a.desk.OpenCallOf(client)
	table, key := &d.strangers, from
	switch {
	case !proven:
		table = &d.newcomers
	case stands:
		table, key = &d.clients, string(client)
	}
	if !d.admit(table, key, now) {
		d.taken.WithLabelValues("over the rate").Inc()
		return sender{}, m, nil
	}
	if !proven {
		d.taken.WithLabelValues("challenged").Inc()
		return sender{}, m, sos.Challenge(f, d.proof(f.From, from, now))
	}
	return sender{client: client}, m, nil
}

func (d *sosDesk) admit(t *admit.Table, key string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	ok, _ := t.Take(key, now)
	return ok
}

// proof is what shows that a sender receives at from. It needs no memory.
func (d *sosDesk) proof(claim [16]byte, from string, at time.Time) [12]byte {
	m := hmac.New(sha256.New, d.secret)
	_, _ = fmt.Fprintf(m, "sos proof\x00%d\x00%s\x00", at.Unix()/int64(sosProofTime.Seconds()), from)
	m.Write(claim[:])
	return [12]byte(m.Sum(nil)[:12])
}

func (d *sosDesk) proves(proof [12]byte, claim [16]byte, from string, now time.Time) bool {
	for _, at := range []time.Time{now, now.Add(-sosProofTime)} {
		if want := d.proof(claim, from, at); hmac.Equal(want[:], proof[:]) {
			return true
		}
	}
	return false
}

// here reports whether a client has sent a datagram lately.
func (d *sosDesk) here(c ident.ClientID, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.heard[c]
	return ok && now.Sub(at) < sosHere
}

// hear notes that a client is there.
func (d *sosDesk) hear(c ident.ClientID, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.heard) >= sosClients {
		for k, at := range d.heard {
			if now.Sub(at) >= sosHere {
				delete(d.heard, k)
			}
		}
	}
	if len(d.heard) < sosClients {
		d.heard[c] = now
	}
}

// sosTime bounds what one datagram may take; its sender asks again.
const sosTime = 5 * time.Second

// carryOut lets m happen.
func (d *sosDesk) carryOut(ctx context.Context, who sender, m sos.Message, now time.Time) sos.Receipt {
	ctx, cancel := context.WithTimeout(ctx, sosTime)
	defer cancel()
	r := sos.Receipt{Status: sos.Unavailable, N: m.N}
	select {
	case <-d.a.desk.Ready():
	case <-ctx.Done():
		return r
	}
	s, err := d.open(ctx, who, m)
	if err != nil {
		d.a.log.Error("sos", "client", who.client, "code", fault.CodeOf(err), "err", err)
		d.taken.WithLabelValues("not durable").Inc()
		return r
	}
	d.hear(who.client, now)
	if s.Open() && !m.Poll {
		if err = d.say(ctx, who, s, m, now); err != nil {
			d.a.log.Error("sos", "call", s.ID, "code", fault.CodeOf(err), "err", err)
			d.taken.WithLabelValues("not durable").Inc()
			return r
		}
	}
	d.taken.WithLabelValues("taken").Inc()
	d.a.wakePresence()
	if now, ok := d.a.desk.State(s.ID); ok {
		s = now
	}
	return d.tell(s, m)
}

// refOf is how a page writes the same ref.
func refOf(ref [16]byte) string {
	h := hex.EncodeToString(ref[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

var sosKinds = map[sos.Kind]wire.CallKind{sos.Silent: wire.KindSilent, sos.Voice: wire.KindVoice, sos.Video: wire.KindVideo}

// open finds or makes the call.
func (d *sosDesk) open(ctx context.Context, who sender, m sos.Message) (call.State, error) {
	if s, ok := d.a.desk.OpenCallOf(who.client); ok {
		return s, nil // one client, one open call, as with the tap
	}
	c := call.Create{Client: who.client, Kind: string(sosKinds[m.Kind]), Lang: [...]string{"kk", "ru", "en"}[m.Lang], Priority: callClass, SOS: true}
	if m.Kind == sos.Silent {
		c.Priority = silentClass
	}
	if who.sure {
		c.Caller = d.a.edge.Hub().CallerOf(who.client)
	}
	s, err := d.a.desk.Create(ctx, refOf(m.Ref), d.a.registered(ctx, c))
	if err == nil {
		d.a.dossier(ctx, s)
	}
	return s, err
}

// sosNote is what is kept of a datagram beside the place and the words, which are kept as all others are.
type sosNote struct {
	N       uint16 `json:"n"`
	SentMs  int64  `json:"sentMs"` // by the sender's clock
	Battery *int   `json:"battery,omitempty"`
	Proven  bool   `json:"proven"` // sealed with the client's key
}

// say keeps what m says, each thing once: the place first.
func (d *sosDesk) say(ctx context.Context, who sender, s call.State, m sos.Message, now time.Time) error {
	name := fmt.Sprintf("sos-%x-%d", m.Ref[:4], m.N)
	if p := m.Place; p != nil {
		fix := wire.Fix{Lat: p.Lat, Lon: p.Lon, AccuracyM: float64(p.AccuracyM), Source: "device", ClientMs: m.SentMs - 1000*int64(p.AgeS)}
		if p.Source == sos.Pin {
			fix.Source, fix.AccuracyM = "pin", 0
		}
		if err := d.a.takeFix(ctx, s, name, fix); err != nil {
			return err
		}
	}
	if m.Text != "" {
		by := signaling.Who{Client: who.client, Role: wire.RoleCaller}
		if _, err := d.a.sendChat(ctx, by, &wire.ChatSend{Call: string(s.ID), ID: name, Text: m.Text}); err != nil && fault.CodeOf(err) != fault.WrongState {
			return err
		}
	}
	note := sosNote{N: m.N, SentMs: m.SentMs, Proven: who.sure}
	if m.Battery != sos.NoBattery {
		charge := int(m.Battery)
		note.Battery = &charge
	}
	_, existed, err := d.a.ledger.put(ctx, s.ID, itemSOS, name, now, note)
	if err != nil || existed {
		return err
	}
	c := d.a.ledger.open(s.ID)
	c.dossier.mu.Lock()
	c.dossier.single(note)
	c.dossier.mu.Unlock()
	d.a.keep(s.ID, evr.Event, now, entry{Kind: "sos", By: "caller", Body: note, AtMs: now.UnixMilli()})
	d.a.again(s)
	return nil
}

// tell makes the receipt of a call as it stands, with the next words of its operator.
func (d *sosDesk) tell(s call.State, m sos.Message) sos.Receipt {
	r := sos.Receipt{Status: sos.Registered, Phase: sos.Waiting, N: m.N, Number: s.Number}
	switch {
	case s.Phase == call.Ended || s.Phase == call.WrapUp:
		r.Status, r.Phase = sos.Over, sos.Ended
	case s.Phase == call.Offered:
		r.Phase = sos.Ringing
	case s.Live():
		r.Phase = sos.Answered
	}
	c := d.a.ledger.open(s.ID)
	c.dossier.mu.Lock()
	defer c.dossier.mu.Unlock()
	for i, line := range c.dossier.chat {
		if line.From == "caller" || line.Seq <= uint64(m.Have) {
			continue
		}
		parts := sos.Parts(line.Text)
		at := min(int(m.Part), len(parts)-1)
		r.Line, r.Part, r.Text, r.Last = uint32(line.Seq), uint8(at), parts[at], at == len(parts)-1
		r.More = !r.Last
		for _, next := range c.dossier.chat[i+1:] {
			r.More = r.More || next.From != "caller"
		}
		break
	}
	return r
}
