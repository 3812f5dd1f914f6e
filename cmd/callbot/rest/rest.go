// Package rest is the part of the public protocol that goes by plain requests: signing in, reports,
// files, cases and patrols, as docs/PROTOCOL.md tells.
package rest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"jedel/cmd/callbot/exchange"
	"jedel/internal/fault"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 8 << 20

// askTime bounds one request.
const askTime = 20 * time.Second

// Client asks one gateway as one person. Its zero HTTP is the default client.
type Client struct {
	URL    string
	header http.Header
}

// Staff is a client with a session token.
func Staff(url, token string) Client {
	return Client{url, http.Header{"Authorization": {"Bearer " + token}}}
}

// Citizen is a client with a report key that is made anew: a phone.
func Citizen(url string) Client {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // crypto/rand does not fail
	return Client{url, http.Header{"X-Report-Key": {base64.RawURLEncoding.EncodeToString(raw)}}}
}

// Do sends in, where it is not nil, as JSON, and reads the answer into out, where that is not nil. A
// refusal is an *exchange.Refusal.
func (c Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	resp, err := c.send(ctx, method, c.URL+path, body, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return refusal(method+" "+path, resp.StatusCode, raw)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (c Client) send(ctx context.Context, method, url string, body io.Reader, more http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range []http.Header{c.header, more} {
		for k, v := range h {
			req.Header[http.CanonicalHeaderKey(k)] = v
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, strings.TrimPrefix(url, c.URL), err)
	}
	return resp, nil
}

// refusal reads the code of an answer that is none.
func refusal(op string, status int, raw []byte) error {
	var b struct {
		Error struct {
			Code  fault.Code `json:"code"`
			Words fault.Text `json:"words"`
		} `json:"error"`
	}
	if err := json.Unmarshal(raw, &b); err != nil || b.Error.Code == "" {
		return fmt.Errorf("%s: status %d: %.200s", op, status, raw)
	}
	return &exchange.Refusal{Code: b.Error.Code, Op: op, Text: b.Error.Words.EN}
}
