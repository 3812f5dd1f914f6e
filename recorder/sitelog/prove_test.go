package sitelog

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"
)

// recorded makes a sealed recording of a moment and returns its folder.
func recorded(t *testing.T, root string, l recorder.Statements) (dir, key string) {
	t.Helper()
	r, err := recorder.Open(t.Context(), recorder.Config{
		Dir: root, Site: "test", FlushEvery: 20 * time.Millisecond, HeadEvery: 50 * time.Millisecond, SegmentBytes: 64 << 20,
		SegmentTime: time.Hour, PendingCall: 4 << 20, PendingTotal: 1 << 30, Log: l,
	}, prometheus.NewRegistry(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	id, opened := ident.New[ident.CallID](), time.Now()
	a, err := r.Start(t.Context(), recorder.Meta{Call: id, Number: "26-000001", Opened: opened, Zone: "Asia/Almaty"})
	if err != nil {
		t.Fatal(err)
	}
	a.OpenStream(recorder.StreamInfo{Participant: "caller", Role: "caller", Kind: "audio"}).RTP(time.Now(), []byte{0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1}, false)
	if err := a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "caller"}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return recorder.Dir(id, opened), r.Key()
}

func exists(t *testing.T, name string) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		if _, err := os.Stat(name); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come", name)
		}
	}
}

// v3 verifies an archive and returns its level V3 and the exit code.
func v3(t *testing.T, dir, key string, log verify.Log) (verify.Level, int) {
	t.Helper()
	r, err := verify.Dir(os.DirFS(dir), verify.Options{Keys: []string{key}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return r.Levels[3], r.Exit
}

// TestASealIsProvenToStandInTheLog goes the whole way: recording, log, witness, authority, proof.
func TestASealIsProvenToStandInTheLog(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	cfg := config(root)
	cfg.Archives = root
	l, stop := started(t, cfg) // makes the key
	stop()
	s, w := second(t, l.Key())
	var ca string
	cfg.TSA, ca = authority(t)
	cfg.TSAEvery = time.Second
	cfg.Policy = fmt.Sprintf("witness w1 %s %s\nquorum w1\n", w.Key(), s.URL)
	l, _ = started(t, cfg)
	dir, key := recorded(t, root, l)
	full := filepath.Join(root, dir)
	exists(t, filepath.Join(full, verify.SealProof))

	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	if level, exit := v3(t, full, key, verify.Log{Keys: []string{l.Key()}, Policy: cfg.Policy, Roots: roots}); level.State != verify.Passed || exit != 0 {
		t.Fatalf("exit %d: %+v", exit, level)
	}
	_, strange, err := note.GenerateKey(nil, "test/log")
	if err != nil {
		t.Fatal(err)
	}
	_, other := second(t, l.Key())
	for name, c := range map[string]struct {
		log  verify.Log
		want verify.State
	}{
		"nothing given":         {verify.Log{}, verify.Partial},
		"only the key":          {verify.Log{Keys: []string{l.Key()}}, verify.Partial},
		"the key and witnesses": {verify.Log{Keys: []string{l.Key()}, Policy: cfg.Policy}, verify.Passed},
		"the key and authority": {verify.Log{Keys: []string{l.Key()}, Roots: roots}, verify.Passed},
		"another log's key":     {verify.Log{Keys: []string{strange}}, verify.Failed},
		"another witness":       {verify.Log{Keys: []string{l.Key()}, Policy: fmt.Sprintf("witness w %s http://x/\nquorum w\n", other.Key())}, verify.Partial},
		"another authority":     {verify.Log{Keys: []string{l.Key()}, Roots: x509.NewCertPool()}, verify.Failed},
	} {
		if level, _ := v3(t, full, key, c.log); level.State != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, level.State, c.want, level)
		}
	}
	honest, _ := v3(t, full, key, verify.Log{Keys: []string{l.Key()}, Policy: cfg.Policy, Roots: roots})
	// Each flipped bit of a proof is found. A time stamp brings certificates along that its signature
	// does not cover; what it says cannot change.
	for _, name := range []string{verify.SealProof, verify.OpenProof, verify.SealToken} {
		raw, err := os.ReadFile(filepath.Join(full, name))
		if err != nil {
			t.Fatal(err)
		}
		for bit := 0; bit < len(raw)*8; bit += 1 + len(raw)/16 {
			bad := bytes.Clone(raw)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(filepath.Join(full, name), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if level, _ := v3(t, full, key, verify.Log{Keys: []string{l.Key()}, Policy: cfg.Policy, Roots: roots}); level.State == verify.Passed && (name != verify.SealToken || level.Text != honest.Text) {
				t.Errorf("%s: bit %d flipped passes", name, bit)
			}
		}
		if err := os.WriteFile(filepath.Join(full, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The proof of another call proves nothing of this one.
	dir2, key2 := recorded(t, root, l)
	full2 := filepath.Join(root, dir2)
	exists(t, filepath.Join(full2, verify.SealProof))
	raw, err := os.ReadFile(filepath.Join(full, verify.SealProof))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full2, verify.SealProof), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if level, exit := v3(t, full2, key2, verify.Log{Keys: []string{l.Key()}}); level.State != verify.Failed || exit&verify.ExitV3 == 0 {
		t.Fatalf("exit %d: %+v", exit, level)
	}
}

// TestASealWithoutAProofIsSaidAgain seals while there is no log, and starts again with one.
func TestASealWithoutAProofIsSaidAgain(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir, _ := recorded(t, root, nil)
	cfg := config(root)
	cfg.Archives = root
	l, _ := started(t, cfg)
	_, key := recorded(t, root, l) // a start of the recorder looks at what has no proof
	exists(t, filepath.Join(root, dir, verify.SealProof))
	if level, _ := v3(t, filepath.Join(root, dir), key, verify.Log{Keys: []string{l.Key()}}); level.State != verify.Partial || len(level.Notes) == 0 {
		t.Fatalf("%+v", level)
	}
}
