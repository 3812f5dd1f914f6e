package signaling

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"jedel/internal/admit"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"
)

// client is one signed-in tab. It outlives its sockets only as a key: what must be known again is
// in the store.
type client struct {
	// Set at creation, read by all.
	who     Who
	session accounts.Session // of staff
	socket  *socket

	// Owned by the socket's reader.
	checked time.Time // when the session was last looked at

	used atomic.Bool // a person has done something since then

	mu      sync.Mutex // guards the rest; both carriers of messages use them
	bucket  admit.Bucket
	bad     admit.Bucket
	dataSeq uint64 // of replies by the data channel
}

// Hub knows the clients that have a socket.
type Hub struct {
	backend Backend
	secret  []byte
	log     *slog.Logger
	met     *metrics

	mu      sync.Mutex // guards clients
	clients map[ident.ClientID]*client
}

// messageRate is what one client may send.
var messageRate = admit.Rate{Every: 20 * time.Millisecond, Burst: 100}

// badRate is how many bad messages one client may send.
var badRate = admit.Rate{Every: badWindow / maxBad, Burst: maxBad}

// key is what a tab proves with that it was this client before. It needs no memory and so
// survives a restart.
func (h *Hub) key(id ident.ClientID) string {
	m := hmac.New(sha256.New, h.secret)
	m.Write([]byte("client\x00" + string(id)))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Key is what proves that a client is that client, as Welcome tells it.
func (h *Hub) Key(id ident.ClientID) string { return h.key(id) }

// Claimed returns the client of a claim: whoever knows the 128 bits, which the sender chose, is that client. It lets somebody
// without a key send an SOS first and say hello later.
func (h *Hub) Claimed(claim [16]byte) ident.ClientID {
	m := hmac.New(sha256.New, h.secret)
	m.Write([]byte("claim\x00"))
	m.Write(claim[:])
	return ident.Of[ident.ClientID]([16]byte(m.Sum(nil)[:16]))
}

// proves reports whether key is the one of a client.
func (h *Hub) proves(id, key string) bool {
	c, err := ident.Parse[ident.ClientID](id)
	return err == nil && hmac.Equal([]byte(h.key(c)), []byte(key))
}

// Linked reports whether the client has a socket now.
func (h *Hub) Linked(id ident.ClientID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clients[id] != nil
}

func (h *Hub) find(id ident.ClientID) *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clients[id]
}

// attach makes c the client's newest socket and returns the one before.
func (h *Hub) attach(c *client) *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.clients[c.who.Client]
	h.clients[c.who.Client] = c
	h.met.sockets.Set(float64(len(h.clients)))
	return old
}

// detach forgets c unless a newer socket took its place; it reports whether the client is gone.
func (h *Hub) detach(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clients[c.who.Client] != c {
		return false
	}
	delete(h.clients, c.who.Client)
	h.met.sockets.Set(float64(len(h.clients)))
	return true
}

// Send sends news to a client; false where it has no socket: it gets the whole state with its
// next hello.
func (h *Hub) Send(id ident.ClientID, body wire.Body) bool {
	c := h.find(id)
	if c == nil {
		return false
	}
	c.socket.send(wire.Message{Body: body})
	return true
}

// Each tells every client that has a socket what fn makes for it.
func (h *Hub) Each(fn func(Who) wire.Body) {
	h.mu.Lock()
	all := make([]*client, 0, len(h.clients))
	for _, c := range h.clients {
		all = append(all, c)
	}
	h.mu.Unlock()
	for _, c := range all {
		c.socket.send(wire.Message{Body: fn(c.who)})
	}
}

// CallerOf returns who has registered at the client that has a socket, empty for nobody.
func (h *Hub) CallerOf(id ident.ClientID) ident.CallerID {
	if c := h.find(id); c != nil {
		return c.who.Caller
	}
	return ""
}

// Kick closes the client's socket.
func (h *Hub) Kick(id ident.ClientID, code int, reason string) {
	if c := h.find(id); c != nil {
		c.socket.close(code, reason)
	}
}

// signedOut closes the sockets that a session opened.
func (h *Hub) signedOut(session accounts.Session) {
	h.mu.Lock()
	var theirs []*client
	for _, c := range h.clients {
		if c.session == session {
			theirs = append(theirs, c)
		}
	}
	h.mu.Unlock()
	for _, c := range theirs {
		c.socket.close(CloseSignedOut, "signed out")
		h.backend.Ended(c.who)
	}
}

// Handle carries out a message that came by the client's data channel and returns the reply; nil
// where there is none to send: the client has no socket. Both carriers share one set of limits.
func (h *Hub) Handle(ctx context.Context, id ident.ClientID, raw []byte) []byte {
	c := h.find(id)
	if c == nil {
		return nil
	}
	if c.socket.ending() {
		return nil
	}
	m, over := h.handle(ctx, c, raw)
	if over {
		c.socket.close(CloseBad, "too many bad messages")
	}
	c.mu.Lock()
	c.dataSeq++
	m.Seq = c.dataSeq
	c.mu.Unlock()
	out, err := wire.Encode(m)
	if err != nil {
		h.log.Error("encode reply", "client", id, "err", err)
		return nil
	}
	return out
}

// handle decodes and carries out one message. over tells that the client sent too many bad ones.
func (h *Hub) handle(ctx context.Context, c *client, raw []byte) (reply wire.Message, over bool) {
	now := time.Now()
	c.mu.Lock()
	allowed, _ := c.bucket.Take(messageRate, now)
	c.mu.Unlock()
	if !allowed {
		return h.refuse(c, wire.Message{}, fault.New(fault.RateLimited, "message", nil), true)
	}
	m, err := wire.Decode(c.who.Role, raw)
	if err != nil {
		return h.refuse(c, m, err, true)
	}
	h.met.messages.WithLabelValues(m.Body.WireType()).Inc()
	switch m.Body.(type) {
	case *wire.Ping:
		return wire.Message{Re: m.Seq, Body: &wire.Pong{NowMs: now.UnixMilli()}}, false
	case *wire.Hello:
		return h.refuse(c, m, fault.New(fault.WrongState, "hello", nil), true)
	case *wire.QualityReport, *wire.MediaCheck: // the page sends them by itself
	default:
		c.used.Store(true)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	body, err := h.backend.Request(ctx, c.who, m.Body)
	if err != nil {
		if code := fault.CodeOf(err); code == fault.Internal || code == fault.Unavailable {
			h.log.Error("request", "client", c.who.Client, "op", m.Body.WireType(), "code", code, "err", err)
		}
		return h.refuse(c, m, err, false)
	}
	return wire.Message{Re: m.Seq, Body: body}, false
}

// refuse makes the error message and counts bad ones.
func (h *Hub) refuse(c *client, m wire.Message, err error, bad bool) (wire.Message, bool) {
	over := false
	if bad {
		c.mu.Lock()
		ok, _ := c.bad.Take(badRate, time.Now())
		c.mu.Unlock()
		over = !ok
	}
	h.met.refused.WithLabelValues(string(fault.CodeOf(err))).Inc()
	return wire.Message{Re: m.Seq, Body: errorBody(err, over)}, over
}

func errorBody(err error, fatal bool) *wire.Error {
	code := fault.CodeOf(err)
	body := &wire.Error{Code: code, Words: fault.Words(code), Fatal: fatal}
	var f *fault.Error
	if errors.As(err, &f) {
		body.Op = f.Op
	}
	return body
}
