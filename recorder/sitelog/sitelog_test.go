package sitelog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/proof"
	"jedel/recorder/witness"

	"github.com/prometheus/client_golang/prometheus"
	policy "github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// started opens a log and runs it until the test or stop ends it.
func started(t testing.TB, cfg Config) (l *Log, stop func()) {
	t.Helper()
	l, err := Open(t.Context(), cfg, prometheus.NewRegistry(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the log ends with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the log does not end")
		}
	}
	t.Cleanup(stop)
	return l, stop
}

func config(dir string) Config {
	return Config{Dir: filepath.Join(dir, "site"), Keys: filepath.Join(dir, "keys"), Origin: "test/log", WitnessEvery: 200 * time.Millisecond, Heartbeat: time.Hour}
}

func about(n int) proof.Leaf {
	return proof.Leaf{Kind: proof.LeafHead, Call: "3mek55y3ps44sm2h8j0c88k81j", At: time.Unix(1e9+int64(n), 0), Facts: map[string]any{"n": n, "part": 1}}
}

// prove returns a statement's proof, checked.
func prove(t *testing.T, l *Log, leaf proof.Leaf, index uint64) (proof.Checkpoint, Anchor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, a, err := l.Proof(ctx, leaf, index)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(l.Key())
	if err != nil {
		t.Fatal(err)
	}
	again, err := proof.ParseLogged(p.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	c, err := again.Check(note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	return c, a
}

func TestStatementsArePartOfTheLogAndStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, stop := started(t, config(dir))
	var at []uint64
	for i := range 300 { // more than one tile
		l.Say(about(i))
		if i%100 == 0 {
			n, err := l.Add(t.Context(), proof.Leaf{Kind: proof.LeafAccess, At: time.Unix(2e9+int64(i), 0)})
			if err != nil {
				t.Fatal(err)
			}
			at = append(at, n)
		}
	}
	c, _ := prove(t, l, proof.Leaf{Kind: proof.LeafAccess, At: time.Unix(2e9+200, 0)}, at[2])
	if c.Origin != "test/log" || c.Size <= at[2] {
		t.Fatalf("%+v", c)
	}
	stop()
	l, _ = started(t, config(dir))
	var heads, last uint64
	if err := l.Back(t.Context(), func(_ uint64, leaf proof.Leaf) bool {
		if n, ok := leaf.Number("n"); ok && leaf.Kind == proof.LeafHead {
			if heads > 0 && n != last-1 {
				t.Errorf("head %d stands before head %d", n, last)
			}
			heads, last = heads+1, n
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if heads != 300 {
		t.Fatalf("%d of 300 heads are in the log after a restart", heads)
	}
	leaf, found, err := l.LastHead(t.Context(), "3mek55y3ps44sm2h8j0c88k81j", 1, time.Unix(1e9, 0))
	if n, _ := leaf.Number("n"); err != nil || !found || n != 299 {
		t.Fatalf("last head %+v, %v, %v", leaf, found, err)
	}
	if _, found, err := l.LastHead(t.Context(), ident.New[ident.CallID](), 1, time.Unix(1e9, 0)); found || err != nil {
		t.Fatalf("a head of another call: %v, %v", found, err)
	}
}

func TestALogThatCannotBeWrittenSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := started(t, config(dir))
	if _, err := l.Add(t.Context(), about(1)); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "site", ".state")
	if err := os.Rename(state, state+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Add(t.Context(), about(2)); !errors.Is(err, ErrDown) {
		t.Fatalf("%v", err)
	}
	l.Say(about(3))
	if err := os.Rename(state+".away", state); err != nil {
		t.Fatal(err)
	}
	// What was only said comes in by itself.
	deadline := time.Now().Add(20 * time.Second)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		if n, err := l.Size(t.Context()); err == nil && n >= 2 {
			leaf, found, err := l.LastHead(t.Context(), about(3).Call, 1, time.Unix(1e9, 0))
			if n, _ := leaf.Number("n"); found && err == nil && n == 3 {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the statement that waited is lost")
		}
	}
}

// second is a witness on another machine.
func second(t *testing.T, vkey string) (*httptest.Server, *witness.Witness) {
	t.Helper()
	w, err := witness.Open(t.TempDir(), "witness.example/w1", []string{vkey}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	return s, w
}

func TestWitnessesSignAndADeadOneStopsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, stop := started(t, config(dir)) // makes the key
	stop()
	s, w := second(t, l.Key())
	cfg := config(dir)
	cfg.Policy = fmt.Sprintf("witness w1 %s %s\nquorum w1\n", w.Key(), s.URL)
	l, stop = started(t, cfg)
	n, err := l.Add(t.Context(), about(1))
	if err != nil {
		t.Fatal(err)
	}
	_, a := prove(t, l, about(1), n)
	g, err := policy.ParsePolicy([]byte(cfg.Policy))
	if err != nil {
		t.Fatal(err)
	}
	if who := proof.Cosigners(a.Checkpoint, g); !a.Witnessed || len(who) != 1 || time.Since(who[0].At) > time.Minute {
		t.Fatalf("signed by %v", who)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "site", "witnessed")); err != nil || !g.Satisfied(kept) {
		t.Fatalf("the cosigned checkpoint is not kept: %v", err)
	}
	s.Close()
	if _, err := l.Add(t.Context(), about(2)); err != nil {
		t.Fatalf("without the witness: %v", err)
	}
	stop()
}

// TestARewrittenLogIsRefused plays the administrator who puts an older log back and goes on.
func TestARewrittenLogIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, stop := started(t, config(dir))
	if _, err := l.Add(t.Context(), about(1)); err != nil {
		t.Fatal(err)
	}
	stop()
	s, w := second(t, l.Key())
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(dir, "site"))); err != nil {
		t.Fatal(err)
	}
	cfg := config(dir)
	cfg.Policy = fmt.Sprintf("witness w1 %s %s\nquorum w1\n", w.Key(), s.URL)
	l, stop = started(t, cfg)
	n, err := l.Add(t.Context(), about(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, a := prove(t, l, about(2), n); !a.Witnessed {
		t.Fatal("the honest log is not witnessed")
	}
	stop()
	if err := errors.Join(os.RemoveAll(cfg.Dir), os.CopyFS(cfg.Dir, os.DirFS(old))); err != nil {
		t.Fatal(err)
	}
	l, _ = started(t, cfg)
	for i := range 3 {
		if n, err = l.Add(t.Context(), about(100+i)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, a, err := l.Proof(ctx, about(102), n); err == nil && a.Witnessed {
		t.Fatal("a witness signed a log that had been rewritten")
	}
}

// authority is a time-stamping authority of the test's own, made with openssl.
func authority(t *testing.T) (url string, roots string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is needed: ", err)
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ext", "extendedKeyUsage=critical,timeStamping\n")
	write("serial", "01\n")
	write("conf", "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.crt\ncerts=ca.crt\nsigner_key=tsa.key\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\naccuracy=secs:1\n")
	run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test CA", "-days", "2")
	run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=test TSA")
	run("x509", "-req", "-in", "tsa.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "tsa.crt", "-days", "1", "-extfile", "ext")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q bytes.Buffer
		if _, err := q.ReadFrom(http.MaxBytesReader(w, r.Body, 4096)); err != nil {
			http.Error(w, "body", 400)
			return
		}
		write("q.tsq", q.String())
		cmd := exec.CommandContext(r.Context(), "openssl", "ts", "-reply", "-config", "conf", "-section", "t", "-queryfile", "q.tsq", "-out", "r.tsr")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, out)
		}
		http.ServeFile(w, r, filepath.Join(dir, "r.tsr"))
	}))
	t.Cleanup(s.Close)
	return s.URL, filepath.Join(dir, "ca.crt")
}

func TestAnAuthorityStampsTheCheckpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := config(dir)
	var ca string
	cfg.TSA, ca = authority(t)
	cfg.TSAEvery = time.Second
	l, _ := started(t, cfg)
	n, err := l.Add(t.Context(), about(1))
	if err != nil {
		t.Fatal(err)
	}
	_, a := prove(t, l, about(1), n)
	text, _ := proof.NoteText(a.Checkpoint)
	if len(a.Token) == 0 {
		t.Fatal("no token")
	}
	// An independent program agrees.
	for name, b := range map[string][]byte{"text": []byte(text), "tsr": a.Token} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "openssl", "ts", "-verify", "-data", filepath.Join(dir, "text"), "-in", filepath.Join(dir, "tsr"), "-CAfile", ca).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
}
