package turnd

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Shapes of what clients send (RFC 8489 section 5, RFC 8656 section 12.4).
const (
	headBytes     = 4  // of ChannelData, and enough of STUN to know its length
	stunBytes     = 20 // of a STUN header
	maxFrame      = 1500
	maxPeers      = 8 // in one request: pages name one or two
	magicCookie   = 0x2112A442
	familyIPv4    = 1
	familyIPv6    = 2
	attrIntegrity = 0x0008
	attrPeer      = 0x0012 // XOR-PEER-ADDRESS
	attrNonce     = 0x0015
)

// method is a STUN method that clients may use here.
type method uint16

const (
	binding          method = 0x001
	allocate         method = 0x003
	refresh          method = 0x004
	send             method = 0x006
	createPermission method = 0x008
	channelBind      method = 0x009
)

var (
	errGarbage = errors.New("neither STUN nor ChannelData")
	errTooLong = errors.New("longer than any packet of media")
	errMethod  = errors.New("a method that is not served")
	errForeign = errors.New("a peer that is not our media port")
)

// frameLen returns how many bytes a frame has on a stream, padding included, from its first
// headBytes.
func frameLen(head []byte) (int, error) {
	if len(head) < headBytes {
		return 0, errGarbage
	}
	n := int(binary.BigEndian.Uint16(head[2:]))
	switch head[0] >> 6 {
	case 0:
		if n%4 != 0 {
			return 0, errGarbage
		}
		n += stunBytes
	case 1:
		n = headBytes + (n+3)&^3
	default:
		return 0, errGarbage
	}
	if n > maxFrame {
		return 0, errTooLong
	}
	return n, nil
}

// Begins reports whether the first bytes of a stream are those of a TURN client: a STUN request. No
// method of HTTP begins with such a byte. One byte is enough; of eight it looks at the magic cookie
// too.
func (r *Relay) Begins(b []byte) bool {
	if len(b) == 0 || b[0] > 0x01 {
		return false
	}
	return len(b) < 8 || binary.BigEndian.Uint32(b[4:]) == magicCookie
}

// request is what is looked at in a frame before the library gets it.
type request struct {
	data   bool // ChannelData or a Send indication: no answer follows
	method method
	signed bool   // it has MESSAGE-INTEGRITY, which is not looked at here
	nonce  []byte // part of the frame
	peers  [maxPeers]netip.AddrPort
	n      int // of peers
}

// Classes of STUN messages (RFC 8489 section 5).
const (
	classRequest    = 0
	classIndication = 1
	classError      = 3
)

// read parses one whole frame of a client. It allocates nothing and never panics on any bytes. An
// error means that the frame is of no use to anybody.
func read(b []byte) (request, error) {
	if len(b) < headBytes || len(b) > maxFrame {
		return request{}, errGarbage
	}
	if b[0]>>6 == 1 { // ChannelData; by UDP there may be padding or none
		if n := int(binary.BigEndian.Uint16(b[2:])); headBytes+n > len(b) {
			return request{}, errGarbage
		}
		return request{data: true}, nil
	}
	r, class, err := message(b)
	if err != nil {
		return r, err
	}
	switch r.method {
	case send:
		r.data = true
		if class == classIndication {
			return r, nil
		}
	case binding, allocate, refresh, createPermission, channelBind:
		if class == classRequest {
			return r, nil
		}
	}
	return r, errMethod
}

// givenNonce returns the nonce in an answer of ours to somebody who has proved nothing; nil where
// there is none.
func givenNonce(b []byte) []byte {
	r, class, err := message(b)
	if err != nil || class != classError {
		return nil
	}
	return r.nonce
}

// message parses a STUN message.
func message(b []byte) (r request, class uint16, err error) {
	if len(b) < stunBytes || b[0]>>6 != 0 || binary.BigEndian.Uint32(b[4:]) != magicCookie {
		return r, 0, errGarbage
	}
	if n := int(binary.BigEndian.Uint16(b[2:])); n%4 != 0 || stunBytes+n != len(b) {
		return r, 0, errGarbage
	}
	t := binary.BigEndian.Uint16(b)
	class = t>>4&1 | t>>7&2
	r.method = method(t&0x000f | t>>1&0x0070 | t>>2&0x0f80)
	return r, class, r.attributes(b)
}

// attributes walks over what follows the header.
func (r *request) attributes(b []byte) error {
	for rest := b[stunBytes:]; len(rest) > 0; {
		if len(rest) < 4 {
			return errGarbage
		}
		kind, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		padded := 4 + (n+3)&^3
		if padded > len(rest) {
			return errGarbage
		}
		value := rest[4 : 4+n]
		switch kind {
		case attrIntegrity:
			r.signed = true
		case attrNonce:
			r.nonce = value
		case attrPeer:
			peer, ok := xorAddress(value, b[4:stunBytes])
			if !ok || r.n == maxPeers {
				return errGarbage
			}
			r.peers[r.n] = peer
			r.n++
		}
		rest = rest[padded:]
	}
	return nil
}

// xorAddress reads an XOR-PEER-ADDRESS (RFC 8489 section 14.2); key is cookie and transaction.
func xorAddress(v, key []byte) (netip.AddrPort, bool) {
	if len(v) < 8 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ magicCookie>>16
	var raw [16]byte
	for i := range min(16, len(v)-4) {
		raw[i] = v[4+i] ^ key[i]
	}
	switch {
	case v[1] == familyIPv4 && len(v) == 8:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw[:4])), port), true
	case v[1] == familyIPv6 && len(v) == 20:
		return netip.AddrPortFrom(netip.AddrFrom16(raw), port), true
	}
	return netip.AddrPort{}, false
}

// foreign refuses what would reach anything but our media port. A permission names no port (RFC
// 8656 section 9), and one for an address that is not ours is left to the library, which answers
// it 403 once it knows who asks.
func (r *request) foreign(p Peers) error {
	if r.method != channelBind && r.method != send {
		return nil
	}
	for _, peer := range r.peers[:r.n] {
		if _, ok := p.Resolve(peer); !ok {
			return errForeign
		}
	}
	return nil
}
