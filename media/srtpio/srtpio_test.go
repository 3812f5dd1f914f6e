package srtpio_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"jedel/media/srtpio"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// shake makes a handshake of Pion's with keys listening at the server, and returns the client's end.
func shake(t *testing.T, keys *srtpio.Keys, suite dtls.CipherSuiteID, profile dtls.SRTPProtectionProfile) *dtls.Conn {
	t.Helper()
	server, client := pipe(t), pipe(t)
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := dtls.ServerWithOptions(server, client.LocalAddr(), dtls.WithCertificates(cert), dtls.WithSRTPProtectionProfiles(profile),
		dtls.WithCipherSuites(suite), dtls.WithServerHelloMessageHook(keys.ServerHello), dtls.WithKeyLogWriter(keys), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	c, err := dtls.ClientWithOptions(client, server.LocalAddr(), dtls.WithCertificates([]tls.Certificate{cert}...), dtls.WithSRTPProtectionProfiles(profile),
		dtls.WithCipherSuites(suite), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.HandshakeContext(ctx) }()
	if err := c.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(); _ = s.Close() })
	return c
}

func pipe(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestKeysAreThoseOfTheHandshake(t *testing.T) {
	for _, suite := range []dtls.CipherSuiteID{dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384} {
		for _, profile := range []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80} {
			var keys srtpio.Keys
			state, ok := shake(t, &keys, suite, profile).ConnectionState()
			if !ok {
				t.Fatal("no state")
			}
			config := &srtp.Config{Profile: srtp.ProtectionProfile(profile)}
			if err := config.ExtractSessionKeysFromDTLS(&state, true); err != nil {
				t.Fatal(err)
			}
			client, err := srtp.CreateContext(config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt, config.Profile)
			if err != nil {
				t.Fatal(err)
			}
			other, err := srtp.CreateContext(config.Keys.RemoteMasterKey, config.Keys.RemoteMasterSalt, config.Profile)
			if err != nil {
				t.Fatal(err)
			}
			session, err := keys.Take()
			if err != nil {
				t.Fatal(suite, profile, err)
			}
			plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, SequenceNumber: 9, CSRC: []uint32{1, 2}}, Payload: []byte("zhedel")}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := client.EncryptRTP(nil, plain, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, h, err := session.OpenRTP(sealed)
			if err != nil || !bytes.Equal(got, plain) || h.SSRC != 5 {
				t.Fatalf("%v %v: %x %v", suite, profile, got, err)
			}
			buf := append(make([]byte, 0, 200), plain...)
			if sealed, err = session.SealRTP(buf); err != nil || &sealed[0] != &buf[0] {
				t.Fatal("not in place", err)
			}
			if got, err = other.DecryptRTP(nil, sealed, nil); err != nil || !bytes.Equal(got, plain) {
				t.Fatal(suite, profile, err)
			}
			if _, err := keys.Take(); err == nil {
				t.Fatal("the keys are still there")
			}
		}
	}
}

func TestReplayAndForgeryAreRefused(t *testing.T) {
	s, err := srtpio.Fixed([16]byte{1}, [12]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 5, SequenceNumber: 9}, Payload: make([]byte, 100)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.SealRTP(append(make([]byte, 0, 200), plain...))
	if err != nil {
		t.Fatal(err)
	}
	for at := range sealed {
		forged := bytes.Clone(sealed)
		forged[at] ^= 1
		if _, _, err := s.OpenRTP(forged); err == nil {
			t.Fatalf("byte %d", at)
		}
	}
	if _, _, err := s.OpenRTP(bytes.Clone(sealed)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.OpenRTP(bytes.Clone(sealed)); err == nil {
		t.Fatal("a replay")
	}
}

func TestNoKeysWithoutAHandshake(t *testing.T) {
	var k srtpio.Keys
	if _, err := k.Take(); err == nil {
		t.Fatal("keys")
	}
	for _, line := range []string{"", "CLIENT_RANDOM zz zz", "CLIENT_RANDOM 00", "SERVER 00 00"} {
		_, _ = k.Write([]byte(line))
	}
	if _, err := k.Take(); err == nil {
		t.Fatal("keys of nonsense")
	}
}
