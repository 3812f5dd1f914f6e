package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"jedel/internal/fault"
	"jedel/signaling/wire"
)

// sent remembers what went out.
type sent struct{ seqs []uint64 }

func (s *sent) take(raw []byte) error {
	var e struct {
		Seq uint64 `json:"seq"`
	}
	err := json.Unmarshal(raw, &e)
	s.seqs = append(s.seqs, e.Seq)
	return err
}

func answer(t *testing.T, x *Exchange, re uint64, body wire.Body) wire.Body {
	t.Helper()
	raw, err := wire.Encode(wire.Message{Seq: 1, Re: re, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	news, err := x.Take(raw)
	if err != nil {
		t.Fatal(err)
	}
	return news
}

type result struct {
	body wire.Body
	err  error
}

// asking begins n requests one after another and returns where their answers will come.
func asking(t *testing.T, x *Exchange, n int) []chan result {
	t.Helper()
	var out []chan result
	for range n {
		ans := make(chan wire.Body, 1)
		seq, err := x.begin(&wire.Ping{}, ans)
		if err != nil {
			t.Fatal(err)
		}
		c := make(chan result, 1)
		go func() {
			b, ok := <-ans
			if !ok {
				c <- result{nil, ErrBroken}
				return
			}
			c <- result{b, nil}
		}()
		if seq != uint64(len(out)+1) {
			t.Fatalf("seq %d for request %d", seq, len(out)+1)
		}
		out = append(out, c)
	}
	return out
}

func TestAnswersFindTheirRequestsInAnyOrder(t *testing.T) {
	x := New(new(sent).take)
	open := asking(t, x, 3)
	for _, re := range []uint64{3, 1, 2} {
		answer(t, x, re, &wire.Pong{NowMs: int64(re)})
	}
	for i, c := range open {
		if r := <-c; r.err != nil || r.body.(*wire.Pong).NowMs != int64(i+1) {
			t.Errorf("request %d got %+v", i+1, r)
		}
	}
}

func TestARefusalIsAnErrorWithItsCode(t *testing.T) {
	var x *Exchange
	x = New(func([]byte) error {
		go func() { // waits for the lock that is held while sending
			raw, _ := wire.Encode(wire.Message{Seq: 1, Re: 1, Body: &wire.Error{Code: fault.OfferExpired}})
			_, _ = x.Take(raw)
		}()
		return nil
	})
	_, err := x.Ask(t.Context(), &wire.OfferAccept{Call: "c", Epoch: 1})
	if !Refused(err, fault.OfferExpired) || Refused(err, fault.BadValue) || !Refused(err) {
		t.Fatalf("got %v", err)
	}
}

func TestABrokenCarrierEndsEveryRequest(t *testing.T) {
	x := New(new(sent).take)
	open := asking(t, x, 2)
	x.Break()
	x.Break()
	for _, c := range open {
		if r := <-c; !errors.Is(r.err, ErrBroken) {
			t.Errorf("got %+v", r)
		}
	}
	if _, err := x.Ask(t.Context(), &wire.Ping{}); !errors.Is(err, ErrBroken) {
		t.Errorf("a request after the break: %v", err)
	}
}

func TestARequestEndsWithItsContext(t *testing.T) {
	x := New(new(sent).take)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Ask(ctx, &wire.Ping{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if len(x.open) != 0 {
		t.Errorf("%d requests stay open", len(x.open))
	}
	if news := answer(t, x, 1, &wire.Pong{}); news != nil {
		t.Errorf("a late answer became news: %v", news)
	}
}

func TestNewsComeThroughAndUnknownOnesDoNot(t *testing.T) {
	x := New(new(sent).take)
	if _, ok := answer(t, x, 0, &wire.MediaLost{PC: "1"}).(*wire.MediaLost); !ok {
		t.Error("news are lost")
	}
	if b, err := x.Take([]byte(`{"type":"weather.changed","seq":4,"body":{}}`)); b != nil || err != nil {
		t.Errorf("unknown news: %v %v", b, err)
	}
	if _, err := x.Take([]byte(`{`)); err == nil {
		t.Error("half a message is taken")
	}
}
