package signon

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/fault"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	provided "github.com/zitadel/oidc/v3/pkg/oidc"
)

const redirect = "http://127.0.0.1:9/api/v1/staff/oidc/callback" // nothing listens there: tests read where they are sent

// groups adds a claim to what the provider's userinfo endpoint tells.
type groups struct {
	*storage.Storage
	of []string
}

func (g groups) SetUserinfoFromToken(ctx context.Context, info *provided.UserInfo, token, subject, origin string) error {
	err := g.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin)
	info.AppendClaims("groups", g.of)
	return err
}

// directory is a real provider, and a door before it that may change what the token endpoint says.
type directory struct {
	t      *testing.T
	issuer string

	mu   sync.Mutex
	edit func(idToken string) string
	last string // the last ID token that the provider made
	down bool
}

func provide(t *testing.T, path string) *directory {
	t.Helper()
	d := &directory{t: t}
	var h http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.serve(h, w, r) }))
	t.Cleanup(front.Close)
	d.issuer = front.URL + path
	clients := map[string]*storage.Client{
		"jedel": storage.WebClient("jedel", "s3cret", redirect), "other": storage.WebClient("other", "s3cret", redirect),
	}
	store := groups{storage.NewStorageWithClients(storage.NewUserStore(d.issuer), clients), []string{"operators", "nobody knows", "operators"}}
	provider := exampleop.SetupServer(d.issuer, store, nil, false)
	below := http.NewServeMux()
	below.Handle("/", provider) // its form knows nothing of the path
	if prefix := strings.TrimSuffix(path, "/"); prefix != "" {
		below.Handle(prefix+"/", http.StripPrefix(prefix, provider))
	}
	h = below
	return d
}

func (d *directory) serve(h http.Handler, w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	edit, down := d.edit, d.down
	d.mu.Unlock()
	if down {
		http.Error(w, "out of order", http.StatusBadGateway)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/oauth/token") {
		h.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	var v map[string]any
	if json.Unmarshal(rec.Body.Bytes(), &v) == nil && v["id_token"] != nil {
		token, _ := v["id_token"].(string)
		d.mu.Lock()
		d.last = token
		d.mu.Unlock()
		if edit != nil {
			v["id_token"] = edit(token)
		}
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_ = json.NewEncoder(w).Encode(v)
}

func (d *directory) set(edit func(string) string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.edit = edit
}

// visit signs in at the provider as a browser would and returns what it sends back.
func (d *directory) visit(at string) (state, code string) {
	d.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	var back *url.URL
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirect) {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	res, err := browser.Get(at)
	if err != nil {
		d.t.Fatal(err)
	}
	form := res.Request.URL
	page, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	host := strings.Split(strings.Split(d.issuer, "://")[1], ":")[0]
	q := url.Values{"username": {"test-user@" + host}, "password": {"verysecure"}, "id": {form.Query().Get("authRequestID")}}
	to := *form
	if to.RawQuery = ""; !strings.HasSuffix(to.Path, "/login/username") {
		d.t.Fatalf("no form at %s: %s", form, page)
	}
	if res, err = browser.PostForm(to.String(), q); err != nil {
		d.t.Fatal(err)
	}
	_ = res.Body.Close()
	if back == nil {
		d.t.Fatalf("sent nowhere: %s", res.Status)
	}
	return back.Query().Get("state"), back.Query().Get("code")
}

func client(t *testing.T, issuer, id string) *Provider {
	t.Helper()
	p, err := New(Config{
		Issuer: issuer, ClientID: id, Secret: "s3cret", Redirect: redirect, Scopes: []string{"profile"}, RolesClaim: "groups",
		Roles: map[string][]string{"operators": {"operator"}, "chiefs": {"supervisor"}},
	}, []byte("secret of the site"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func want(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("%v, want %q", err, code)
	}
}

// TestSomebodyComesByTheirProvider writes the issuer with and without a slash, below paths too.
func TestSomebodyComesByTheirProvider(t *testing.T) {
	for _, path := range []string{"", "/realms/police", "/realms/police/"} {
		d := provide(t, path)
		for _, issuer := range []string{d.issuer, strings.TrimSuffix(d.issuer, "/") + "/", strings.TrimSuffix(d.issuer, "/")} {
			p := client(t, issuer, "jedel")
			at, cookie, err := p.Begin(t.Context(), "/console")
			want(t, err, "")
			if q, _ := url.Parse(at); q.Query().Get("code_challenge_method") != "S256" || q.Query().Get("nonce") == "" || q.Query().Get("state") == "" {
				t.Fatal(at)
			}
			state, code := d.visit(at)
			id, err := p.Finish(t.Context(), cookie, state, code)
			want(t, err, "")
			if id.Issuer != d.issuer || id.Subject != "id1" || id.Name != "Test User" || !slices.Equal(id.Roles, []string{"operator"}) || !id.Mapped || p.Back(cookie) != "/console" {
				t.Fatalf("%+v", id)
			}
		}
	}
}

func TestAnotherIssuerIsNotTaken(t *testing.T) {
	d := provide(t, "/realms/police")
	_, _, err := client(t, strings.Replace(d.issuer, "127.0.0.1", "localhost", 1), "jedel").Begin(t.Context(), "")
	want(t, err, fault.ProviderDown)
}

// TestWhatDoesNotFitTogetherIsRefused is what somebody on the way or at the page may try.
func TestWhatDoesNotFitTogetherIsRefused(t *testing.T) {
	d := provide(t, "")
	p := client(t, d.issuer, "jedel")
	begin := func() (at, cookie string) {
		t.Helper()
		at, cookie, err := p.Begin(t.Context(), "/console")
		want(t, err, "")
		return at, cookie
	}
	finish := func(cookie, state, code string) error {
		_, err := p.Finish(t.Context(), cookie, state, code)
		return err
	}
	t.Run("another's state", func(t *testing.T) {
		at, mine := begin()
		_, theirs := begin()
		state, code := d.visit(at)
		want(t, finish(theirs, state, code), fault.BadSignIn)
		want(t, finish("", state, code), fault.BadSignIn)
		want(t, finish(mine, state+"x", code), fault.BadSignIn)
		want(t, finish(mine, "", code), fault.BadSignIn)
		want(t, finish(mine, state, ""), fault.BadSignIn)
		want(t, finish(mine[:len(mine)-2]+"AA", state, code), fault.BadSignIn)
		want(t, finish(strings.Repeat("A", 1<<20), state, code), fault.BadSignIn)
		want(t, finish(mine, state, code), "")
	})
	t.Run("a code twice", func(t *testing.T) {
		at, cookie := begin()
		state, code := d.visit(at)
		want(t, finish(cookie, state, code), "")
		want(t, finish(cookie, state, code), fault.BadSignIn)
		_, fresh := begin() // a state that was not used, and a code that was
		b, err := p.seal.open(fresh)
		want(t, err, "")
		want(t, finish(fresh, b.State, code), fault.BadSignIn)
	})
	t.Run("a code of another sign-in", func(t *testing.T) {
		at1, cookie1 := begin()
		at2, _ := begin()
		state1, _ := d.visit(at1)
		_, code2 := d.visit(at2)
		want(t, finish(cookie1, state1, code2), fault.BadSignIn) // the verifier is another's: PKCE
	})
	t.Run("too late", func(t *testing.T) {
		at, cookie := begin()
		state, code := d.visit(at)
		p.now = func() time.Time { return time.Now().Add(BeginTime + time.Second) }
		want(t, finish(cookie, state, code), fault.BadSignIn)
		p.now = time.Now
	})
	t.Run("sealed by another site", func(t *testing.T) {
		other, err := New(p.cfg, []byte("another secret"))
		want(t, err, "")
		at, cookie, err := other.Begin(t.Context(), "/console")
		want(t, err, "")
		state, code := d.visit(at)
		want(t, finish(cookie, state, code), fault.BadSignIn)
	})
}

// TestAForgedTokenOpensNothing changes what the token endpoint says, as somebody between us would.
func TestAForgedTokenOpensNothing(t *testing.T) {
	d := provide(t, "")
	attacker, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	stranger := client(t, d.issuer, "other")
	at, cookie, err := stranger.Begin(t.Context(), "/")
	want(t, err, "")
	state, code := d.visit(at)
	_, err = stranger.Finish(t.Context(), cookie, state, code)
	want(t, err, "")
	foreign := d.last // well signed, for another client
	p := client(t, d.issuer, "jedel")
	at, cookie, err = p.Begin(t.Context(), "/")
	want(t, err, "")
	state, code = d.visit(at)
	_, err = p.Finish(t.Context(), cookie, state, code)
	want(t, err, "")
	old := d.last // well signed, for us, of another sign-in
	for name, edit := range map[string]func(string) string{
		"nonce of another sign-in": func(string) string { return old },
		"audience of another":      func(string) string { return foreign },
		"algorithm none": func(token string) string {
			return encode(map[string]any{"alg": "none"}) + "." + part(token, 1) + "."
		},
		"signature left out": func(token string) string { return part(token, 0) + "." + part(token, 1) + "." },
		"claims changed": func(token string) string {
			return part(token, 0) + "." + changed(token, "sub", "id2") + "." + part(token, 2)
		},
		"key of nobody": func(token string) string { return sign(t, attacker, part(token, 0), part(token, 1)) },
		"key in its own header": func(token string) string {
			return sign(t, attacker, encode(map[string]any{"alg": "RS256", "jwk": map[string]any{"kty": "RSA"}}), part(token, 1))
		},
		"signed with our secret": func(token string) string {
			return encode(map[string]any{"alg": "HS256"}) + "." + part(token, 1) + ".AAAA"
		},
		"no token":          func(string) string { return "" },
		"not a token":       func(string) string { return "a.b.c" },
		"a very long token": func(string) string { return strings.Repeat("A", 2<<20) },
		"issuer of another": func(token string) string {
			return sign(t, attacker, part(token, 0), changed(token, "iss", "https://evil.example"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			at, cookie, err := p.Begin(t.Context(), "/")
			want(t, err, "")
			state, code := d.visit(at)
			d.set(edit)
			defer d.set(nil)
			if _, err := p.Finish(t.Context(), cookie, state, code); err == nil || fault.CodeOf(err) != fault.BadSignIn && name != "a very long token" {
				t.Fatal(err)
			}
		})
	}
	t.Run("expired", func(t *testing.T) {
		at, cookie, err := p.Begin(t.Context(), "/")
		want(t, err, "")
		state, code := d.visit(at)
		b, err := p.seal.open(cookie)
		want(t, err, "")
		b.Until = time.Now().Add(1000 * time.Hour) // as if people might take that long
		cookie, err = p.seal.close(b)
		want(t, err, "")
		p.now = func() time.Time { return time.Now().Add(25 * time.Hour) }
		defer func() { p.now = time.Now }()
		_, err = p.Finish(t.Context(), cookie, state, code)
		want(t, err, fault.BadSignIn)
	})
	t.Run("the same without a change is taken", func(t *testing.T) {
		at, cookie, err := p.Begin(t.Context(), "/")
		want(t, err, "")
		state, code := d.visit(at)
		d.set(func(token string) string { return token })
		defer d.set(nil)
		_, err = p.Finish(t.Context(), cookie, state, code)
		want(t, err, "")
	})
}

func TestAProviderThatIsDownIsSaidAndAskedAgain(t *testing.T) {
	d := provide(t, "")
	p := client(t, d.issuer, "jedel")
	d.mu.Lock()
	d.down = true
	d.mu.Unlock()
	_, _, err := p.Begin(t.Context(), "/")
	want(t, err, fault.ProviderDown)
	d.mu.Lock()
	d.down = false
	d.mu.Unlock()
	_, _, err = p.Begin(t.Context(), "/")
	want(t, err, fault.ProviderDown) // it is not asked by everybody at once
	p.now = func() time.Time { return time.Now().Add(retryTime) }
	at, cookie, err := p.Begin(t.Context(), "/")
	want(t, err, "")
	p.now = time.Now
	state, code := d.visit(at)
	d.mu.Lock()
	d.down = true
	d.mu.Unlock()
	_, err = p.Finish(t.Context(), cookie, state, code)
	want(t, err, fault.ProviderDown)
}

func TestClaimsAreReadWhateverTheyAre(t *testing.T) {
	p := &Provider{cfg: Config{RolesClaim: "groups", Roles: map[string][]string{"a": {"operator"}, "b": {"dispatcher", "operator"}}, UnitClaim: "ou", Units: map[string]string{"n": "north", "hq": ""}}}
	for _, c := range []struct {
		claims map[string]any
		roles  []string
		unit   string
		code   fault.Code
	}{
		{map[string]any{"groups": []any{"a", "b", 7.0, nil}, "ou": "n"}, []string{"operator", "dispatcher"}, "north", ""},
		{map[string]any{"groups": "b", "ou": []any{"x", "hq"}}, []string{"dispatcher", "operator"}, "", ""},
		{map[string]any{"groups": "b"}, nil, "", fault.NoAccount}, // no unit would be every unit
		{map[string]any{"groups": map[string]any{"a": 1.0}, "ou": "n", "name": strings.Repeat("ә\n", 1000)}, nil, "north", ""},
	} {
		id, err := p.read(Identity{}, c.claims)
		if fault.CodeOf(err) != c.code || err == nil && (!slices.Equal(id.Roles, c.roles) || id.Unit != c.unit) || len([]rune(id.Name)) > maxName || strings.Contains(id.Name, "\n") {
			t.Errorf("%+v %v", id, err)
		}
	}
}

func part(token string, n int) string { return strings.Split(token, ".")[n] }

func encode(v any) string {
	raw, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// changed returns the claims of a token with one of them changed.
func changed(token, claim string, value any) string {
	raw, _ := base64.RawURLEncoding.DecodeString(part(token, 1))
	v := map[string]any{}
	_ = json.NewDecoder(bytes.NewReader(raw)).Decode(&v)
	v[claim] = value
	return encode(v)
}

func sign(t *testing.T, key *rsa.PrivateKey, header, claims string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(header + "." + claims))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return header + "." + claims + "." + base64.RawURLEncoding.EncodeToString(sig)
}
