// Package signon lets staff sign in by the identity provider of their organization: OpenID Connect
// Core 1.0, authorization code with PKCE (RFC 7636), state and nonce. What has to be remembered
// between the two steps travels in a sealed cookie, so that nobody can fill our memory with
// beginnings.
package signon

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"jedel/internal/fault"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// BeginTime is how long somebody may take at the provider.
	BeginTime = 10 * time.Minute
	// askTime bounds one request to the provider: longer only keeps people before a blank page.
	askTime = 8 * time.Second
	// retryTime is how long a provider that did not answer is not asked again.
	retryTime = 5 * time.Second
	maxAnswer = 1 << 20 // bytes
	maxUsed   = 10000   // finished sign-ins that are remembered
	maxCode   = 4096    // bytes of a code or state
	maxGroups = 500     // values of a claim that are looked at
)

const op = "staff.oidc"

// Config is how the provider is asked, and what its claims mean here.
type Config struct {
	Issuer     string
	ClientID   string
	Secret     string
	Redirect   string // our address that the provider sends people back to
	Scopes     []string
	RolesClaim string
	Roles      map[string][]string // value of the claim -> roles
	UnitClaim  string
	Units      map[string]string // value of the claim -> unit; an empty one is the whole site
}

// Identity is who somebody is, as the provider says.
type Identity struct {
	Issuer, Subject string
	Name            string
	Mapped          bool // the roles are what the provider says; else others decide them
	Roles           []string
	UnitMapped      bool
	Unit            string
}

// Provider is one identity provider. It is safe for concurrent use.
type Provider struct {
	cfg  Config
	seal *sealer
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex // guards the rest
	found *oidc.Provider
	tried time.Time            // when it was last asked in vain
	used  map[string]time.Time // states that are finished, until they are over anyway
}

// New returns a provider that has not been asked yet: it may be down when we start. secret keys
// what travels in cookies.
func New(cfg Config, secret []byte) (*Provider, error) {
	s, err := newSealer(secret)
	if err != nil {
		return nil, err
	}
	return &Provider{
		cfg: cfg, seal: s, now: time.Now, used: map[string]time.Time{},
		http: &http.Client{Timeout: askTime, Transport: bounded{http.DefaultTransport}},
	}, nil
}

// bounded cuts off answers that are longer than any answer is.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

// discover asks the provider what it is, until it has answered once. An issuer is written with or
// without a slash at its end; only then are two names one issuer.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	found, recent := p.found, p.now().Sub(p.tried) < retryTime
	p.mu.Unlock()
	switch {
	case found != nil:
		return found, nil
	case recent:
		return nil, fault.Newf(fault.ProviderDown, op, "it did not answer a moment ago")
	}
	ctx = oidc.ClientContext(ctx, p.http)
	found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	var other *oidc.IssuerMismatchError
	if errors.As(err, &other) && strings.TrimSuffix(other.Discovered, "/") == strings.TrimSuffix(p.cfg.Issuer, "/") {
		found, err = oidc.NewProvider(ctx, other.Discovered)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.tried = p.now()
		return nil, fault.New(fault.ProviderDown, op, fmt.Errorf("discover: %w", err))
	}
	p.found = found
	return found, nil
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.Secret, Endpoint: found.Endpoint(), RedirectURL: p.cfg.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...),
	}
}

// Begin returns where to send somebody, and the cookie that they must bring back. back is our page
// that they come from.
func (p *Provider) Begin(ctx context.Context, back string) (url, cookie string, err error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	b := begun{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(), Back: back, Until: p.now().Add(BeginTime)}
	if cookie, err = p.seal.close(b); err != nil {
		return "", "", fmt.Errorf("seal: %w", err)
	}
	return p.oauth(found).AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)), cookie, nil
}

// Back returns the page that a cookie's owner came from; empty where it is not one of ours.
func (p *Provider) Back(cookie string) string {
	b, err := p.seal.open(cookie)
	if err != nil {
		return ""
	}
	return b.Back
}

// Finish returns who came back with a state and a code. What does not fit together is bad_sign_in,
// whatever it was; a provider out of reach is provider_down.
func (p *Provider) Finish(ctx context.Context, cookie, state, code string) (Identity, error) {
	b, err := p.seal.open(cookie)
	now := p.now()
	switch {
	case err != nil:
		return Identity{}, fault.New(fault.BadSignIn, op, fmt.Errorf("cookie: %w", err))
	case now.After(b.Until):
		return Identity{}, fault.Newf(fault.BadSignIn, op, "begun too long ago")
	case len(state) > maxCode || len(code) > maxCode || code == "" || subtle.ConstantTimeCompare([]byte(state), []byte(b.State)) != 1:
		return Identity{}, fault.Newf(fault.BadSignIn, op, "the state is another's")
	case !p.first(b, now):
		return Identity{}, fault.Newf(fault.BadSignIn, op, "finished before")
	}
	found, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.http)
	tokens, err := p.oauth(found).Exchange(ctx, code, oauth2.VerifierOption(b.Verifier))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
		return Identity{}, fault.New(fault.BadSignIn, op, fmt.Errorf("exchange: %w", err))
	}
	if err != nil {
		return Identity{}, fault.New(fault.ProviderDown, op, fmt.Errorf("exchange: %w", err))
	}
	return p.identity(ctx, found, tokens, b.Nonce)
}

// first reports whether a sign-in is finished for the first time.
func (p *Provider) first(b begun, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, again := p.used[b.State]; again {
		return false
	}
	if len(p.used) >= maxUsed {
		for state, until := range p.used {
			if now.After(until) {
				delete(p.used, state)
			}
		}
	}
	if len(p.used) >= maxUsed {
		return false
	}
	p.used[b.State] = b.Until
	return true
}

// identity checks the ID token as OpenID Connect Core 1.0 section 3.1.3.7 says and reads who it is.
func (p *Provider) identity(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, nonce string) (Identity, error) {
	raw, _ := tokens.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, fault.New(fault.BadSignIn, op, fmt.Errorf("ID token: %w", err))
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return Identity{}, fault.New(fault.BadSignIn, op, err)
	}
	azp, given := claims["azp"].(string)
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return Identity{}, fault.Newf(fault.BadSignIn, op, "the nonce is another's")
	case id.Subject == "" || len(id.Subject) > 255: // section 2
		return Identity{}, fault.Newf(fault.BadSignIn, op, "subject")
	case given && azp != p.cfg.ClientID || !given && len(id.Audience) > 1:
		return Identity{}, fault.Newf(fault.BadSignIn, op, "made for another client")
	}
	if err := p.complete(ctx, found, tokens, id.Subject, claims); err != nil {
		return Identity{}, err
	}
	return p.read(Identity{Issuer: id.Issuer, Subject: id.Subject}, claims)
}

// complete adds claims that the provider keeps for its userinfo endpoint (section 5.3).
func (p *Provider) complete(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, subject string, claims map[string]any) error {
	missing := claims["name"] == nil
	for _, c := range []string{p.cfg.RolesClaim, p.cfg.UnitClaim} {
		missing = missing || c != "" && claims[c] == nil
	}
	if !missing || found.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fault.New(fault.ProviderDown, op, fmt.Errorf("userinfo: %w", err))
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil || info.Subject != subject {
		return fault.Newf(fault.BadSignIn, op, "userinfo is somebody else's: %v", err)
	}
	for key, v := range more {
		if _, there := claims[key]; !there {
			claims[key] = v
		}
	}
	return nil
}
