// Package media is the forwarding unit: many small calls over one UDP port. A peer is one
// browser's peer connection; a room is a call. Who hears and sees whom is declared by SetRoutes,
// what is recorded by SetTap; this package decides nothing.
//
// The way of a packet is in forward.go: the reader of a UDP socket opens it, gives it to the recorder,
// rewrites, seals and sends it, all by itself. Pion does signalling, ICE, DTLS and data channels, and
// media where the way is TCP (plain.go).
//
// Goroutines: each UDP address has a reader a core (reader.go) and one of Pion's mux; Run owns the
// housekeeping; a connection has one that reads what Pion has for each track, and over TCP a writer.
// They end with the connection. Pion's callbacks only post, but for the handshake's, which begins the
// way of media. Locks, in the order in which they are taken: a connection's ingress (one datagram at a
// time), then what is kept of one track for who listens first (early.go), then one connection's egress
// (numbers and seals of its slots), never two of any; Node.mu
// guards the maps of peers and routes and is never held while calling Pion's blocking functions.
package media

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"jedel/internal/ident"
)

// Config is how the node works.
type Config struct {
	UDPAddr       string        // host:port of the one UDP port
	TCPAddr       string        // host:port for ICE over TCP; empty: off
	PublicIPs     []string      // told to browsers instead of our own addresses
	AllowLoopback bool          // use and accept 127.0.0.0/8 and ::1
	AllowPrivate  bool          // accept candidates of private networks
	MaxPeers      int           // peer connections in all
	IdlePeers     int           // those without tap and route; the oldest gives way
	IdleTime      time.Duration // how long one is kept without tap and route
	Gather        time.Duration // how long datagrams may wait so that one wake-up serves many; 0: not at all
	Readers       int           // goroutines that read each address; 0: one a core
	Plain         bool          // let Pion carry all media, which is slower

	// Relayed returns the place on this machine of an address that our own relay has lent to a client;
	// ok is false for any other. nil: there is no relay.
	Relayed func(netip.AddrPort) (at netip.AddrPort, ok bool)
}

// Limits that are not configuration: what a browser needs, with room.
const (
	// MaxSDP is the longest offer in bytes.
	MaxSDP = 64 << 10
	// MaxSections is how many m-lines an offer may have: an operator's page has nine with data.
	MaxSections = 9
	// MaxCandidates is how many remote candidates one connection may have.
	MaxCandidates = 32
	// MaxRestarts is how many ICE restarts and how many new connections a client may ask for within a
	// minute. A page whose line keeps dying makes eight at once and then one each 6 s: fewer leave it
	// without a way.
	MaxRestarts = 10
	// ConnectTime is how long an offer may take to become a connection.
	ConnectTime = 15 * time.Second
	// keyframeEvery is the shortest time between two keyframe requests to one source.
	keyframeEvery = 500 * time.Millisecond
	// queueLen is how many packets may wait for one peer's writer: half a second of audio and
	// video. Longer delays words, shorter loses bursts.
	queueLen = 256
	// eventsLen is how many events may wait for the app.
	eventsLen = 1024
	// mtu bounds one packet in bytes.
	mtu = 1500
	// maxMessage is the longest message of a data channel in bytes.
	maxMessage = 64 << 10
	// repeatMost is the longest wait until a message of ours on a data channel that was lost is said again: RFC 9260
	// section 6.3.3 doubles it up to a minute, and where half is lost "no pictures" came after seven seconds. It is
	// longer than the round trip of a thin network, on which less would say everything twice. It bounds the waits of
	// SCTP's own set-up as well, which gives up after 13 s: the page has made another connection by then.
	repeatMost = 1500 * time.Millisecond
	// sendBuffer is how many bytes may wait in a data channel before Send refuses.
	sendBuffer = 256 << 10
)

// Role says what a peer's page offers.
type Role uint8

// Roles of peers.
const (
	RoleCaller   Role = iota + 1 // one audio, one video, both ways
	RoleOperator                 // microphone, camera, and receiving slots
)

// Kind is audio or video.
type Kind string

// Kinds of tracks.
const (
	Audio Kind = "audio"
	Video Kind = "video"
)

// Route lets To hear or see From in a receiving slot.
type Route struct {
	From, To ident.ClientID
	Kind     Kind
	Slot     int
}

// TrackInfo describes a track towards us.
type TrackInfo struct {
	Kind        Kind
	Mid         string
	RID         string
	Codec       string // MIME type
	ClockRate   uint32 // ticks per second
	Channels    uint16
	Fmtp        string
	PayloadType uint8
	SSRC        uint32
	RTXSSRC     uint32
	Cname       string
}

// Tap takes a copy of everything a peer sends. Its methods must not block.
type Tap interface {
	// OpenTrack announces a track; what it returns gets the track's packets until Close.
	OpenTrack(info TrackInfo) TrackTap
	// Fact tells of SDP, ICE and DTLS: kind is sdp, ice or dtls, body is JSON.
	Fact(kind string, body []byte)
}

// TrackTap takes the packets of one track, as they came from SRTP. It must not keep them.
type TrackTap interface {
	// RTP is one packet; recovered tells that it came as a retransmission.
	RTP(at time.Time, packet []byte, recovered bool)
	// RTCP is one compound packet; outgoing tells that we sent it.
	RTCP(at time.Time, packet []byte, outgoing bool)
	// Close ends the track.
	Close()
}

// EventKind says what happened to a peer.
type EventKind string

// Kinds of events.
const (
	Connected    EventKind = "connected"
	Disconnected EventKind = "disconnected"
	Failed       EventKind = "failed"
	Closed       EventKind = "closed"
	FirstPacket  EventKind = "first_packet"
	Data         EventKind = "data"
)

// Event tells the app what happened.
type Event struct {
	Client ident.ClientID
	PC     string
	Kind   EventKind
	Track  Kind   // of FirstPacket
	Data   []byte // of Data
	Reason string // of Failed and Closed
}

// PeerStats is how a peer's connection is at the moment.
type PeerStats struct {
	Connected   bool
	Since       time.Time // when it connected
	LastPacket  time.Time // when its newest RTP packet arrived
	Packets     uint64    // RTP packets from it
	AudioLossUp float64   // 0..1 over the last seconds, before retransmission
	VideoLossUp float64
	RTT         time.Duration
	Transport   string // udp, tcp, relay; empty before there is one
}

var (
	errGone     = errors.New("the peer is gone")
	errNotOpen  = errors.New("the data channel is not open")
	errTooFull  = errors.New("the data channel is full")
	errShutdown = errors.New("the node is closed")
)

// allowed reports whether ip may be the other end of a connection.
func (c Config) allowed(ip net.IP) bool {
	switch {
	case ip == nil || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast():
		return false
	case ip.IsLoopback():
		return c.AllowLoopback
	case ip.IsPrivate():
		return c.AllowPrivate
	}
	return true
}
