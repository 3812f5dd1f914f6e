package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"
)

// wire is the socket of a page under the test's hand: what goes over it is seen, and the test sends what it likes
// from the very address that the node takes media from.
type wire struct {
	net.PacketConn

	mu     sync.Mutex
	to     net.Addr // the node
	hello  []byte   // the page's ClientHello, as a datagram
	server []byte   // the node's random
	media  [][]byte // SRTP that the page has sent, the newest 4096
	keyLog []byte
	got    int // media datagrams that have arrived
}

func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	w.mu.Lock()
	w.to = to
	switch {
	case len(b) > 12 && b[0]&0xc0 == 0x80:
		if len(w.media) < 4096 {
			w.media = append(w.media, bytes.Clone(b))
		}
	case len(b) > 25 && b[0] == 22 && b[13] == 1 && w.hello == nil:
		w.hello = bytes.Clone(b)
	}
	w.mu.Unlock()
	return w.PacketConn.WriteTo(b, to)
}

func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := w.PacketConn.ReadFrom(b)
	if n > 12 && b[0]&0xc0 == 0x80 {
		w.mu.Lock()
		w.got++
		w.mu.Unlock()
	}
	if n > 13+12+2+32 && b[0] == 22 && b[13] == 2 { // a ServerHello begins with version and random
		w.mu.Lock()
		w.server = bytes.Clone(b[27:59])
		w.mu.Unlock()
	}
	return n, from, err
}

// Write takes the page's key log.
func (w *wire) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keyLog = bytes.Clone(line)
	return len(line), nil
}

// send sends a datagram to the node from the page's address.
func (w *wire) send(t testing.TB, b []byte) {
	t.Helper()
	w.mu.Lock()
	to := w.to
	w.mu.Unlock()
	must(t, second(w.PacketConn.WriteTo(b, to)))
}

func (w *wire) sent() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([][]byte(nil), w.media...)
}

// seal returns a context with which the test seals like the page itself. Pages are clients of the handshake.
func (w *wire) seal(t testing.TB) *srtp.Context {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	words := strings.Fields(string(w.keyLog))
	if len(words) != 3 || w.server == nil {
		t.Fatal("the handshake was not seen")
	}
	client, err := hex.DecodeString(words[1])
	must(t, err)
	master, err := hex.DecodeString(words[2])
	must(t, err)
	const key, salt = 16, 12 // AEAD_AES_128_GCM, which the node prefers
	seed := append(append([]byte("EXTRACTOR-dtls_srtp"), client...), w.server...)
	out, err := prf.PHash(master, seed, 2*(key+salt), func() hash.Hash { return sha256.New() })
	must(t, err)
	c, err := srtp.CreateContext(out[:key], out[2*key:2*key+salt], srtp.ProtectionProfileAeadAes128Gcm)
	must(t, err)
	return c
}

// hostile is a page whose wire the test holds.
func hostile(t testing.TB, n *Node, role Role) (*page, *wire) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	w := &wire{PacketConn: conn}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: w})
	t.Cleanup(func() { _ = mux.Close() })
	p := &page{t: t, id: ident.New[ident.ClientID](), pcID: "1", role: role, node: n, got: map[string][]*rtp.Packet{}}
	p.settings = func(s *webrtc.SettingEngine) {
		s.SetICEUDPMux(mux)
		s.SetDTLSKeyLogWriter(w)
	}
	p.connect()
	return p, w
}

// flow is a call in which both speak, every word numbered.
type flow struct {
	t                testing.TB
	n                *Node
	caller, operator *page
	wire             *wire // the caller's
	seal             *srtp.Context
	pcs              [2]string
	stop             func()

	turn sync.Mutex // held by whoever sends audio as the caller: numbers go out in order
	seq  uint16

	mu   sync.Mutex // guards said
	said uint32
}

// voice is what the payload of a numbered word begins with.
const voice = 0x5a

// ways runs an attack on a call whose media goes our direct way, and on one whose media goes through Pion.
func ways(t *testing.T, attack func(t *testing.T, f *flow)) {
	t.Run("direct", func(t *testing.T) { attack(t, flowing(t)) })
	t.Run("plain", func(t *testing.T) { attack(t, flowingBy(t, true)) })
}

// flowing returns a call that is heard in both directions.
func flowing(t testing.TB) *flow {
	t.Helper()
	return flowingBy(t, false)
}

func flowingBy(t testing.TB, plain bool) *flow {
	t.Helper()
	n := openNode(t, func(c *Config) { c.Plain = plain })
	f := &flow{t: t, n: n, seq: 100}
	f.caller, f.wire = hostile(t, n, RoleCaller)
	f.operator = newPage(t, n, RoleOperator)
	f.caller.connected()
	f.operator.connected()
	must(t, n.SetRoutes(room, both(f.caller, f.operator)))
	f.seal = f.wire.seal(t)
	f.pcs = [2]string{n.PC(f.caller.id), n.PC(f.operator.id)}
	f.talk()
	t.Cleanup(f.hush)
	eventually(t, "both hear", func() bool {
		return len(wordsOf(f.operator.packets("audio-0"))) > 3 && len(wordsOf(f.caller.packets("audio-0"))) > 3
	})
	return f
}

// talk says a word in both directions every 10 ms until hush.
func (f *flow) talk() {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f.say()
			case <-done:
				return
			}
		}
	}()
	f.stop = sync.OnceFunc(func() { close(done); <-ended })
}

func (f *flow) hush() { f.stop() }

// say says the next word.
func (f *flow) say() {
	f.next(func(seq uint16) {
		f.mu.Lock()
		f.said++
		said := f.said
		f.mu.Unlock()
		payload := binary.BigEndian.AppendUint32([]byte{voice}, said)
		h := rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: said * 480}
		_ = f.caller.audio.WriteRTP(&rtp.Packet{Header: h, Payload: payload}) // closed when the test is over
		h.SequenceNumber = uint16(said)
		_ = f.operator.audio.WriteRTP(&rtp.Packet{Header: h, Payload: payload})
	})
}

// next lets send use the next sequence number of the caller's audio, one after another.
func (f *flow) next(send func(seq uint16)) {
	f.turn.Lock()
	defer f.turn.Unlock()
	f.seq++
	send(f.seq)
}

// wordsOf returns the numbers of the words among what was received.
func wordsOf(got []*rtp.Packet) []uint32 {
	var out []uint32
	for _, p := range got {
		if len(p.Payload) == 5 && p.Payload[0] == voice {
			out = append(out, binary.BigEndian.Uint32(p.Payload[1:]))
		}
	}
	return out
}

// audio returns the SSRC and payload type of the caller's voice.
func (f *flow) audio() (ssrc uint32, pt uint8) {
	f.t.Helper()
	for _, tr := range f.caller.pc.GetTransceivers() {
		if tr.Kind() == webrtc.RTPCodecTypeAudio && tr.Sender() != nil && tr.Sender().Track() != nil {
			p := tr.Sender().GetParameters()
			return uint32(p.Encodings[0].SSRC), uint8(p.Codecs[0].PayloadType)
		}
	}
	f.t.Fatal("the caller has no voice")
	return 0, 0
}

// rtcp seals a compound packet and sends it as the caller.
func (f *flow) rtcp(raw []byte) {
	f.t.Helper()
	b, err := f.seal.EncryptRTCP(nil, raw, nil)
	must(f.t, err)
	f.wire.send(f.t, b)
}

// report sends control packets as the caller.
func (f *flow) report(ps ...rtcp.Packet) {
	f.t.Helper()
	raw, err := rtcp.Marshal(ps)
	must(f.t, err)
	f.rtcp(raw)
}

// gap is how many words in a row a listener may miss: none, but for floods that fill the line itself.
type gap int

// heard waits until each of ends has heard more than so many of the words said from now on.
func (f *flow) heard(words uint32, ends ...*page) {
	f.t.Helper()
	f.mu.Lock()
	after := f.said + words
	f.mu.Unlock()
	for _, p := range ends {
		eventually(f.t, "what is said now is heard", func() bool {
			w := wordsOf(p.packets("audio-0"))
			return len(w) > 0 && w[len(w)-1] > after
		})
	}
}

// taken waits until the node has taken all that the caller has sent. It keeps signalLen datagrams for Pion and loses those beyond,
// and on the plain way the words stand in that line too: a flood of it is another attack.
func (f *flow) taken() {
	f.t.Helper()
	f.heard(0, f.operator)
}

// unharmed holds the call against what was promised: it is the same call, and each listener heard every word, in
// order, once, but for at most most in a row, and hears those said from now on.
func (f *flow) unharmed(most gap) {
	f.t.Helper()
	ends := []*page{f.operator, f.caller}
	f.heard(10, ends...)
	f.hush()
	for i, p := range []*page{f.caller, f.operator} {
		st, ok := f.n.Stats(p.id)
		if !ok || !st.Connected || f.n.PC(p.id) != f.pcs[i] || p.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
			f.t.Errorf("role %d: %+v, connection %q, %v", p.role, st, f.n.PC(p.id), p.pc.ConnectionState())
		}
	}
	for _, p := range ends {
		w := wordsOf(p.packets("audio-0"))
		for i := 1; i < len(w); i++ {
			if d := int(w[i]) - int(w[i-1]); d < 1 || d > 1+int(most) {
				f.t.Errorf("role %d: after word %d comes %d", p.role, w[i-1], w[i])
			}
		}
	}
}
