// Package broker holds the key that opens recordings in a process of its own. It gives the keys of
// one call to the gateway only for a statement in the site's log that says so: who records cannot
// play, and nobody plays unseen.
package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/logcheck"
	"jedel/recorder/plain"
	"jedel/recorder/proof"
)

// Request asks for the keys of a recording. Index is where the site's log has the statement of the use.
type Request struct {
	Dir   string `json:"dir"` // of the archive, below the folder of archives
	Index uint64 `json:"index"`
}

// Answer has the keys of a call; none where none of them is for the broker's identities.
type Answer struct {
	Keys [][]byte `json:"keys"`
}

// Reasons why no key is given.
var (
	ErrUnsaid  = errors.New("the site log has no statement of this use")
	ErrUsed    = errors.New("the statement was used before")
	ErrOld     = errors.New("the statement is not of now")
	ErrArchive = errors.New("not the archive that the statement names")
	ErrRefused = errors.New("the broker refuses") // what a client sees of them
)

// window is how old a statement may be.
const window = time.Minute

// Broker gives keys.
type Broker struct {
	archives fs.FS // with the log in site
	ids      []keys.Identity
	log      *slog.Logger
	now      func() time.Time

	mu   sync.Mutex // guards used
	used map[uint64]time.Time
}

// New returns a broker of archives.
func New(archives fs.FS, ids []keys.Identity, log *slog.Logger) *Broker {
	return &Broker{archives: archives, ids: ids, log: log, now: time.Now, used: map[uint64]time.Time{}}
}

// archiveName is the folder of a recording.
var archiveName = regexp.MustCompile(`^calls/\d{4}/\d{2}/\d{2}/([0-9a-z]{26})(\.\d{1,2})?$`)

// Open returns the keys that a statement opens.
func (b *Broker) Open(r Request) ([]keys.Key, error) {
	name := archiveName.FindStringSubmatch(r.Dir)
	if name == nil {
		return nil, fmt.Errorf("%w: %q", ErrArchive, r.Dir)
	}
	if err := b.said(r.Index, ident.CallID(name[1])); err != nil {
		return nil, err
	}
	dir, err := fs.Sub(b.archives, r.Dir)
	if err != nil {
		return nil, err
	}
	if err := belongs(dir, name[1]); err != nil {
		return nil, err
	}
	ring, err := plain.Unwrap(dir, b.ids...)
	if err != nil {
		return nil, err
	}
	return ring.KEKs(), nil
}

// said checks that the log has a statement of this use, new and not used.
func (b *Broker) said(index uint64, call ident.CallID) error {
	site, err := fs.Sub(b.archives, "site")
	if err != nil {
		return err
	}
	raw, err := logcheck.Entry(site, index)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsaid, err)
	}
	leaf, err := proof.ParseLeaf(raw)
	if err != nil || leaf.Kind != proof.LeafKeyUse || leaf.Call != call {
		return fmt.Errorf("%w: statement %d", ErrUnsaid, index)
	}
	now := b.now()
	if age := now.Sub(leaf.At); age > window || age < -window {
		return fmt.Errorf("%w: statement %d", ErrOld, index)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, at := range b.used {
		if now.Sub(at) > 2*window {
			delete(b.used, i) // too old to be taken again
		}
	}
	if _, again := b.used[index]; again {
		return fmt.Errorf("%w: statement %d", ErrUsed, index)
	}
	b.used[index] = now
	return nil
}

// belongs checks that every segment of a folder is the call's: its keys open no other's.
func belongs(dir fs.FS, call string) (err error) {
	sc, err := evr.NewScanner(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sc.Close()) }()
	for _, s := range sc.Segments() {
		if s.Raw != nil && s.Header.Call != call {
			return fmt.Errorf("%w: %s is of call %s", ErrArchive, s.Name, s.Header.Call)
		}
	}
	return nil
}

// maxRequest bounds what a client says, in bytes.
const maxRequest = 4 << 10

// ServeHTTP implements http.Handler: POST /keys.
func (b *Broker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/keys" {
		http.NotFound(w, r)
		return
	}
	var req Request
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	found, err := b.Open(req)
	if err != nil {
		b.log.Warn("a key was refused", "dir", req.Dir, "index", req.Index, "err", err)
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	answer := Answer{Keys: [][]byte{}}
	for _, k := range found {
		answer.Keys = append(answer.Keys, k[:])
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		b.log.Warn("keys were not taken", "err", err)
	}
}

// Serve answers on a listener until ctx ends.
func (b *Broker) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{Handler: b, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(b.log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Client asks a broker on a unix socket.
type Client struct{ http http.Client }

// Dial returns a client; nothing is sent yet.
func Dial(socket string) *Client {
	return &Client{http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socket)
		},
		MaxIdleConns: 2, IdleConnTimeout: time.Minute,
	}}}
}

// Open returns a ring with the keys that a statement opens.
func (c *Client) Open(ctx context.Context, r Request) (*keys.Ring, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://broker/keys", bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	defer res.Body.Close()
	body := io.LimitReader(res.Body, 1<<20)
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(body)
		return nil, fmt.Errorf("%w: %s", ErrRefused, strings.TrimSpace(string(text)))
	}
	var answer Answer
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	ring := &keys.Ring{}
	for _, k := range answer.Keys {
		if len(k) != keys.Size {
			return nil, fmt.Errorf("broker: a key of %d bytes", len(k))
		}
		ring.AddKEK(keys.Key(k))
	}
	return ring, nil
}
