package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"jedel/cmd/callbot/session"
	"jedel/cmd/callbot/single"
	"jedel/internal/sos"
	"jedel/signaling/wire"
)

// sosCmd is a phone whose network carries single datagrams.
type sosCmd struct {
	URL    string        `arg:"" help:"Address of the site, http or https: for the key."`
	Media  string        `arg:"" help:"host:port of its media."`
	Open   bool          `help:"Have no key: nothing but UDP is used."`
	Silent bool          `help:"The caller cannot speak."`
	Text   string        `help:"Words, as long as they fit."`
	Lat    float64       `default:"54.8753" help:"Where the caller is, degrees."`
	Lon    float64       `default:"69.1628" help:"Where the caller is, degrees."`
	Wait   time.Duration `default:"30s" help:"The longest wait for the receipt."`
	Listen time.Duration `default:"0s" help:"How long to ask for the operator's words after it."`
	Flood  int           `help:"Instead of calling, send this many useless datagrams a second for --listen: forged, recorded, garbage. For trying a gateway of your own."`
	JSON   bool          `help:"Print the figures as JSON."`
}

// sosReport is what --json prints.
type sosReport struct {
	Number  string `json:"number"`
	TookMs  int64  `json:"tookMs"` // from the first datagram to the receipt
	Sent    int    `json:"sent"`
	Bytes   int    `json:"bytes"` // of the datagram
	Words   string `json:"words"`
	Flooded int    `json:"flooded"`
}

// Run calls.
func (c sosCmd) Run(ctx context.Context) error {
	var w *wire.Welcome
	if !c.Open {
		var err error
		if w, err = c.greet(ctx); err != nil {
			return fmt.Errorf("a key: %w", err)
		}
	}
	p, err := single.Dial(ctx, c.Media, w)
	if err != nil {
		return err
	}
	defer p.Close()
	m := sos.Message{Kind: sos.Voice, Lang: 2, Battery: 55, Place: &sos.Place{Lat: c.Lat, Lon: c.Lon, AccuracyM: 12, AgeS: 1}, Text: c.Text}
	if c.Silent {
		m.Kind = sos.Silent
	}
	var r sosReport
	if c.Flood > 0 {
		r.Flooded, err = c.flood(ctx, p, m)
	} else {
		err = c.call(ctx, p, m, &r)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("registered %s after %d ms, %d datagrams of %d bytes\n%s", r.Number, r.TookMs, r.Sent, r.Bytes, r.Words)
	return nil
}

// greet says hello and nothing more.
func (c sosCmd) greet(ctx context.Context) (*wire.Welcome, error) {
	s, err := session.New(session.Config{URL: site(c.URL), Role: wire.RoleCaller, Lang: "en", Agent: "callbot/1"})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, c.Wait)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() { stop(); <-done }()
	for {
		select {
		case n := <-s.News():
			if w, ok := n.Body.(*wire.Welcome); ok {
				return w, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c sosCmd) call(ctx context.Context, p *single.Phone, m sos.Message, r *sosReport) error {
	asked, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	if b, err := p.Frame(m); err == nil {
		r.Bytes = len(b)
	}
	began := time.Now()
	got, err := p.Say(asked, m)
	if err != nil {
		return fmt.Errorf("no receipt: %w", err)
	}
	r.Number, r.TookMs, r.Sent = got.Number, time.Since(began).Milliseconds(), p.Sent
	heard, stop := context.WithTimeout(ctx, c.Listen)
	defer stop()
	var have uint32
	var part uint8
	for heard.Err() == nil {
		a, err := p.Hear(heard, have, part)
		if err != nil || a.Status == sos.Over {
			return nil
		}
		r.Words += a.Text
		switch {
		case a.Line != 0 && a.Last:
			r.Words, have, part = r.Words+"\n", a.Line, 0
		case a.Line != 0:
			part = a.Part + 1
		}
		if a.More {
			continue
		}
		select {
		case <-time.After(2 * time.Second):
		case <-heard.Done():
		}
	}
	return nil
}

// flood sends what a hostile sender would, as fast as asked.
func (c sosCmd) flood(ctx context.Context, p *single.Phone, m sos.Message) (int, error) {
	real, err := p.Frame(m)
	if err != nil {
		return 0, err
	}
	conn, err := net.Dial("udp", c.Media)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	const burst = 100
	tick := time.NewTicker(time.Second * burst / time.Duration(c.Flood))
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(ctx, c.Listen)
	defer cancel()
	sent := 0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return sent, nil
		}
		for i := range burst {
			b := append([]byte(nil), real...)
			switch i % 3 {
			case 0: // forged: another name, the seal of this one
				rand.Read(b[6:22])
				b[6] &= 0x7f
			case 1: // recorded
			case 2: // garbage behind the first bytes
				rand.Read(b[4:])
			}
			if _, err := conn.Write(b); err == nil {
				sent++
			}
		}
	}
}
