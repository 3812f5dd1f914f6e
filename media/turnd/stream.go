package turnd

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Times of a stream. A client that says nothing keeps a socket and no more than a socket.
const (
	openTime  = 15 * time.Second // to authenticate and allocate
	frameTime = 10 * time.Second // for a frame that has begun to end
	idleTime  = 11 * time.Minute // with an allocation: it is refreshed every ten
	writeTime = 10 * time.Second // for a client to take what we send
)

// streamBuffer is how many bytes may wait in the kernel for a slow client.
const streamBuffer = 64 << 10

// stream is a client's TCP or TLS connection. Read returns whole frames, one at a time; what is
// not a frame ends it.
type stream struct {
	net.Conn
	relay  *Relay
	from   source
	opened atomic.Bool  // there is an allocation
	since  atomic.Int64 // there is none, Unix nanoseconds

	// Owned by the reader.
	buf []byte
	n   int // bytes in buf

	mu     sync.Mutex // guards nonces
	nonces [2]string  // that were given to this client, the newest first
	once   sync.Once
}

// Read returns the next frame that may pass; b must hold maxFrame bytes.
func (s *stream) Read(b []byte) (int, error) {
	for {
		frame, err := s.frame()
		if err != nil {
			return 0, err
		}
		if !s.relay.passes(frame, s.from, s.knows) {
			continue
		}
		if len(b) < len(frame) {
			return 0, io.ErrShortBuffer
		}
		return copy(b, frame), nil
	}
}

// frame reads one frame. It is valid until the next call.
func (s *stream) frame() ([]byte, error) {
	deadline := time.Unix(0, s.since.Load()).Add(openTime)
	if s.opened.Load() {
		deadline = time.Now().Add(idleTime)
	}
	need := headBytes
	for n := 0; n < need; {
		if err := s.Conn.SetReadDeadline(deadline); err != nil {
			return nil, err
		}
		got, err := s.Conn.Read(s.buf[n:need])
		if err != nil {
			s.relay.met.late(err)
			return nil, err
		}
		if n == 0 {
			if by := time.Now().Add(frameTime); by.Before(deadline) {
				deadline = by
			}
		}
		if n += got; n == headBytes && need == headBytes {
			if need, err = frameLen(s.buf[:headBytes]); err != nil {
				s.relay.met.refused(reasonGarbage)
				return nil, err
			}
		}
		s.n = n
	}
	return s.buf[:s.n], nil
}

// Write sends one message and remembers the nonce in it.
func (s *stream) Write(b []byte) (int, error) {
	if nonce := givenNonce(b); len(nonce) > 0 {
		s.mu.Lock()
		s.nonces[1], s.nonces[0] = s.nonces[0], string(nonce)
		s.mu.Unlock()
	}
	if err := s.Conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(b)
	if err != nil {
		_ = s.Conn.Close() // half a frame may have gone: nothing after it would make sense
	}
	return n, err
}

// knows reports whether a nonce was given to this client.
func (s *stream) knows(nonce []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(nonce) == s.nonces[0] || string(nonce) == s.nonces[1]
}

// Close ends the stream. It may be called twice.
func (s *stream) Close() error {
	var err error
	s.once.Do(func() {
		s.relay.streams.leave(s)
		err = s.Conn.Close()
	})
	return err
}

// maxOfAddress bounds the streams of one address that have no allocation yet: a mobile network
// puts many callers behind one.
const maxOfAddress = 256

// streams are the connections of clients. It is the library's net.Listener for all of them.
type streams struct {
	max  int
	in   chan *stream // unbuffered; never closed
	done chan struct{}
	addr net.Addr

	mu   sync.Mutex // guards the rest
	all  map[*stream]struct{}
	at   map[source]*stream
	from map[string]int // of an address, without allocation
	shut bool
	wg   sync.WaitGroup
}

func newStreams(most int) *streams {
	return &streams{max: most, in: make(chan *stream), done: make(chan struct{}), addr: &net.TCPAddr{},
		all: map[*stream]struct{}{}, at: map[source]*stream{}, from: map[string]int{}}
}

// enter takes a connection; false where there is no room.
func (l *streams) enter(s *stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := keyOf(s.from.addr.Addr())
	if l.shut || len(l.all) >= l.max || l.from[key] >= maxOfAddress {
		return false
	}
	l.all[s], l.at[s.from] = struct{}{}, s
	l.from[key]++
	l.wg.Add(1)
	return true
}

// open tells that the client at an address has an allocation.
func (l *streams) open(from source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.at[from]; s != nil && !s.opened.Swap(true) {
		l.drop(s)
	}
}

// closed tells that the client at an address has no allocation any more: it may make another, soon.
func (l *streams) closed(from source, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.at[from]
	if s == nil || !s.opened.Load() {
		return
	}
	s.since.Store(now.UnixNano())
	s.opened.Store(false)
	l.from[keyOf(from.addr.Addr())]++
	_ = s.Conn.SetReadDeadline(now.Add(openTime)) // of a read that waits already
}

// drop no longer counts a stream against its address; l.mu is held.
func (l *streams) drop(s *stream) {
	key := keyOf(s.from.addr.Addr())
	if l.from[key]--; l.from[key] == 0 {
		delete(l.from, key)
	}
}

func (l *streams) leave(s *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.all[s]; !ok {
		return
	}
	delete(l.all, s)
	if l.at[s.from] == s {
		delete(l.at, s.from)
	}
	if !s.opened.Load() {
		l.drop(s)
	}
	l.wg.Done()
}

func (l *streams) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// Accept implements net.Listener for the library.
func (l *streams) Accept() (net.Conn, error) {
	select {
	case s := <-l.in:
		return s, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close lets nobody more in and ends those inside. It may be called twice.
func (l *streams) Close() error {
	l.mu.Lock()
	if l.shut {
		l.mu.Unlock()
		return nil
	}
	l.shut = true
	inside := make([]*stream, 0, len(l.all))
	for s := range l.all {
		inside = append(inside, s)
	}
	l.mu.Unlock()
	close(l.done)
	for _, s := range inside {
		_ = s.Conn.Close() // its reader ends, and the library closes it
	}
	return nil
}

// Addr implements net.Listener.
func (l *streams) Addr() net.Addr { return l.addr }
