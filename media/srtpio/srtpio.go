// Package srtpio takes the SRTP keys out of a DTLS handshake that Pion makes as the server, through
// hooks of its settings, and opens and seals packets in place with them: by AES-GCM of its own (gcm.go), other
// profiles and RTCP by Pion. What leaves the handshake stays in memory: the hooks write nowhere.
package srtpio

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v5/replaydetector"
)

// Overhead is by how many bytes a sealed packet is longer than a plain one at most: the tag of
// AES-GCM (RFC 7714 section 13.2) and the SRTCP index.
const Overhead = 16 + 4

// The largest numbers of packets: a sequence number behind a rollover counter of 32 bits, and an index of 31
// (RFC 3711 sections 3.3.1, 3.4).
const (
	mostRTP  = 1<<48 - 1
	mostRTCP = 1<<31 - 1
)

// label is the exporter's (RFC 5764 section 4.2).
const label = "EXTRACTOR-dtls_srtp"

var (
	errNoKeys    = errors.New("the handshake has given no keys")
	errNoProfile = errors.New("no SRTP profile was agreed on")
)

// Keys listens to one handshake. Its zero value is ready.
type Keys struct {
	mu      sync.Mutex // guards the rest
	server  [handshake.RandomLength]byte
	client  []byte
	master  []byte
	suite   dtls.CipherSuiteID
	profile dtls.SRTPProtectionProfile
}

// ServerHello is the hook for SettingEngine.SetDTLSServerHelloMessageHook. It changes nothing.
func (k *Keys) ServerHello(m handshake.MessageServerHello) handshake.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.server = m.Random.MarshalFixed()
	if m.CipherSuiteID != nil {
		k.suite = dtls.CipherSuiteID(*m.CipherSuiteID)
	}
	k.profile = 0
	for _, e := range m.Extensions {
		if u, ok := e.(*extension.UseSRTP); ok && len(u.ProtectionProfiles) == 1 {
			k.profile = u.ProtectionProfiles[0]
		}
	}
	return &m
}

// Write is the key log, for SettingEngine.SetDTLSKeyLogWriter: a line of the label, the client's
// random and the master secret in hexadecimal digits.
func (k *Keys) Write(line []byte) (int, error) {
	words := strings.Fields(string(line))
	if len(words) != 3 || words[0] != "CLIENT_RANDOM" {
		return len(line), nil
	}
	client, errClient := hex.DecodeString(words[1])
	master, errMaster := hex.DecodeString(words[2])
	if err := errors.Join(errClient, errMaster); err != nil {
		return 0, fmt.Errorf("key log: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.client, k.master = client, master
	return len(line), nil
}

// Take returns a session of the keys and forgets them. It fails where Pion was not the server of
// the handshake, or there was none.
func (k *Keys) Take() (*Session, error) { return k.take(false) }

// TakeAsClient is Take for the client of a handshake, who has to hand the server's hello to ServerHello
// by itself: Pion shows a client its own hello only.
func (k *Keys) TakeAsClient() (*Session, error) { return k.take(true) }

func (k *Keys) take(client bool) (*Session, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var zero [handshake.RandomLength]byte
	if k.master == nil || k.server == zero {
		return nil, errNoKeys
	}
	profile, err := profileOf(k.profile)
	if err != nil {
		return nil, err
	}
	seed := append(append([]byte(label), k.client...), k.server[:]...)
	config := &srtp.Config{Profile: profile}
	if err := config.ExtractSessionKeysFromDTLS(exporter{k.master, seed, hashOf(k.suite)}, client); err != nil {
		return nil, err
	}
	clear(k.master)
	k.master = nil
	return newSession(config)
}

func profileOf(p dtls.SRTPProtectionProfile) (srtp.ProtectionProfile, error) {
	switch p {
	case dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80:
		return srtp.ProtectionProfile(p), nil // both count by RFC 5764 section 4.1.2
	}
	return 0, errNoProfile
}

// exporter is the exporter of a finished handshake (RFC 5705 section 4).
type exporter struct {
	master, seed []byte
	hash         prf.HashFunc
}

// ExportKeyingMaterial implements srtp.KeyingMaterialExporter for the one label there is.
func (e exporter) ExportKeyingMaterial(_ string, _ []byte, length int) ([]byte, error) {
	return prf.PHash(e.master, e.seed, length, e.hash)
}

func hashOf(suite dtls.CipherSuiteID) prf.HashFunc {
	if strings.HasSuffix(dtls.CipherSuiteName(suite), "SHA384") {
		return func() hash.Hash { return sha512.New384() }
	}
	return func() hash.Hash { return sha256.New() }
}

// Session opens what one peer sends and seals what it gets. Opening and sealing are apart: one
// goroutine at a time may do each.
type Session struct {
	inHead  rtp.Header
	opener  opener // of AES-GCM; without it packets are Pion's, too
	sealer  sealer
	in, out *srtp.Context // of RTCP and of other profiles
	outHead rtp.Header
	inCtl   rtcp.Header
	outCtl  rtcp.Header
}

func newSession(c *srtp.Config) (*Session, error) {
	in, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile,
		srtp.SRTPReplayDetectorFactory(func() replaydetector.ReplayDetector { return newWindow(mostRTP) }),
		srtp.SRTCPReplayDetectorFactory(func() replaydetector.ReplayDetector { return newWindow(mostRTCP) }))
	if err != nil {
		return nil, err
	}
	out, err := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		return nil, err
	}
	s := &Session{in: in, out: out}
	if s.opener, s.sealer, err = gcmOf(c); err != nil {
		return nil, err
	}
	return s, nil
}

// Fixed returns a session whose both sides have one AES-128-GCM key and salt: what it seals it opens. For
// tests and measurements.
func Fixed(key [16]byte, salt [12]byte) (*Session, error) {
	return newSession(&srtp.Config{Profile: srtp.ProtectionProfileAeadAes128Gcm, Keys: srtp.SessionKeys{
		LocalMasterKey: key[:], LocalMasterSalt: salt[:], RemoteMasterKey: key[:], RemoteMasterSalt: salt[:],
	}})
}

// OpenRTP opens a packet in place and returns the plain packet and its parsed header, which is valid
// until the next call.
func (s *Session) OpenRTP(b []byte) ([]byte, *rtp.Header, error) {
	s.inHead = rtp.Header{Extensions: s.inHead.Extensions[:0], CSRC: s.inHead.CSRC[:0]}
	if s.opener.aead != nil {
		header, err := s.inHead.Unmarshal(b)
		if err != nil {
			return nil, &s.inHead, err
		}
		plain, err := s.opener.open(b, &s.inHead, header)
		return plain, &s.inHead, err
	}
	plain, err := s.in.DecryptRTP(b, b, &s.inHead)
	return plain, &s.inHead, err
}

// OpenRTCP opens a compound packet in place.
func (s *Session) OpenRTCP(b []byte) ([]byte, error) {
	return s.in.DecryptRTCP(b, b, &s.inCtl)
}

// SealRTP seals a plain packet in place. b must have Overhead bytes of room behind its length. A
// sequence number of an SSRC must never be sealed twice with other bytes.
func (s *Session) SealRTP(b []byte) ([]byte, error) {
	if s.sealer.aead != nil {
		return s.sealer.seal(b)
	}
	s.outHead = rtp.Header{Extensions: s.outHead.Extensions[:0], CSRC: s.outHead.CSRC[:0]}
	return s.out.EncryptRTP(b[:len(b):cap(b)], b, &s.outHead)
}

// SealRTCP seals a compound packet into dst's room.
func (s *Session) SealRTCP(dst, b []byte) ([]byte, error) {
	return s.out.EncryptRTCP(dst, b, &s.outCtl)
}
