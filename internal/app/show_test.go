package app

import (
	"testing"

	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// Whoever shows a call again has read its state before, and was perhaps kept waiting by the store: what was decided meanwhile is
// not taken back on anybody's screen.
func TestACallShownAgainIsShownAsItStands(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	caller := g.voice(wire.RoleCaller, "", 'c')
	desk := g.voice(wire.RoleConsole, g.token("operator"), 'o')
	call := caller.ask(&wire.CallCreate{Ref: "r", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	waiting, _ := g.app.desk.State(ident.CallID(call))
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	desk.ask(&wire.OfferAccept{Call: call, Epoch: desk.offer().Epoch})
	card := func(phase wire.Phase) func(*wire.CallCardNews) bool {
		return func(n *wire.CallCardNews) bool { return n.Card.Phase == phase }
	}
	waitNews(desk, card(wire.PhaseTalking))
	talking, _ := g.app.desk.State(ident.CallID(call))
	desk.ask(&wire.CallHold{Call: call, On: true})
	waitNews(desk, card(wire.PhaseHold))
	g.app.again(talking)
	g.app.again(waiting) // of which the operator would read that the call has left them
	desk.ask(&wire.CallEnd{Call: call})
	waitNews(desk, func(n *wire.CallCardNews) bool {
		if n.Card.Phase != wire.PhaseHold && n.Card.Phase != wire.PhaseWrapUp {
			t.Errorf("on hold the operator sees %s %s", n.Card.Phase, n.Card.EndReason)
		}
		return n.Card.Phase == wire.PhaseWrapUp
	})

	desk.ask(&wire.CallWrapUp{Call: call, Category: "theft", Outcome: "patrol"})
	waitNews(desk, card(wire.PhaseEnded))
	waitNews(caller, func(n *wire.CallState) bool { return n.View.Phase == wire.PhaseEnded })
	g.app.again(talking)
	for range 2 { // the first lists may have been on their way already
		g.app.BoardChanged()
		waitNews(desk, func(*wire.ConsoleState) bool { return true })
	}
	caller.ask(&wire.Ping{})
	for _, n := range caller.news {
		if s, ok := n.(*wire.CallState); ok && s.View.Phase != wire.PhaseEnded {
			t.Errorf("after its end the caller sees %s", s.View.Phase)
		}
	}
}
