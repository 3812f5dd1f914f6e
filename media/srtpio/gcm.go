package srtpio

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"jedel/media/prefetch"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

var (
	errShort   = errors.New("shorter than its header and tag")
	errReplay  = errors.New("it came before, or too late to tell")
	errCryptex = errors.New("a header that is sealed (RFC 9335), which was not agreed on")
	errSpent   = errors.New("the key has sealed all that it may")
	errNoRoom  = errors.New("no room for the seal")
)

// tagSize is that of AES-GCM's tag in bytes (RFC 7714 section 13.2).
const tagSize = 16

// near is of how many SSRCs a direction keeps what it knows beside its key: the two of a browser and their
// repetitions. Of more it does so elsewhere.
const near = 4

// direction is AES-GCM of the RTP packets of one direction (RFC 7714 sections 8 and 9). Pion does the same, which
// tests hold it against, and does what is left: other profiles and RTCP. Here what a packet needs lies side by side:
// in a call that sends fifty packets a second all of it has left the processor's cache from one to the next.
type direction struct {
	aead cipher.AEAD
	salt [12]byte
	iv   [12]byte
}

// counter follows the sequence numbers of one SSRC.
type counter struct {
	index uint64 // of the newest packet: rollover counter and sequence number
	ssrc  uint32
	begun bool
}

// opener opens what a peer sends. Its zero value, without a key, is not used.
type opener struct {
	direction
	near [near]heard
	far  map[uint32]*heard
}

type heard struct {
	counter
	seen window
}

// sealer seals what a peer gets. Its zero value, without a key, is not used.
type sealer struct {
	direction
	near [near]counter
	far  map[uint32]*counter
}

// gcmOf returns the opener and the sealer of a session, without keys for profiles that are Pion's.
func gcmOf(c *srtp.Config) (in opener, out sealer, err error) {
	if c.Profile != srtp.ProtectionProfileAeadAes128Gcm && c.Profile != srtp.ProtectionProfileAeadAes256Gcm {
		return in, out, nil
	}
	for i := range in.near {
		in.near[i].seen.most = mostRTP
	}
	var errIn, errOut error
	in.direction, errIn = newDirection(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt)
	out.direction, errOut = newDirection(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt)
	return in, out, errors.Join(errIn, errOut)
}

// Labels of key derivation (RFC 3711 section 4.3.2).
const (
	labelKey  = 0
	labelSalt = 2
)

func newDirection(key, salt []byte) (d direction, err error) {
	session, err := derive(key, salt, labelKey, len(key))
	if err != nil {
		return d, err
	}
	block, err := aes.NewCipher(session)
	if err != nil {
		return d, fmt.Errorf("session key: %w", err)
	}
	if d.aead, err = cipher.NewGCM(block); err != nil {
		return d, fmt.Errorf("session key: %w", err)
	}
	session, err = derive(key, salt, labelSalt, len(d.salt))
	copy(d.salt[:], session)
	return d, err
}

// derive makes n bytes of session key or salt (RFC 3711 section 4.3.3), with no rate of derivation. The salt of
// AES-GCM is padded on the right (RFC 7714 section 11).
func derive(key, salt []byte, label byte, n int) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	var x [aes.BlockSize]byte
	copy(x[:14], salt)
	x[7] ^= label
	out := make([]byte, n)
	cipher.NewCTR(block, x[:]).XORKeyStream(out, out)
	return out, nil
}

// nonce is what makes a packet's seal its own (RFC 7714 section 8.1).
func (d *direction) nonce(ssrc uint32, index uint64) []byte {
	d.iv = d.salt
	binary.BigEndian.PutUint32(d.iv[2:], binary.BigEndian.Uint32(d.iv[2:])^ssrc)
	binary.BigEndian.PutUint32(d.iv[6:], binary.BigEndian.Uint32(d.iv[6:])^uint32(index>>16))
	binary.BigEndian.PutUint16(d.iv[10:], binary.BigEndian.Uint16(d.iv[10:])^uint16(index))
	return d.iv[:]
}

// guess returns the index of a packet by the half of the numbers that is nearer (RFC 3711 section 3.3.1). Nothing
// comes before the first round.
func (c *counter) guess(seq uint16) uint64 {
	if !c.begun {
		return uint64(seq)
	}
	round, newest := c.index>>16, uint16(c.index)
	switch ahead := int(seq) - int(newest); {
	case ahead > 1<<15 && round > 0:
		round--
	case ahead < -(1 << 15):
		round++
	}
	return round<<16 | uint64(seq)
}

// took notes a packet.
func (c *counter) took(ssrc uint32, index uint64) {
	if !c.begun || index > c.index {
		c.index = index
	}
	c.ssrc, c.begun = ssrc, true
}

// of returns what is known of an SSRC; kept is false where it has no place yet, which it gets if it proves to be the
// peer's.
func (o *opener) of(ssrc uint32) (h *heard, kept bool) {
	for i := range o.near {
		if h := &o.near[i]; !h.begun || h.ssrc == ssrc {
			return h, true
		}
	}
	if h := o.far[ssrc]; h != nil {
		return h, true
	}
	return &heard{seen: window{most: mostRTP}}, false
}

// open opens a packet in place, whose header is h and so long.
func (o *opener) open(b []byte, h *rtp.Header, header int) ([]byte, error) {
	if len(b) < header+tagSize {
		return nil, errShort
	}
	if h.Extension && (h.ExtensionProfile == rtp.CryptexProfileOneByte || h.ExtensionProfile == rtp.CryptexProfileTwoByte) {
		return nil, errCryptex
	}
	s, kept := o.of(h.SSRC)
	index := s.guess(h.SequenceNumber)
	token := s.seen.CheckSeq(index)
	if !token.Passed() { // before the work: a flood of repetitions costs little
		return nil, errReplay
	}
	if _, err := o.aead.Open(b[header:header], o.nonce(h.SSRC, index), b[header:], b[:header]); err != nil {
		return nil, err
	}
	if !kept {
		if o.far == nil {
			o.far = map[uint32]*heard{}
		}
		o.far[h.SSRC] = s
	}
	s.seen.Accept(token)
	s.took(h.SSRC, index)
	return b[:len(b)-tagSize], nil
}

func (s *sealer) of(ssrc uint32) *counter {
	for i := range s.near {
		if c := &s.near[i]; !c.begun || c.ssrc == ssrc {
			return c
		}
	}
	c := s.far[ssrc]
	if c == nil {
		if s.far == nil {
			s.far = map[uint32]*counter{}
		}
		c = &counter{}
		s.far[ssrc] = c
	}
	return c
}

// seal seals a packet in place.
func (s *sealer) seal(b []byte) ([]byte, error) {
	header, err := headerSize(b)
	if err != nil {
		return nil, err
	}
	if cap(b)-len(b) < tagSize {
		return nil, errNoRoom
	}
	seq, ssrc := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
	c := s.of(ssrc)
	index := c.guess(seq)
	if index > mostRTP { // RFC 3711 section 9.2
		return nil, errSpent
	}
	c.took(ssrc, index)
	s.aead.Seal(b[header:header], s.nonce(ssrc, index), b[header:], b[:header])
	return b[:len(b)+tagSize], nil
}

// headerSize is how long the header of a packet is, with its sources and its extension (RFC 3550 section 5.1).
func headerSize(b []byte) (int, error) {
	n := 12
	if len(b) < n {
		return 0, errShort
	}
	n += 4 * int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < n+4 {
			return 0, errShort
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	if len(b) < n {
		return 0, errShort
	}
	return n, nil
}

// keySize is how much of a key is asked for: what crypto/cipher keeps of it, with its tables.
const keySize = 800

// PlanOpen adds what opening a packet reads.
func (s *Session) PlanOpen(p *prefetch.Plan) {
	if s == nil {
		return
	}
	p.Add(unsafe.Pointer(s), unsafe.Offsetof(s.opener)+unsafe.Offsetof(s.opener.near)+unsafe.Sizeof(s.opener.near[0]))
	if s.opener.aead != nil {
		p.Object(s.opener.aead, keySize)
	}
}

// PlanSeal adds what sealing one reads.
func (s *Session) PlanSeal(p *prefetch.Plan) {
	if s == nil {
		return
	}
	p.Add(unsafe.Pointer(&s.sealer), unsafe.Sizeof(s.sealer))
	if s.sealer.aead != nil {
		p.Object(s.sealer.aead, keySize)
	}
}
