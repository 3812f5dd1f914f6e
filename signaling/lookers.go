package signaling

import (
	"context"
	"sync"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/signaling/accounts"
)

// looker is one viewer of a camera and the session that may see it.
type looker struct{ camera, token string }

// lookers knows whose viewers there are, so that none outlives the session that opened it.
type lookers struct {
	cameras Cameras

	mu sync.Mutex // guards of
	of map[string]looker
}

func newLookers(c Cameras) *lookers { return &lookers{cameras: c, of: map[string]looker{}} }

func (l *lookers) add(viewer string, who looker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[viewer] = who
}

// leave ends a viewer and forgets it.
func (l *lookers) leave(camera, viewer string) error {
	l.mu.Lock()
	delete(l.of, viewer)
	l.mu.Unlock()
	return l.cameras.Leave(camera, viewer)
}

func (l *lookers) all() map[string]looker {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]looker, len(l.of))
	for viewer, who := range l.of {
		out[viewer] = who
	}
	return out
}

// signedOut ends the viewers that a session opened.
func (l *lookers) signedOut(session accounts.Session) {
	for viewer, who := range l.all() {
		if accounts.SessionOf(who.token) == session {
			_ = l.leave(who.camera, viewer) // it may have ended by itself
		}
	}
}

// run ends the viewers whose session is over or may no longer see cameras, until ctx ends.
func (l *lookers) run(ctx context.Context, every time.Duration, acc *accounts.Accounts) {
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.check(ctx, acc)
		case <-ctx.Done():
			return
		}
	}
}

func (l *lookers) check(ctx context.Context, acc *accounts.Accounts) {
	for viewer, who := range l.all() {
		if !l.cameras.Looks(who.camera, viewer) {
			_ = l.leave(who.camera, viewer) // it has ended by itself
			continue
		}
		st, err := acc.Staff(ctx, who.token)
		if fault.CodeOf(err) == fault.NotSignedIn || err == nil && !access.May(st.Roles, access.SeeCameras) {
			_ = l.leave(who.camera, viewer)
		}
	}
}
