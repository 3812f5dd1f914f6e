package witness

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"jedel/recorder/proof"

	cosign "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// site is a log of the test: every entry is its number.
type site struct {
	t      *testing.T
	signer note.Signer
	vkey   string
}

func newSite(t *testing.T, name string) site {
	t.Helper()
	skey, vkey, err := note.GenerateKey(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return site{t, s, vkey}
}

// checkpoint signs the log at a size; forks differ in every entry.
func (s site) checkpoint(size int, fork string) string {
	s.t.Helper()
	tree := proof.NewTree()
	for i := range size {
		if err := tree.Add([32]byte(rfc6962.DefaultHasher.HashLeaf(fmt.Append(nil, fork, i)))); err != nil {
			s.t.Fatal(err)
		}
	}
	root, err := tree.Root()
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := proof.Sign(fmt.Sprintf("%s\n%d\n%s\n", s.signer.Name(), size, base64.StdEncoding.EncodeToString(root)), s.signer)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(raw)
}

func leafHash(i int) string {
	return base64.StdEncoding.EncodeToString(rfc6962.DefaultHasher.HashLeaf(fmt.Append(nil, "", i))) + "\n"
}

func post(t *testing.T, w http.Handler, body string) (int, string, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
	return rec.Code, rec.Body.String(), rec.Header().Get("Content-Type")
}

func TestAnswersAreThoseOfTheSpecification(t *testing.T) {
	s, other := newSite(t, "site.example/log"), newSite(t, "site.example/log")
	stranger := newSite(t, "stranger.example/log")
	dir := t.TempDir()
	open := func() *Witness {
		w, err := Open(dir, "witness.example/w1", []string{s.vkey}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := open()
	one, two := s.checkpoint(1, ""), s.checkpoint(2, "")
	steps := []struct {
		name, body string
		status     int
		answer     string
	}{
		{"no request", "hello", 400, ""},
		{"a number that is none", "old x\n\n" + one, 400, ""},
		{"a number with zeros in front", "old 00\n\n" + one, 400, ""},
		{"unknown log", "old 0\n\n" + stranger.checkpoint(1, ""), 404, ""},
		{"signed by somebody else", "old 0\n\n" + other.checkpoint(1, ""), 403, ""},
		{"older than its own past", "old 2\n\n" + one, 400, ""},
		{"a past that was not seen", "old 1\n\n" + two, 409, "0\n"},
		{"a proof from nothing", "old 0\n" + leafHash(0) + "\n" + one, 422, ""},
		{"the first", "old 0\n\n" + one, 200, "— witness.example/w1 "},
		{"the first again", "old 1\n\n" + one, 200, "— witness.example/w1 "},
		{"another past", "old 0\n\n" + two, 409, "1\n"},
		{"a fork of the same size", "old 1\n\n" + s.checkpoint(1, "fork"), 409, "1\n"},
		{"a proof that does not hold", "old 1\n" + leafHash(0) + "\n" + two, 422, ""},
		{"no proof", "old 1\n\n" + two, 422, ""},
		{"64 hashes", "old 1\n" + strings.Repeat(leafHash(0), 64) + "\n" + two, 400, ""},
		{"the second", "old 1\n" + leafHash(1) + "\n" + two, 200, "— witness.example/w1 "},
		{"back to the first", "old 1\n\n" + one, 409, "2\n"},
		{"too long", "old 1\n\n" + strings.Repeat("x", maxBody), 413, ""},
	}
	for _, c := range steps {
		w = open() // what it has seen, it knows after a restart
		status, answer, kind := post(t, w, c.body)
		if status != c.status || !strings.HasPrefix(answer, c.answer) {
			t.Errorf("%s: %d %q, want %d %q", c.name, status, answer, c.status, c.answer)
		}
		if status == 409 && kind != "text/x.tlog.size" {
			t.Errorf("%s: content type %q", c.name, kind)
		}
		if status != 200 {
			continue
		}
		v, err := cosign.NewVerifierForCosignatureV1(w.Key())
		if err != nil {
			t.Fatal(err)
		}
		_, checkpoint, _ := strings.Cut(c.body, "\n\n")
		text, _ := proof.NoteText([]byte(checkpoint))
		if _, err := note.Open([]byte(text+"\n"+answer), note.VerifierList(v)); err != nil {
			t.Errorf("%s: the signature does not verify: %v", c.name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("old 1\n" + leafHash(0) + "\nsite\n1\nAAAA\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if q, err := parse(body); err == nil && (len(q.hashes) > maxHashes || len(q.checkpoint) == 0) {
			t.Fatalf("%+v", q)
		}
	})
}
