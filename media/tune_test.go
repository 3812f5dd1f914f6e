package media

import (
	"testing"
	"time"

	"jedel/media/tune"
)

func TestATuneIsOfItsConnection(t *testing.T) {
	n := openNode(t, nil)
	p := newPage(t, n, RoleCaller)
	if _, ok := n.Tune(p.id); ok {
		t.Fatal("a tune that nobody decided on")
	}
	for rev, d := range []tune.Decision{{RED: true, Jitter: 200 * time.Millisecond, Video: tune.Thin, Shown: tune.On, Why: tune.Loss}, tune.Start()} {
		n.find(p.id).current().retune(d)
		for ev := range n.Events() {
			if ev.Kind == Tuned {
				if ev.Client != p.id || ev.PC != "1" {
					t.Fatalf("%+v", ev)
				}
				break
			}
		}
		if got, ok := n.Tune(p.id); !ok || got != (Tune{"1", rev + 1, d}) {
			t.Fatalf("got %+v %v, want %+v", got, ok, d)
		}
	}
	p.pcID = "2"
	p.connect()
	if got, ok := n.Tune(p.id); ok {
		t.Errorf("a new connection has %+v of the old one", got)
	}
}
