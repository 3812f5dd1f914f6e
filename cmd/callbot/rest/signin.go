package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// SignIn returns a session token of a member of staff. Where the gateway asks for patience it is
// given.
func SignIn(ctx context.Context, url, login, password string) (string, error) {
	raw, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		return "", err
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/staff/session", bytes.NewReader(raw))
		if err != nil {
			return "", err
		}
		req.Header.Set("Content-Type", "application/json")
		token, wait, err := post(req)
		if err != nil || wait == 0 {
			return token, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// post sends a sign-in; wait > 0 says when to try again.
func post(req *http.Request) (token string, wait time.Duration, err error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, fmt.Errorf("sign in: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", 0, fmt.Errorf("sign in: %w", err)
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || seconds < 1 || seconds > 60 {
			seconds = 1
		}
		return "", time.Duration(seconds) * time.Second, nil
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || resp.StatusCode != http.StatusOK || answer.Token == "" {
		return "", 0, fmt.Errorf("sign in: status %d: %.200s", resp.StatusCode, body)
	}
	return answer.Token, 0, nil
}
