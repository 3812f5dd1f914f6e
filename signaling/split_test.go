package signaling

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// relayed is a relay that tells what it was given.
type relayed struct{ got chan net.Conn }

func (relayed) Begins(b []byte) bool { return len(b) > 0 && b[0] <= 1 }

func (r relayed) Take(c net.Conn) { r.got <- c }

// siteTLS is a certificate for this machine, and who trusts it.
func siteTLS(t *testing.T) (site, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &cert, &cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	known, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(known)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

// shared serves pages and a relay on one port; protos are those that the site has on by itself.
func shared(t *testing.T, protos ...string) (*edge, relayed, *tls.Config) {
	t.Helper()
	site, client := siteTLS(t)
	site.NextProtos = protos
	r := relayed{make(chan net.Conn, 16)}
	e := serve(t, func(s *Server) { s.door = Door{site, r} })
	return e, r, client
}

func naming(c *tls.Config, protos ...string) *tls.Config {
	c = c.Clone()
	c.NextProtos = protos
	return c
}

func TestPagesAreServedWhereThePortIsShared(t *testing.T) {
	e, r, client := shared(t)
	for name, protos := range map[string][]string{"a browser": {"h2", "http/1.1"}, "a socket": {"http/1.1"}, "a program": nil, "a stranger": {"acme-tls/1"}} {
		dials := 0
		tr := &http.Transport{TLSClientConfig: naming(client, protos...), DialTLS: func(network, addr string) (net.Conn, error) {
			dials++
			return tls.Dial(network, addr, naming(client, protos...))
		}}
		for range 3 { // one connection for all
			res, err := (&http.Client{Transport: tr}).Get("https://" + e.addr + "/")
			if err != nil {
				t.Fatal(name, err)
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || !strings.Contains(string(body), "page") {
				t.Fatal(name, err)
			}
			if policy := res.Header.Get("Content-Security-Policy"); strings.Contains(policy, " ws://") {
				t.Errorf("%s: the request is not known for TLS: %s", name, policy)
			}
		}
		tr.CloseIdleConnections()
		if dials != 1 {
			t.Errorf("%s: %d connections", name, dials)
		}
	}
	if len(r.got) != 0 {
		t.Fatal("the relay was given a page")
	}
}

func TestHTTP2IsServedWhereItIsOn(t *testing.T) {
	e, _, client := shared(t, "h2", "http/1.1")
	tr := &http.Transport{TLSClientConfig: client.Clone(), ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get("https://" + e.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK {
		t.Fatal(res.Proto, res.Status)
	}
}

func TestSocketsOpenWhereThePortIsShared(t *testing.T) {
	e, _, client := shared(t)
	for _, protos := range [][]string{nil, {"http/1.1"}} {
		d := websocket.Dialer{TLSClientConfig: naming(client, protos...)}
		ws, _, err := d.Dial("wss://"+e.addr+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","seq":1,"body":{"version":1,"role":"caller","lang":"kk"}}`)); err != nil {
			t.Fatal(err)
		}
		if _, raw, err := ws.ReadMessage(); err != nil || !strings.Contains(string(raw), `"welcome"`) {
			t.Fatal(string(raw), err)
		}
		_ = ws.Close()
	}
}

func TestTURNOnThePortOfThePagesGoesToTheRelay(t *testing.T) {
	e, r, client := shared(t)
	first := append([]byte{0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 100)...)
	for _, protos := range [][]string{nil, {"stun.turn"}, {"http/1.1", "stun.turn"}} {
		c, err := tls.Dial("tcp", e.addr, naming(client, protos...))
		if err != nil {
			t.Fatal(err)
		}
		if len(protos) == 2 && c.ConnectionState().NegotiatedProtocol != "http/1.1" {
			t.Fatal("who names both is a page")
		}
		if len(protos) == 2 {
			_ = c.Close()
			continue
		}
		if _, err := c.Write(first); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-r.got:
			all := make([]byte, len(first))
			if _, err := io.ReadFull(got, all); err != nil || string(all) != string(first) {
				t.Fatalf("% x %v", all, err)
			}
			if _, err := got.Write([]byte("answer")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, all[:6]); err != nil || string(all[:6]) != "answer" {
				t.Fatal(err)
			}
			_ = got.Close()
		case <-time.After(5 * time.Second):
			t.Fatal(protos, "did not reach the relay")
		}
		_ = c.Close()
	}
}

func TestPlainHTTPOnTheSharedPortIsToldSo(t *testing.T) {
	e, _, _ := shared(t)
	res, err := http.Get("http://" + e.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTPS") {
		t.Fatal(res.Status, string(body))
	}
}

// TestSlowClientsHoldNobodyUp opens connections that say nothing, half a handshake, or nothing after
// one, and then asks for a page.
func TestSlowClientsHoldNobodyUp(t *testing.T) {
	e, _, client := shared(t)
	for i := range 120 {
		c, err := net.Dial("tcp", e.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		switch i % 3 {
		case 1:
			_, err = c.Write([]byte{0x16, 3, 1, 2, 0, 1})
		case 2:
			err = tls.Client(c, client).Handshake()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tr := &http.Transport{TLSClientConfig: client.Clone()}
	defer tr.CloseIdleConnections()
	begin := time.Now()
	res, err := (&http.Client{Transport: tr, Timeout: 5 * time.Second}).Get("https://" + e.addr + "/")
	if err != nil {
		t.Fatal("after", time.Since(begin), err)
	}
	_ = res.Body.Close()
}

func TestConnectionsOfOneAddressThatSayNothingAreBounded(t *testing.T) {
	site, client := siteTLS(t)
	r := relayed{make(chan net.Conn, 1)}
	e := serve(t, func(s *Server) { s.door, s.cfg.MaxSocketsAddr = Door{site, r}, 5 })
	var silent []net.Conn
	for range 5 {
		c, err := net.Dial("tcp", e.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	if c, err := tls.Dial("tcp", e.addr, client); err == nil {
		_ = c.Close()
		t.Fatal("one more is let in")
	}
	_ = silent[0].Close()
	for end := time.Now().Add(5 * time.Second); ; {
		c, err := tls.Dial("tcp", e.addr, client)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal("the place of who left is not given away: ", err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestTheSharedPortEndsInOrder(t *testing.T) {
	e, _, client := shared(t)
	silent, err := net.Dial("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c, err := tls.Dial("tcp", e.addr, client)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := time.Now()
	e.stop()
	for _, conn := range []net.Conn{silent, c} {
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(fmt.Sprint(err), "timeout") {
			t.Fatal("still open", err)
		}
	}
	if took := time.Since(begin); took > endTime {
		t.Fatal(took)
	}
}
