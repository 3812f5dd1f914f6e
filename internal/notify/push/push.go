package push

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"

	webpush "github.com/SherClockHolmes/webpush-go"
)

// Config is how notices are sent.
type Config struct {
	Keys    Keys
	Subject string // whom a push service writes to about us: https: or mailto: (RFC 8292 section 2.1)
	Guard   Guard
	Timeout time.Duration
	TLS     *tls.Config // nil: the system's authorities
}

// recordSize is the length of every notice on its way, in bytes: its length says nothing. Push services take 4096 (RFC 8030 section 7.2).
const recordSize = 2048

// maxTTL bounds how long a push service keeps a notice for a phone that is off.
const maxTTL = 7 * 24 * time.Hour

// Carrier sends notices.
type Carrier struct {
	cfg    Config
	client *http.Client
}

// New returns a carrier.
func New(cfg Config) *Carrier {
	return &Carrier{cfg: cfg, client: &http.Client{
		Transport: &http.Transport{ // no proxy: the guard must see whom we call
			DialContext: cfg.Guard.dialer().DialContext, TLSClientConfig: cfg.TLS, ForceAttemptHTTP2: true, TLSHandshakeTimeout: cfg.Timeout,
			ResponseHeaderTimeout: cfg.Timeout, MaxResponseHeaderBytes: 16 << 10, MaxConnsPerHost: 8, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Notice is what the service worker of the page gets. It names the case and says that there is news,
// never what: others may see the screen.
type Notice struct {
	Number string `json:"number"`
	Text   string `json:"text"`
	Lang   string `json:"lang"`
	Tag    string `json:"tag"`
}

// Send implements notify.Carrier.
func (c *Carrier) Send(ctx context.Context, l notify.Letter) outbox.Outcome {
	s, err := c.cfg.Guard.Check(l.Subscription)
	if err != nil {
		return outbox.Refused{Reason: "bad subscription", Gone: true}
	}
	raw, err := json.Marshal(Notice{Number: l.Number, Text: l.Text, Lang: l.Lang, Tag: l.Tag})
	if err != nil {
		return outbox.Refused{Reason: "bad notice"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	urgency := webpush.UrgencyNormal
	if l.Urgent {
		urgency = webpush.UrgencyHigh
	}
	res, err := webpush.SendNotificationWithContext(ctx, raw, &webpush.Subscription{Endpoint: s.Endpoint, Keys: webpush.Keys{Auth: s.Auth, P256dh: s.P256dh}}, &webpush.Options{
		HTTPClient: c.client, RecordSize: recordSize, Subscriber: subscriber(c.cfg.Subject), TTL: ttl(l.Until), Urgency: urgency,
		VAPIDPublicKey: c.cfg.Keys.Public, VAPIDPrivateKey: c.cfg.Keys.Private,
	})
	switch {
	case errors.Is(err, webpush.ErrMaxPadExceeded):
		return outbox.Refused{Reason: "too long"}
	case errors.Is(err, errForbidden):
		return outbox.Refused{Reason: "address within our own network", Gone: true}
	case err != nil && !connected.Load():
		return outbox.Later{Reason: "no connection"}
	case err != nil:
		return outbox.Unknown{Reason: "no answer"}
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection serves again; what it says is of no use
	return outcome(res)
}

// outcome reads the status (RFC 8030 sections 5 and 7.3).
func outcome(res *http.Response) outbox.Outcome {
	reason := "status " + strconv.Itoa(res.StatusCode)
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		return outbox.Accepted{}
	case code == http.StatusNotFound || code == http.StatusGone:
		return outbox.Refused{Reason: "subscription ended", Gone: true}
	case code == http.StatusBadRequest || code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusRequestEntityTooLarge:
		return outbox.Refused{Reason: reason} // of another key, or never to be taken
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		at := time.Time{}
		if n, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 31); err == nil {
			at = time.Now().Add(time.Duration(n) * time.Second)
		}
		return outbox.Later{Reason: reason, At: at}
	case code >= 500:
		return outbox.Unknown{Reason: reason}
	}
	return outbox.Later{Reason: reason}
}

// subscriber is Subject as the library wants it: it puts mailto: before what is not https:.
func subscriber(subject string) string {
	if len(subject) > 7 && subject[:7] == "mailto:" {
		return subject[7:]
	}
	return subject
}

// ttl is how long a push service may keep a notice, in seconds.
func ttl(until time.Time) int {
	return int(min(max(time.Until(until), time.Minute), maxTTL) / time.Second)
}

var _ notify.Carrier = (*Carrier)(nil)
