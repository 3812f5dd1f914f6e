package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type evidenceFetchCmd struct {
	Call     string        `arg:"" help:"Id of the call."`
	URL      string        `name:"url" help:"Address of the gateway." default:"http://localhost:8080"`
	Login    string        `help:"Account of an investigator." required:""`
	Password string        `help:"Its password." env:"JEDEL_PASSWORD" required:""`
	Case     string        `help:"Number of the case for which it is fetched; kept with who and when." required:""`
	Reason   string        `help:"Why it is fetched; kept with who and when." required:""`
	TOTP     string        `name:"totp" help:"Code of its authenticator, where it has one."`
	Out      string        `help:"File to write; CALL.tar where it is left out."`
	Idle     time.Duration `help:"Give up when nothing has arrived for so long." default:"60s"`
}

// signOutTime bounds the farewell; the session ends by itself anyway.
const signOutTime = 5 * time.Second

// Run signs in, fetches, and gives the file its name only when it is whole.
func (c evidenceFetchCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(c.Idle, func() { cancel(fmt.Errorf("nothing arrived for %s", c.Idle)) })
	defer watch.Stop()
	token, err := c.signIn(ctx)
	if err != nil {
		return fmt.Errorf("sign in: %w", because(ctx, err))
	}
	defer c.signOut(ctx, token)
	why, err := json.Marshal(map[string]string{"case": c.Case, "reason": c.Reason})
	if err != nil {
		return err
	}
	opened, err := c.ask(ctx, http.MethodPost, "/api/v1/evidence/calls/"+url.PathEscape(c.Call)+"/opening", token, why)
	if err != nil {
		return fmt.Errorf("open: %w", because(ctx, err))
	}
	if err := opened.Close(); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	in, err := c.ask(ctx, http.MethodGet, "/api/v1/evidence/calls/"+url.PathEscape(c.Call)+"/archive.tar", token, nil)
	if err != nil {
		return fmt.Errorf("fetch: %w", because(ctx, err))
	}
	defer in.Close()
	out := c.Out
	if out == "" {
		out = filepath.Base(c.Call) + ".tar"
	}
	n, err := save(out, &patient{in, watch, c.Idle})
	if err != nil {
		return fmt.Errorf("fetch: %w", because(ctx, err))
	}
	fmt.Printf("%s, %d bytes\n", out, n)
	return nil
}

// because prefers the reason why a context ended to the error that it led to.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// patient lets a reader take its time as long as something comes.
type patient struct {
	io.Reader
	watch *time.Timer
	idle  time.Duration
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if n > 0 {
		p.watch.Reset(p.idle)
	}
	return n, err
}

// save writes a tar beside its place, and puts it there when it has proved to be a whole one. What
// stood there before stays until then.
func save(out string, in io.Reader) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(out), filepath.Base(out)+".part-*")
	if err != nil {
		return 0, err
	}
	n, err := whole(f, in)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return n, errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), out); err != nil {
		return n, errors.Join(err, os.Remove(f.Name()))
	}
	return n, nil
}

var errNoTar = errors.New("what arrived is not a whole archive")

// whole copies a tar and reads it on the way: a stream cut at a friendly place looks like an end.
func whole(to io.Writer, in io.Reader) (int64, error) {
	var end trailer
	tee := io.TeeReader(in, io.MultiWriter(to, &end))
	files := 0
	for r := tar.NewReader(tee); ; files++ {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			return end.bytes, fmt.Errorf("%w: %w", errNoTar, err)
		}
	}
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return end.bytes, err
	}
	if files == 0 || end.zeros < 2*tarBlock || end.bytes%tarBlock != 0 {
		return end.bytes, errNoTar
	}
	return end.bytes, nil
}

const tarBlock = 512 // bytes; two empty ones end a tar, which its reader does not insist on

// trailer counts what was written and how many zeros stand at its end.
type trailer struct{ bytes, zeros int64 }

// Write implements io.Writer.
func (t *trailer) Write(b []byte) (int, error) {
	t.bytes += int64(len(b))
	rest := bytes.TrimRight(b, "\x00")
	if len(rest) > 0 {
		t.zeros = 0
	}
	t.zeros += int64(len(b) - len(rest))
	return len(b), nil
}

func (c evidenceFetchCmd) signIn(ctx context.Context) (string, error) {
	form := map[string]string{"login": c.Login, "password": c.Password}
	if c.TOTP != "" {
		form["totp"] = c.TOTP
	}
	body, err := json.Marshal(form)
	if err != nil {
		return "", err
	}
	raw, err := c.ask(ctx, http.MethodPost, "/api/v1/staff/session", "", body)
	if err != nil {
		return "", err
	}
	defer raw.Close()
	var session struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(io.LimitReader(raw, maxAnswer)).Decode(&session); err != nil {
		return "", fmt.Errorf("the answer is none of a gateway: %w", err)
	}
	if session.Token == "" {
		return "", errors.New("the answer is none of a gateway: no token")
	}
	return session.Token, nil
}

// signOut ends the session, also when the fetch was broken off.
func (c evidenceFetchCmd) signOut(ctx context.Context, token string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signOutTime)
	defer cancel()
	if body, err := c.ask(ctx, http.MethodDelete, "/api/v1/staff/session", token, nil); err == nil {
		_ = body.Close()
	}
}

// maxAnswer bounds an answer that is no archive, in bytes.
const maxAnswer = 64 << 10

func (c evidenceFetchCmd) ask(ctx context.Context, method, path, token string, body []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 == 2 {
		return res.Body, nil
	}
	raw, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what could be read says enough
	return nil, errors.Join(refused(res, raw), res.Body.Close())
}

// refused makes an error of an answer that is not the one asked for.
func refused(res *http.Response, raw []byte) error {
	var body struct {
		Error struct {
			Code  string `json:"code"`
			Words struct {
				EN string `json:"en"`
			} `json:"words"`
		} `json:"error"`
	}
	_ = json.Unmarshal(raw, &body) // anything else leaves the status to speak
	no := &refusal{status: res.Status, code: body.Error.Code, words: body.Error.Words.EN}
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		return no
	}
	return errors.New(no.Error())
}
