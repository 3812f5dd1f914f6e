package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/hints"
	"jedel/internal/notify"
	"jedel/internal/notify/httpsms"
	"jedel/internal/notify/push"
	"jedel/internal/notify/smsc"
	"jedel/internal/notify/tape"
	"jedel/internal/outbox"
	"jedel/internal/store"
	"jedel/signaling"

	"github.com/prometheus/client_golang/prometheus"
)

// mail is messages to citizens, and where their browsers take notices.
type mail struct {
	*notify.Sender
	db    *store.DB
	hints *hints.Hub
	guard push.Guard
	key   string // public, of notices; empty: none are sent
	// reports tells whether there is a report whose key has this SHA-256 (hexadecimal).
	reports func(ctx context.Context, hash string) (bool, error)
}

// newMail makes the carriers that are configured.
func (a *App) newMail(ctx context.Context, opt Options, reg prometheus.Registerer) (*mail, error) {
	c := a.cfg.Notify
	m := &mail{db: a.db, hints: a.hints, reports: a.knownKey, guard: push.Guard{Hosts: c.Push.Hosts}}
	carriers := map[outbox.Channel]notify.Carrier{}
	sms, err := smsCarrier(ctx, c, opt.DataDir, a.log)
	if err != nil {
		return nil, err
	}
	if sms != nil {
		carriers[outbox.SMS] = sms
	}
	if c.Push.Subject != "" {
		keys, err := push.LoadKeys(filepath.Join(opt.DataDir, "keys", "vapid.json"))
		if err != nil {
			return nil, fmt.Errorf("keys of notices: %w", err)
		}
		m.key = keys.Public
		carriers[outbox.Push] = push.New(push.Config{Keys: keys, Subject: c.Push.Subject, Guard: m.guard, Timeout: pushTime})
	}
	var channels []outbox.Channel
	for _, name := range c.Channels {
		channels = append(channels, outbox.Channel(name))
	}
	m.Sender = notify.New(notify.Config{
		Policy: c.Policy(), Zone: a.zone, Channels: channels, Carriers: carriers, Prefixes: c.Prefixes, Texts: c.Words(), MaxParts: c.MaxParts,
		Store: a.db, Log: a.log, Reg: reg,
	})
	return m, nil
}

// pushTime bounds one notice to one browser. A citizen's five browsers together stay within an attempt.
const pushTime = 10 * time.Second

// smsCarrier makes the carrier of text messages, nil where there is none.
func smsCarrier(ctx context.Context, c config.Notify, dataDir string, log *slog.Logger) (notify.Carrier, error) {
	switch c.SMS {
	case config.SMSTape:
		return tape.New(filepath.Join(dataDir, "messages.jsonl")), nil
	case config.SMSHTTP:
		return httpCarrier(ctx, c)
	case config.SMSSMPP:
		return smppCarrier(c, log)
	}
	return nil, nil
}

func httpCarrier(ctx context.Context, c config.Notify) (notify.Carrier, error) {
	h := httpsms.Config{
		URL: c.HTTP.URL, Method: c.HTTP.Method, Headers: c.HTTP.Headers, Body: c.HTTP.Body, Format: c.HTTP.Format, Sender: c.Sender,
		IDAt: c.HTTP.IDAt, ErrorAt: c.HTTP.ErrorAt, Refuse: c.HTTP.Refuse, Timeout: c.HTTP.Timeout,
	}
	var err error
	if c.HTTP.Secret != "" {
		if h.Secret, err = readSecret(c.HTTP.Secret); err != nil {
			return nil, fmt.Errorf("notify.http.secret_file: %w", err)
		}
	}
	if c.HTTP.CAFile != "" {
		if h.CA, err = os.ReadFile(c.HTTP.CAFile); err != nil {
			return nil, fmt.Errorf("notify.http.ca_file: %w", err)
		}
	}
	carrier, err := httpsms.New(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("notify.http: %w", err)
	}
	return carrier, nil
}

func smppCarrier(c config.Notify, log *slog.Logger) (notify.Carrier, error) {
	password, err := readSecret(c.SMPP.Password)
	if err != nil {
		return nil, fmt.Errorf("notify.smpp.password_file: %w", err)
	}
	s := smsc.Config{
		Addr: c.SMPP.Addr, SystemID: c.SMPP.SystemID, Password: password, SystemType: c.SMPP.SystemType, Sender: c.Sender, AnswerTime: c.SMPP.Answer,
		Enquire: c.SMPP.Enquire, PerSecond: c.SMPP.PerSecond, Retry: time.Second, Decimal: c.SMPP.Decimal,
	}
	if c.SMPP.TLS {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if c.SMPP.CAFile != "" {
			raw, err := os.ReadFile(c.SMPP.CAFile)
			if err != nil {
				return nil, fmt.Errorf("notify.smpp.ca_file: %w", err)
			}
			s.TLS.RootCAs = x509.NewCertPool()
			if !s.TLS.RootCAs.AppendCertsFromPEM(raw) {
				return nil, errors.New("notify.smpp.ca_file: no certificate in it")
			}
		}
	}
	return smsc.New(s, log), nil
}

// maxSecretFile bounds a file with a password, in bytes.
const maxSecretFile = 4 << 10

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	return strings.TrimSpace(string(raw)), err
}

// Key implements signaling.Pushes.
func (m *mail) Key() string { return m.key }

// Citizen implements signaling.Pushes. Whoever has not called or reported anything has nothing to hear of.
func (m *mail) Citizen(ctx context.Context, who signaling.Maker, reportKey string) (string, error) {
	const op = "push"
	if who.Caller != "" {
		return store.CallerCitizen(who.Caller), nil
	}
	if who.Client != "" {
		switch called, err := m.db.HasCalled(ctx, who.Client); {
		case err != nil:
			return "", fault.New(fault.Unavailable, op, err)
		case !called:
			return "", fault.New(fault.NotSignedIn, op, nil)
		}
		return notify.PageCitizen(who.Client), nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(reportKey)
	if err != nil || len(raw) != 16 {
		return "", fault.New(fault.NotSignedIn, op, err)
	}
	sum := sha256.Sum256(raw)
	hash := hex.EncodeToString(sum[:])
	switch known, err := m.reports(ctx, hash); {
	case err != nil:
		return "", fault.New(fault.Unavailable, op, err)
	case !known:
		return "", fault.New(fault.NotSignedIn, op, nil)
	}
	return notify.ReportCitizen(hash), nil
}

// How often one citizen may change their subscriptions; a page does it once a visit.
const (
	pushTurns  = 30
	pushWindow = time.Hour
)

// Subscribe implements signaling.Pushes.
func (m *mail) Subscribe(ctx context.Context, citizen string, s signaling.PushSubscription) error {
	const op = "push"
	if m.key == "" {
		return fault.New(fault.NotFound, op, nil)
	}
	sub, err := m.guard.Check(notify.Subscription{Endpoint: s.Endpoint, P256dh: s.P256dh, Auth: s.Auth})
	if err != nil {
		return fault.New(fault.BadValue, op, err)
	}
	if !m.hints.Take(ctx, "push:"+citizen, pushTurns, pushWindow) {
		return fault.New(fault.RateLimited, op, nil)
	}
	err = m.db.PutPushSubscription(ctx, store.PushSubscription{Citizen: citizen, Endpoint: sub.Endpoint, P256dh: sub.P256dh, Auth: sub.Auth, Made: time.Now()})
	if err != nil {
		return fault.New(fault.Unavailable, op, err)
	}
	return nil
}

// Unsubscribe implements signaling.Pushes.
func (m *mail) Unsubscribe(ctx context.Context, citizen, endpoint string) error {
	if len(endpoint) > push.MaxEndpoint {
		return fault.New(fault.TooLarge, "push", nil)
	}
	if err := m.db.DeletePushSubscription(ctx, citizen, endpoint); err != nil {
		return fault.New(fault.Unavailable, "push", err)
	}
	return nil
}
