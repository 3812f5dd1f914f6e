package app

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// A caller on a way that loses packets is told to say words twice, whoever hears them to wait for
// them: by the socket, by the data channel, and again after a resumed socket. The archive keeps it.
func TestALossyWayIsToldOfByEveryCarrier(t *testing.T) {
	g := startGateway(t)
	caller, desk, call := g.talking()
	caller.lose.Store(5)
	told := waitNews(caller, func(b *wire.MediaTune) bool { return b.RED })
	if told.PC != "1" || told.Rev < 1 || told.Why == "" { // a picture may be small until it is known whose loss it is
		t.Errorf("the caller is told %+v", told)
	}
	if b := waitNews(desk, func(b *wire.MediaTune) bool { return b.JitterMs >= 200 }); b.RED {
		t.Errorf("the operator, whose way is clean, is told %+v", b)
	}
	g.until("nothing came by the data channel", func() bool {
		caller.mu.Lock()
		defer caller.mu.Unlock()
		for _, m := range caller.channel {
			if strings.Contains(m, `"media.tune"`) && strings.Contains(m, `"red":true`) {
				return true
			}
		}
		return false
	})

	again := &voice{tab: g.bare()} // its media go on as they are
	_ = again.ws.SetReadDeadline(time.Now().Add(bound))
	again.ask(&wire.Hello{Version: 1, Role: wire.RoleCaller, Lang: "kk", Resume: &wire.Resume{Client: caller.welcome.Client, Key: caller.welcome.Key}})
	if b := waitNews(again, func(*wire.MediaTune) bool { return true }); b.PC != "1" || b.Rev < told.Rev || !b.RED {
		t.Errorf("the resumed socket is told %+v, before %+v", b, told)
	}
	g.sealed(desk, call)
	detail, err := (&evidence{app: g.app}).Detail(t.Context(), ident.CallID(call))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(detail.Timeline)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"media.tune"`, `"red":true`, `"jitterMs":2`} {
		if !strings.Contains(string(kept), want) {
			t.Errorf("the archive keeps nothing of %s", want)
		}
	}
}
