package sitelog

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"jedel/recorder/disk"
	"jedel/recorder/proof"

	"github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
)

// Anchor is a checkpoint with what others have signed of it.
type Anchor struct {
	Checkpoint []byte // signed note, with the cosignatures of witnesses
	Size       uint64
	Witnessed  bool   // enough witnesses for the policy; true where there is no policy
	Token      []byte // RFC 3161 response over the checkpoint's text; empty: none yet
}

// outside asks those in other hands to sign.
type outside struct {
	cfg    Config
	log    *slog.Logger
	met    *metrics
	reader tessera.LogReader
	known  note.Verifier   // of the log itself
	policy *witness.Group  // nil: no witnesses
	told   func(time.Time) // takes the time that others have signed

	mu     sync.Mutex // guards the rest
	anchor Anchor
	fresh  chan struct{} // closed when there is a newer anchor
}

// good reports whether an anchor has all that the configuration asks for.
func (o *outside) good(a Anchor) bool {
	return a.Size > 0 && a.Witnessed && (o.cfg.TSA == "" || len(a.Token) > 0)
}

// anchors asks witnesses, and from time to time the authority, to sign the newest checkpoint. They
// fail open: a dead witness raises an alarm and stops nothing.
func (o *outside) anchors(ctx context.Context) {
	every := o.cfg.WitnessEvery
	if o.policy == nil && o.cfg.TSA == "" {
		every = checkpointEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	begun, alarmed := time.Now(), false
	var stamped time.Time
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		a, err := o.collect(ctx, time.Since(stamped) >= o.cfg.TSAEvery)
		if len(a.Token) > 0 {
			stamped = time.Now()
		}
		if a.Size > 0 {
			o.publish(a)
			if at := o.signedAt(a); !at.IsZero() {
				o.told(at)
			}
		}
		if err == nil {
			begun, alarmed = time.Now(), false
			continue
		}
		if !alarmed && time.Since(begun) > alarmAfter {
			alarmed = true
			o.log.Error("nobody outside has signed the site log for a minute", "err", err)
		}
	}
}

// collect has the newest checkpoint signed.
func (o *outside) collect(ctx context.Context, stamp bool) (Anchor, error) {
	raw, err := o.reader.ReadCheckpoint(ctx)
	if err != nil {
		return Anchor{}, fmt.Errorf("checkpoint: %w", err)
	}
	text, err := proof.Open(raw, o.known)
	if err != nil {
		return Anchor{}, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := proof.ParseCheckpoint(text)
	if err != nil || c.Size == 0 {
		return Anchor{}, err
	}
	a := Anchor{Checkpoint: raw, Size: c.Size, Witnessed: o.policy == nil}
	if o.policy != nil {
		a.Checkpoint = o.cosign(ctx, raw, c.Size)
		a.Witnessed = o.policy.Satisfied(a.Checkpoint)
		if a.Witnessed {
			o.met.witnessed.SetToCurrentTime()
			if old := (disk.OS{Root: o.cfg.Dir}).Replace("witnessed", a.Checkpoint); old != nil {
				o.log.Warn("witnessed checkpoint", "err", old)
			}
		} else {
			err = fmt.Errorf("the witness policy is not satisfied")
		}
	}
	if o.cfg.TSA != "" && stamp && a.Witnessed {
		if a.Token, err = o.stamp(ctx, []byte(text)); err != nil {
			o.met.refusals.WithLabelValues("tsa").Inc()
			o.log.Warn("time-stamping authority", "err", err)
		} else {
			o.met.stamped.SetToCurrentTime()
		}
	}
	return a, err
}

func (o *outside) publish(a Anchor) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.anchor = a
	close(o.fresh)
	o.fresh = make(chan struct{})
}

// newest returns the newest anchor and a channel that is closed when there is a newer one.
func (o *outside) newest() (Anchor, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.anchor, o.fresh
}

// cosign adds the signatures of those witnesses who give one.
func (o *outside) cosign(ctx context.Context, raw []byte, size uint64) []byte {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.WitnessEvery)
	defer cancel()
	var mu sync.Mutex // guards out
	out := bytes.Clone(raw)
	var wg sync.WaitGroup
	for url, v := range o.policy.Endpoints() {
		wg.Go(func() {
			sig, err := o.ask(ctx, request{url, v, raw, size})
			if err != nil {
				o.met.refusals.WithLabelValues(v.Name()).Inc()
				o.log.Warn("witness", "name", v.Name(), "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out = append(out, sig...)
		})
	}
	wg.Wait()
	return out
}

// request is one question to a witness.
type request struct {
	url        string
	v          note.Verifier
	checkpoint []byte
	size       uint64
}

// ask sends a checkpoint to one witness (C2SP tlog-witness). Without knowing what it saw last we
// begin with nothing; it answers 409 and says so.
func (o *outside) ask(ctx context.Context, q request) ([]byte, error) {
	var old uint64
	for range 3 {
		body, err := o.question(ctx, q, old)
		if err != nil {
			return nil, err
		}
		status, answer, err := o.post(ctx, q.url, "text/plain; charset=utf-8", body)
		if err != nil {
			return nil, err
		}
		switch status {
		case http.StatusOK:
			return o.signature(q, answer)
		case http.StatusConflict:
			if old, err = strconv.ParseUint(strings.TrimSpace(string(answer)), 10, 63); err != nil {
				return nil, fmt.Errorf("conflict without a size: %w", err)
			}
			if old > q.size {
				return nil, fmt.Errorf("it has seen %d statements, we have %d: this log went back", old, q.size)
			}
		default:
			return nil, fmt.Errorf("status %d: %.200s", status, answer)
		}
	}
	return nil, fmt.Errorf("it changes its mind about what it saw")
}

func (o *outside) question(ctx context.Context, q request, old uint64) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	if old > 0 && old < q.size {
		pb, err := client.NewProofBuilder(ctx, q.size, o.reader.ReadTile)
		if err != nil {
			return nil, fmt.Errorf("consistency proof: %w", err)
		}
		hashes, err := pb.ConsistencyProof(ctx, old, q.size)
		if err != nil {
			return nil, fmt.Errorf("consistency proof: %w", err)
		}
		for _, h := range hashes {
			b.WriteString(base64.StdEncoding.EncodeToString(h) + "\n")
		}
	}
	b.WriteByte('\n')
	b.Write(q.checkpoint)
	return b.Bytes(), nil
}

// signature takes from a witness's answer what is its signature of this checkpoint, and no more.
func (o *outside) signature(q request, answer []byte) ([]byte, error) {
	text, ok := proof.NoteText(q.checkpoint)
	if !ok {
		return nil, proof.ErrCheckpoint
	}
	n, err := note.Open(append([]byte(text+"\n"), answer...), note.VerifierList(q.v))
	if err != nil {
		return nil, fmt.Errorf("its answer: %w", err)
	}
	return []byte("— " + n.Sigs[0].Name + " " + n.Sigs[0].Base64 + "\n"), nil
}

const maxAnswer = 64 << 10

func (o *outside) post(ctx context.Context, url, kind string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := o.cfg.Client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, err
}
