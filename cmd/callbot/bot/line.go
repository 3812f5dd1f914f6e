// Package bot has a caller and an operator that use a gateway as people do, by docs/PROTOCOL.md
// alone. What they do and are told goes to a watch.Book.
package bot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/exchange"
	"jedel/cmd/callbot/mill"
	"jedel/cmd/callbot/peer"
	"jedel/cmd/callbot/session"
	"jedel/cmd/callbot/watch"
	"jedel/internal/ident"
	"jedel/signaling/wire"

	"github.com/pion/webrtc/v4"
)

// Times of a bot.
const (
	openTime = 20 * time.Second       // until a bot must have its line
	askTime  = 20 * time.Second       // until a request must be answered, over a restart of the gateway
	again    = 500 * time.Millisecond // between attempts at a connection
)

// Config is what every bot needs.
type Config struct {
	URL   string // of the site
	Lang  string // empty: en
	Clip  clip.Clip
	Works *mill.Works       // media at little cost in the clip's place; nil: the clip
	Cold  bool              // no connection before it is needed: a page that was opened and tapped at once
	See   func(watch.Event) // from several goroutines; must not block
}

// line is what both bots have: a session, and a peer connection that is made anew when it is lost.
// It is used by one goroutine.
type line struct {
	cfg  Config
	role wire.Role
	s    *session.Session
	over chan error // the session's end
	stop context.CancelFunc
	wg   sync.WaitGroup

	servers      []wire.ICEServer
	p            *peer.Peer
	closePeer    func()
	retry        <-chan time.Time // the next attempt at a connection
	legs         watch.Legs       // of connections that have ended
	audio, video bool
}

// open returns a line with a welcomed session and, unless it is cold, a connected peer, and the welcome. The caller
// must close it.
func open(ctx context.Context, cfg Config, role wire.Role, token string) (*line, *wire.Welcome, error) {
	lang := cfg.Lang
	if lang == "" {
		lang = "en"
	}
	s, err := session.New(session.Config{URL: cfg.URL, Role: role, Lang: lang, Token: token, Agent: "callbot/1"})
	if err != nil {
		return nil, nil, err
	}
	running, stop := context.WithCancel(ctx)
	l := &line{cfg: cfg, role: role, s: s, over: make(chan error, 1), stop: stop}
	began := time.Now()
	l.wg.Go(func() { l.over <- s.Run(running) })
	opened, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	w, err := l.welcome(opened)
	if err != nil {
		l.close()
		return nil, nil, err
	}
	cfg.See(watch.SetUp{What: "socket", Took: time.Since(began)})
	if cfg.Cold {
		l.servers = w.ICEServers
		return l, w, nil
	}
	l.renew(running, w)
	for l.p == nil || !closed(l.p.Connected()) {
		select {
		case <-l.connected():
		case <-l.lost():
			l.renew(running, w)
		case <-l.retry:
			l.renew(running, w)
		case <-opened.Done():
			l.close()
			return nil, nil, fmt.Errorf("no media within %v", openTime)
		}
	}
	return l, w, nil
}

func (l *line) welcome(ctx context.Context) (*wire.Welcome, error) {
	for {
		select {
		case n := <-l.s.News():
			if w, ok := n.Body.(*wire.Welcome); ok {
				return w, nil
			}
		case err := <-l.over:
			return nil, err
		case <-ctx.Done():
			return nil, fmt.Errorf("no welcome within %v", openTime)
		}
	}
}

// renew makes a new connection in place of the one there is. Where that fails, retry brings the
// time of the next attempt.
func (l *line) renew(ctx context.Context, w *wire.Welcome) {
	l.drop()
	if w != nil {
		l.servers = w.ICEServers
	}
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	began := time.Now()
	p, err := peer.Open(asking, peer.Config{Role: l.role, ICEServers: l.servers, Clip: l.cfg.Clip, Works: l.cfg.Works, ID: string(ident.New[ident.FileID]())}, l.s)
	if err != nil {
		l.retry = time.After(again)
		return
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	l.wg.Go(func() { _ = p.Run(running, l.s); close(done) }) // its end is told by Lost
	l.wg.Go(func() {
		select {
		case <-p.Connected():
			l.cfg.See(watch.SetUp{What: "media", Took: time.Since(began)})
		case <-done:
		}
	})
	p.Speak(l.audio, l.video)
	l.p, l.retry = p, nil
	l.closePeer = func() { stop(); <-done }
}

// drop ends the connection there is and keeps its counts.
func (l *line) drop() {
	if l.p == nil {
		return
	}
	l.legs = l.legs.Plus(l.p.Legs())
	l.closePeer()
	l.p = nil
}

// came acts on a welcome after a reconnection: where the gateway has not our connection, a new one
// is made.
func (l *line) came(ctx context.Context, w *wire.Welcome) {
	if l.p == nil || w.PC != l.p.ID() {
		l.renew(ctx, w)
	}
}

// speak starts or stops sending, now and on later connections.
func (l *line) speak(audio, video bool) {
	l.audio, l.video = audio, video
	if l.p != nil {
		l.p.Speak(audio, video)
	}
}

func (l *line) lost() <-chan struct{} {
	if l.p == nil {
		return nil
	}
	return l.p.Lost()
}

func (l *line) connected() <-chan struct{} {
	if l.p == nil {
		return nil
	}
	return l.p.Connected()
}

// await tells the book of the first packets that come from now on.
func (l *line) await(ctx context.Context, call string, toCaller bool) {
	if l.p == nil {
		return
	}
	p := l.p
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		c := p.Await(kind)
		l.wg.Go(func() {
			select {
			case first := <-c:
				l.cfg.See(watch.Arrived{Call: call, What: kind.String(), ToCaller: toCaller, First: first})
			case <-p.Lost():
			case <-ctx.Done():
			}
		})
	}
}

// ask repeats an idempotent request until it is answered.
func (l *line) ask(ctx context.Context, body wire.Body) (wire.Body, error) {
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return l.s.AskAgain(asking, body)
}

// post sends an idempotent request by the data channel where there is one.
func (l *line) post(ctx context.Context, body wire.Body) error {
	if l.p != nil {
		asking, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		if _, err := l.p.Ask(asking, l.s, body); err == nil || exchange.Refused(err) {
			return err
		}
	}
	_, err := l.ask(ctx, body)
	return err
}

// close ends the connection and the session.
func (l *line) close() {
	l.drop()
	l.stop()
	l.wg.Wait()
}

// end closes the line and tells the book what the bot came to. A bot that was told to stop has not
// failed, whatever its last request came to: the line breaks with ctx.
func (l *line) end(ctx context.Context, err error) error {
	l.close()
	if ctx.Err() != nil {
		err = nil
	}
	l.cfg.See(watch.Ended{Role: string(l.role), Legs: l.legs, Err: err})
	return err
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
