// Package httpsms sends text messages through a provider's HTTP interface that is described by templates.
package httpsms

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"
)

// Config describes a provider. URL, Headers and Body are templates: {phone} (+77015551212), {digits} (without +),
// {text}, {id}, {sender} and {secret} are replaced, escaped for where they stand.
type Config struct {
	URL     string
	Method  string
	Headers map[string]string
	Body    string
	Format  string // of Body: json or form
	Sender  string
	Secret  string
	IDAt    string   // where the answer, in JSON, has the identifier: names and numbers joined by dots
	ErrorAt string   // where it has a code of error; empty, 0, false or missing: none
	Refuse  []string // codes of error that will never be otherwise, such as a bad number
	CA      []byte   // PEM of authorities; nil: the system's
	Timeout time.Duration
}

// Formats of a body.
const (
	JSON = "json"
	Form = "form"
)

// maxAnswer bounds an answer in bytes; an identifier has a few dozen.
const maxAnswer = 64 << 10

// Carrier is one provider.
type Carrier struct {
	cfg    Config
	client *http.Client
}

// New returns a carrier, or what is wrong with its description.
func New(ctx context.Context, cfg Config) (*Carrier, error) {
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CA != nil {
		tlsConfig.RootCAs = x509.NewCertPool()
		if !tlsConfig.RootCAs.AppendCertsFromPEM(cfg.CA) {
			return nil, errors.New("authorities: no certificate in it")
		}
	}
	c := &Carrier{cfg: cfg, client: &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: tlsConfig, TLSHandshakeTimeout: cfg.Timeout, ResponseHeaderTimeout: cfg.Timeout,
			MaxResponseHeaderBytes: 16 << 10, MaxConnsPerHost: 8,
			DisableKeepAlives: true, // net/http sends a GET again by itself where a used connection breaks
			DialContext:       (&net.Dialer{Timeout: cfg.Timeout}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // whoever it leads to was not chosen by us
	}}
	r, err := c.request(ctx, notify.Letter{Phone: "+77010000000", Text: "x", ID: "x"})
	if err != nil {
		return nil, err
	}
	if host := r.URL.Hostname(); r.URL.Scheme != "https" && !(r.URL.Scheme == "http" && local(host)) {
		return nil, errors.New("url: neither https nor this machine")
	}
	return c, nil
}

// local tells whether host is this machine.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// request fills the templates.
func (c *Carrier) request(ctx context.Context, l notify.Letter) (*http.Request, error) {
	values := []string{
		"{phone}", l.Phone, "{digits}", strings.TrimPrefix(l.Phone, "+"), "{text}", l.Text, "{id}", l.ID, "{sender}", c.cfg.Sender, "{secret}", c.cfg.Secret,
	}
	escape := inForm
	if c.cfg.Format == JSON {
		escape = inJSON
	}
	r, err := http.NewRequestWithContext(ctx, c.cfg.Method, fill(c.cfg.URL, values, inForm), strings.NewReader(fill(c.cfg.Body, values, escape)))
	if err != nil {
		return nil, errors.New("url or method: not a request") // the cause would show the secret
	}
	switch {
	case c.cfg.Body == "":
		r.Body, r.ContentLength = nil, 0
	case c.cfg.Format == JSON:
		r.Header.Set("Content-Type", "application/json")
	default:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, v := range c.cfg.Headers {
		r.Header.Set(name, fill(v, values, inHeader))
	}
	return r, nil
}

// fill replaces what stands in braces, in one pass: braces in a text are only a text.
func fill(template string, values []string, escape func(string) string) string {
	pairs := slices.Clone(values)
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = escape(pairs[i])
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// inJSON escapes s for the inside of a JSON string.
func inJSON(s string) string {
	raw, err := json.Marshal(strings.ToValidUTF8(s, "\uFFFD"))
	if err != nil {
		return ""
	}
	return string(raw[1 : len(raw)-1])
}

func inForm(s string) string { return url.QueryEscape(s) }

// inHeader leaves out what would end a header.
func inHeader(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return -1
		}
		return r
	}, s)
}

// Send implements notify.Carrier.
func (c *Carrier) Send(ctx context.Context, l notify.Letter) outbox.Outcome {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	r, err := c.request(ctx, l)
	if err != nil {
		return outbox.Later{Reason: "bad template"}
	}
	res, err := c.client.Do(r)
	switch {
	case err != nil && !connected.Load():
		return outbox.Later{Reason: "no connection"}
	case err != nil:
		return outbox.Unknown{Reason: "no answer"}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if len(raw) > maxAnswer {
		raw, err = nil, errors.New("too long")
	}
	return c.outcome(res, raw, err)
}

// outcome reads an answer. What cannot be understood is unknown, never sent again without end.
func (c *Carrier) outcome(res *http.Response, raw []byte, err error) outbox.Outcome {
	reason := "status " + strconv.Itoa(res.StatusCode)
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		if err != nil {
			return outbox.Unknown{Reason: "answer cut off or too long"}
		}
		return c.accepted(raw)
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity:
		if why, _ := at(raw, c.cfg.ErrorAt); why != "" && len(c.cfg.Refuse) > 0 && !slices.Contains(c.cfg.Refuse, why) {
			return outbox.Later{Reason: clip("error " + why)}
		}
		return outbox.Refused{Reason: reason}
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return outbox.Later{Reason: reason, At: retryAfter(res)}
	case code >= 500:
		return outbox.Unknown{Reason: reason} // it may have failed after it was taken
	}
	return outbox.Later{Reason: reason} // a redirect, a wrong key, a wrong path: put right by those who run us
}

// accepted reads an answer that says all is well.
func (c *Carrier) accepted(raw []byte) outbox.Outcome {
	if c.cfg.ErrorAt != "" {
		switch why, _ := at(raw, c.cfg.ErrorAt); {
		case slices.Contains([]string{"", "0", "false", "null"}, why):
		case slices.Contains(c.cfg.Refuse, why):
			return outbox.Refused{Reason: clip("error " + why)}
		default:
			return outbox.Later{Reason: clip("error " + why)}
		}
	}
	if c.cfg.IDAt == "" {
		return outbox.Accepted{}
	}
	id, ok := at(raw, c.cfg.IDAt)
	if !ok || id == "" || len(id) > 64 || strings.Contains(id, notify.IDSeparator) {
		return outbox.Unknown{Reason: "answer without an identifier"}
	}
	return outbox.Accepted{ID: id}
}

// at returns the text, number or truth at a path of a JSON document.
func at(raw []byte, path string) (string, bool) {
	var v any
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if path == "" || dec.Decode(&v) != nil {
		return "", false
	}
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(in) {
				return "", false
			}
			v = in[n]
		default:
			return "", false
		}
	}
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// clip keeps a provider's word short: it goes to the log and to operators.
func clip(s string) string {
	s = inHeader(s)
	return strings.ToValidUTF8(s[:min(len(s), 60)], "")
}

// retryAfter reads a header of RFC 9110 section 10.2.3; zero where there is none.
func retryAfter(res *http.Response) time.Time {
	v := res.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Now().Add(time.Duration(n) * time.Second)
	}
	if at, err := http.ParseTime(v); err == nil {
		return at
	}
	return time.Time{}
}

var _ notify.Carrier = (*Carrier)(nil)
