package media

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"jedel/internal/thinline"

	"github.com/pion/ice/v4"
)

// Bounds of ICE over TCP.
const (
	// streamBuffer is how many bytes may wait for one stream, here and in the kernel each: a quarter of a
	// second of picture and voice. What does not fit is lost, as on a full line; nobody waits for a peer
	// whose network takes nothing.
	streamBuffer = 96 << 10
	// firstTime is how long a stream may take to say whose it is.
	firstTime = 10 * time.Second
	// streamsEach bounds the streams of one IPv4 address or IPv6 /64: a mobile network puts many
	// callers behind one.
	streamsEach = 512
)

// listenTCP opens the port of ICE over TCP, for at most so many streams.
func listenTCP(addr string, most int, refused func(), log pionLog) (ice.TCPMux, error) {
	l, err := thinline.Listen(addr)
	if err != nil {
		return nil, err
	}
	return ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: &streams{Listener: l, most: most, refused: refused, from: map[string]int{}}, Logger: log.NewLogger("ice"),
		ReadBufferSize: 64, WriteBufferSize: streamBuffer, FirstStunBindTimeout: firstTime, AliveDurationForConnFromStun: firstTime,
	}), nil
}

// streams is a listener that lets in so many, and so many of one address.
type streams struct {
	net.Listener
	most    int
	refused func()

	mu   sync.Mutex // guards the rest
	all  int
	from map[string]int
}

// Accept returns the next stream that there is room for.
func (l *streams) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		key := networkOf(c.RemoteAddr())
		if !l.enter(key) {
			l.refused()
			_ = c.Close()
			continue
		}
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetWriteBuffer(streamBuffer)
		}
		return &stream{Conn: c, leave: sync.OnceFunc(func() { l.leave(key) })}, nil
	}
}

func (l *streams) enter(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.most || l.from[key] >= streamsEach {
		return false
	}
	l.all++
	l.from[key]++
	return true
}

func (l *streams) leave(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.from[key]--; l.from[key] == 0 {
		delete(l.from, key)
	}
}

// stream is one that was let in.
type stream struct {
	net.Conn
	leave func()
}

// Close ends the stream and gives its place away. It may be called twice.
func (s *stream) Close() error {
	s.leave()
	return s.Conn.Close()
}

func networkOf(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := at.Addr().Unmap()
	if ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
