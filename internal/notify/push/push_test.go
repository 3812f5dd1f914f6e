package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"
)

var b64 = base64.RawURLEncoding

// browser is a subscriber who can read what was sent to them.
type browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := browser{key, make([]byte, 16)}
	_, _ = rand.Read(b.auth)
	return b
}

func (b browser) subscription(endpoint string) notify.Subscription {
	return notify.Subscription{Endpoint: endpoint, P256dh: b64.EncodeToString(b.key.PublicKey().Bytes()), Auth: b64.EncodeToString(b.auth)}
}

// read decrypts a message as RFC 8291 section 3.4 and RFC 8188 section 2 say.
func (b browser) read(raw []byte) ([]byte, error) {
	if len(raw) < 86 || raw[20] != 65 {
		return nil, errors.New("header")
	}
	salt, size, sender, cipherText := raw[:16], binary.BigEndian.Uint32(raw[16:]), raw[21:86], raw[86:]
	if len(raw) > int(size) {
		return nil, errors.New("more than one record")
	}
	pub, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(pub)
	if err != nil {
		return nil, err
	}
	derive := func(secret, salt []byte, info string, n int) []byte {
		out, err := hkdf.Key(sha256.New, secret, salt, info, n)
		if err != nil {
			panic(err)
		}
		return out
	}
	ikm := derive(shared, b.auth, "WebPush: info\x00"+string(b.key.PublicKey().Bytes())+string(sender), 32)
	block, err := aes.NewCipher(derive(ikm, salt, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, derive(ikm, salt, "Content-Encoding: nonce\x00", 12), cipherText, nil)
	if err != nil {
		return nil, err
	}
	plain = []byte(strings.TrimRight(string(plain), "\x00"))
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("padding")
	}
	return plain[:len(plain)-1], nil
}

// vouched checks the token of RFC 8292 section 2 and returns what it claims.
func vouched(header, public string) (map[string]any, error) {
	token, ok := strings.CutPrefix(header, "vapid t=")
	token, key, two := strings.Cut(token, ", k=")
	parts := strings.Split(token, ".")
	if !ok || !two || key != public || len(parts) != 3 {
		return nil, errors.New("not a token: " + header)
	}
	sig, err := b64.DecodeString(parts[2])
	if err != nil || len(sig) != 64 {
		return nil, errors.New("signature")
	}
	point, err := b64.DecodeString(key)
	if err != nil || len(point) != 65 {
		return nil, errors.New("key")
	}
	pub := ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(point[1:33]), Y: new(big.Int).SetBytes(point[33:])}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(&pub, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return nil, errors.New("signature is wrong")
	}
	raw, err := b64.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(raw, &claims)
}

// service is a push service in this process.
type service struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*http.Request
	body [][]byte
}

func serve(t *testing.T, answer http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.got, s.body = append(s.got, r), append(s.body, raw)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) carrier(t *testing.T, keys Keys) *Carrier {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return New(Config{Keys: keys, Subject: "mailto:duty@example.kz", Guard: Guard{Private: true}, Timeout: 2 * time.Second, TLS: &tls.Config{RootCAs: roots}})
}

func testKeys(t *testing.T) Keys {
	t.Helper()
	k, err := LoadKeys(filepath.Join(t.TempDir(), "keys", "vapid.json"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func created(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }

func TestTheBrowserReadsANoticeAndNobodyElse(t *testing.T) {
	s, keys, b := serve(t, created), testKeys(t), newBrowser(t)
	l := notify.Letter{ID: "m1-1", Lang: "kk", Number: "26-000123", Text: "Жаңалық бар", Tag: "case", Urgent: true, Until: time.Now().Add(2 * time.Hour), Subscription: b.subscription(s.URL + "/p/1")}
	if got := s.carrier(t, keys).Send(t.Context(), l); got != (outbox.Accepted{}) {
		t.Fatalf("%#v", got)
	}
	plain, err := b.read(s.body[0])
	if err != nil {
		t.Fatal(err)
	}
	var n Notice
	if err := json.Unmarshal(plain, &n); err != nil || n != (Notice{Number: "26-000123", Text: "Жаңалық бар", Lang: "kk", Tag: "case"}) {
		t.Error(n, err)
	}
	if _, err := newBrowser(t).read(s.body[0]); err == nil {
		t.Error("another browser read it")
	}
	r := s.got[0]
	claims, err := vouched(r.Header.Get("Authorization"), keys.Public)
	at, _ := url.Parse(s.URL)
	if err != nil || claims["aud"] != "https://"+at.Host || claims["sub"] != "mailto:duty@example.kz" {
		t.Error(claims, err)
	}
	if exp, _ := claims["exp"].(float64); time.Until(time.Unix(int64(exp), 0)) > 24*time.Hour || time.Until(time.Unix(int64(exp), 0)) < time.Hour {
		t.Error("the token lives for", time.Until(time.Unix(int64(exp), 0)))
	}
	if ttl := r.Header.Get("TTL"); r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("Urgency") != "high" || ttl < "7190" || ttl > "7200" {
		t.Error(r.Header)
	}
}

// TestLengthsTellNothing sends texts of many lengths.
func TestLengthsTellNothing(t *testing.T) {
	s, b := serve(t, created), newBrowser(t)
	c := s.carrier(t, testKeys(t))
	for _, n := range []int{0, 1, 300, 1500} {
		if got := c.Send(t.Context(), notify.Letter{Text: strings.Repeat("x", n), Subscription: b.subscription(s.URL)}); got != (outbox.Accepted{}) {
			t.Fatal(n, got)
		}
	}
	for _, body := range s.body {
		if len(body) != len(s.body[0]) {
			t.Errorf("%d and %d bytes", len(body), len(s.body[0]))
		}
	}
	if got, ok := c.Send(t.Context(), notify.Letter{Text: strings.Repeat("x", 3000), Subscription: b.subscription(s.URL)}).(outbox.Refused); !ok || got.Gone {
		t.Error(got)
	}
}

func TestEveryAnswerHasItsMeaning(t *testing.T) {
	for code, want := range map[int]outbox.Outcome{
		200: outbox.Accepted{}, 201: outbox.Accepted{}, 202: outbox.Accepted{},
		404: outbox.Refused{Reason: "subscription ended", Gone: true}, 410: outbox.Refused{Reason: "subscription ended", Gone: true},
		400: outbox.Refused{Reason: "status 400"}, 403: outbox.Refused{Reason: "status 403"}, 413: outbox.Refused{Reason: "status 413"},
		302: outbox.Later{Reason: "status 302"}, 429: outbox.Later{Reason: "status 429"}, 503: outbox.Later{Reason: "status 503"},
		500: outbox.Unknown{Reason: "status 500"}, 502: outbox.Unknown{Reason: "status 502"},
	} {
		s, b := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		}), newBrowser(t)
		got := s.carrier(t, testKeys(t)).Send(t.Context(), notify.Letter{Subscription: b.subscription(s.URL)})
		if got != want || len(s.got) != 1 {
			t.Errorf("%d: %#v, asked %d times", code, got, len(s.got))
		}
	}
}

func TestHostileServicesEndInTime(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}
	slammed := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   outbox.Outcome
	}{"silent": {silent, outbox.Unknown{Reason: "no answer"}}, "endless": {endless, outbox.Accepted{}}, "slammed": {slammed, outbox.Unknown{Reason: "no answer"}}} {
		s, b := serve(t, c.answer), newBrowser(t)
		carrier := s.carrier(t, testKeys(t))
		carrier.cfg.Timeout = 300 * time.Millisecond
		if got := carrier.Send(t.Context(), notify.Letter{Subscription: b.subscription(s.URL)}); got != c.want {
			t.Errorf("%s: %#v", name, got)
		}
		s.CloseClientConnections()
	}
}

// TestAGuardedCarrierCallsNobodyAtHome has a name that would lead to this machine.
func TestAGuardedCarrierCallsNobodyAtHome(t *testing.T) {
	s, b := serve(t, created), newBrowser(t)
	c := s.carrier(t, testKeys(t))
	c = New(Config{Keys: c.cfg.Keys, Guard: Guard{}, Timeout: time.Second, TLS: c.cfg.TLS})
	at, _ := url.Parse(s.URL)
	res, err := c.client.Get("https://localhost:" + at.Port()) // past Check, as a name that changed its mind
	if err == nil {
		_ = res.Body.Close()
	}
	if !errors.Is(err, errForbidden) {
		t.Error(err)
	}
	if got := c.Send(t.Context(), notify.Letter{Subscription: b.subscription(s.URL)}); got != (outbox.Refused{Reason: "bad subscription", Gone: true}) {
		t.Errorf("%#v", got)
	}
	if len(s.got) != 0 {
		t.Error("it was called")
	}
}

func TestSubscriptionsAreThoseOfPushServices(t *testing.T) {
	b := newBrowser(t)
	known := Guard{Hosts: []string{"fcm.googleapis.com", "*.push.apple.com"}}
	for endpoint, want := range map[string][2]bool{ // any public host, the known ones
		"https://fcm.googleapis.com/fcm/send/abc":                        {true, true},
		"https://FCM.googleapis.com:443/x":                               {true, true},
		"https://web.push.apple.com/QA":                                  {true, true},
		"https://push.apple.com/QA":                                      {true, false},
		"https://evilpush.apple.com.example.kz/":                         {true, false},
		"https://fcm.googleapis.com.example.kz/":                         {true, false},
		"https://push.example.kz/":                                       {true, false},
		"https://8.8.8.8/":                                               {true, false},
		"http://fcm.googleapis.com/":                                     {false, false},
		"https://fcm.googleapis.com:8443/":                               {false, false},
		"https://user@fcm.googleapis.com/":                               {false, false},
		"https://localhost/":                                             {false, false},
		"https://intranet/":                                              {false, false},
		"https://127.0.0.1/":                                             {false, false},
		"https://10.0.0.1/":                                              {false, false},
		"https://169.254.169.254/latest":                                 {false, false},
		"https://[::1]/":                                                 {false, false},
		"https://[fe80::1%25eth0]/":                                      {false, false},
		"https://[::ffff:192.168.0.1]/":                                  {false, false},
		"https://100.64.0.1/":                                            {false, false},
		"https://fcm.googleapis.com/#x":                                  {false, false},
		"https://fcm.googleapis.com/\n":                                  {false, false},
		"https:///x":                                                     {false, false},
		"javascript:alert(1)":                                            {false, false},
		"https://fcm.googleapis.com/" + strings.Repeat("a", MaxEndpoint): {false, false},
		"": {false, false},
	} {
		for i, g := range []Guard{{}, known} {
			if _, err := g.Check(b.subscription(endpoint)); (err == nil) != want[i] {
				t.Errorf("%s, guard %d: %v", endpoint, i, err)
			}
		}
	}
	good := b.subscription("https://fcm.googleapis.com/1")
	for name, change := range map[string]func(*notify.Subscription){
		"no key":          func(s *notify.Subscription) { s.P256dh = "" },
		"off the curve":   func(s *notify.Subscription) { s.P256dh = b64.EncodeToString(append([]byte{4}, make([]byte, 64)...)) },
		"a long key":      func(s *notify.Subscription) { s.P256dh += strings.Repeat("A", 5000) },
		"a short secret":  func(s *notify.Subscription) { s.Auth = b64.EncodeToString(make([]byte, 15)) },
		"no base64":       func(s *notify.Subscription) { s.Auth = "*" },
		"a long secret":   func(s *notify.Subscription) { s.Auth = b64.EncodeToString(make([]byte, 17)) },
		"spaces in a key": func(s *notify.Subscription) { s.P256dh = " " + s.P256dh },
	} {
		s := good
		change(&s)
		if _, err := known.Check(s); !errors.Is(err, ErrSubscription) {
			t.Errorf("%s: %v", name, err)
		}
	}
	padded := good
	padded.Auth = base64.StdEncoding.EncodeToString(b.auth)
	if got, err := known.Check(padded); err != nil || got != good {
		t.Error(got, err)
	}
}

func TestNamesThatResolveToOurselvesAreRefused(t *testing.T) {
	for _, c := range []struct {
		ip   string
		want bool
	}{{"127.0.0.1", false}, {"10.1.2.3", false}, {"172.16.0.1", false}, {"192.168.1.1", false}, {"169.254.0.1", false}, {"100.127.255.255", false}, {"224.0.0.1", false}, {"0.0.0.0", false}, {"255.255.255.255", false},
		{"::1", false}, {"fe80::1", false}, {"fc00::1", false}, {"::ffff:10.0.0.1", false}, {"64:ff9b::a00:1", false}, {"2002:a00:1::", false}, {"ff02::1", false}, {"::", false},
		{"8.8.8.8", true}, {"2a00:1450:4001:801::200e", true}} {
		if got := (Guard{}).reachable(netip.MustParseAddr(c.ip)); got != c.want {
			t.Errorf("%s: %v", c.ip, got)
		}
	}
}

func TestKeysAreMadeOnceAndAreTheirOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "vapid.json")
	var wg sync.WaitGroup
	made := make([]Keys, 8)
	for i := range made {
		wg.Go(func() { made[i], _ = LoadKeys(path) })
	}
	wg.Wait()
	again, err := LoadKeys(path)
	for _, k := range made {
		if err != nil || k != again || k.Private == "" {
			t.Fatal(k, again, err)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".vapid-*")); len(left) > 0 {
		t.Error(left)
	}
	other, _ := json.Marshal(Keys{Public: again.Public, Private: testKeys(t).Private})
	for _, raw := range []string{"", "{}", "no", string(other)} {
		bad := filepath.Join(t.TempDir(), "vapid.json")
		if err := os.WriteFile(bad, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeys(bad); err == nil {
			t.Errorf("%q is a pair of keys", raw)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("https://fcm.googleapis.com/1", "BA", "AA")
	f.Fuzz(func(_ *testing.T, endpoint, key, auth string) {
		_, _ = Guard{}.Check(notify.Subscription{Endpoint: endpoint, P256dh: key, Auth: auth})
	})
}
