// Package witness is a witness of site logs, for a second machine in other hands: it signs what a
// log says of itself only when that follows on everything it has seen of it before (C2SP
// tlog-witness, cosignature/v1). It keeps one small file per log and needs no clock of others.
package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"jedel/recorder/disk"
	"jedel/recorder/proof"

	cosign "github.com/transparency-dev/formats/note"
	consistency "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const (
	maxBody   = 32 << 10
	maxHashes = 63 // C2SP tlog-witness
)

// Witness answers add-checkpoint requests. It is an http.Handler.
type Witness struct {
	dir    disk.OS
	signer *cosign.Signer
	vkey   string
	logs   map[string]note.Verifier // by origin
	log    *slog.Logger

	mu sync.Mutex // guards the files: one answer at a time
}

// Open opens the witness in a folder, making its key at the first start. logs are the verifier keys
// of the logs it answers; a key's name is the log's origin.
func Open(dir, name string, logs []string, log *slog.Logger) (*Witness, error) {
	w := &Witness{dir: disk.OS{Root: dir}, logs: map[string]note.Verifier{}, log: log}
	for _, k := range logs {
		v, err := note.NewVerifier(strings.TrimSpace(k))
		if err != nil {
			return nil, fmt.Errorf("key of a log: %w", err)
		}
		w.logs[v.Name()] = v
	}
	raw, err := os.ReadFile(filepath.Join(dir, "witness.key"))
	if errors.Is(err, os.ErrNotExist) {
		raw, err = w.makeKey(name)
	}
	if err != nil {
		return nil, fmt.Errorf("key of the witness: %w", err)
	}
	if w.signer, err = cosign.NewSignerForCosignatureV1(strings.TrimSpace(string(raw))); err != nil {
		return nil, fmt.Errorf("key of the witness: %w", err)
	}
	pub, err := os.ReadFile(filepath.Join(dir, "witness.pub"))
	if err != nil {
		return nil, fmt.Errorf("key of the witness: %w", err)
	}
	w.vkey = strings.TrimSpace(string(pub))
	return w, nil
}

func (w *Witness) makeKey(name string) ([]byte, error) {
	skey, vkey, err := note.GenerateKey(nil, name)
	if err != nil {
		return nil, err
	}
	if vkey, err = cosign.VKeyToCosignatureV1(vkey); err != nil {
		return nil, err
	}
	return []byte(skey), errors.Join(w.dir.MkdirAll("."), w.dir.Replace("witness.pub", []byte(vkey+"\n")), w.dir.Replace("witness.key", []byte(skey+"\n")))
}

// Key returns the witness's verifier key as policies name it (signature type 4).
func (w *Witness) Key() string { return w.vkey }

// ServeHTTP implements http.Handler: POST …/add-checkpoint.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/add-checkpoint") {
		http.NotFound(rw, r)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(rw, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	if err != nil {
		http.Error(rw, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	status, kind, answer := w.answer(body)
	if status != http.StatusOK && status != http.StatusConflict {
		w.log.Warn("refused", "status", status, "why", strings.TrimSpace(string(answer)), "from", r.RemoteAddr)
	}
	rw.Header().Set("Content-Type", kind)
	rw.WriteHeader(status)
	if _, err := rw.Write(answer); err != nil {
		w.log.Debug("answer", "err", err)
	}
}

const plain = "text/plain; charset=utf-8"

// answer decides on one request, in the order that the specification gives.
func (w *Witness) answer(body []byte) (status int, kind string, text []byte) {
	refuse := func(status int, why string) (int, string, []byte) { return status, plain, []byte(why + "\n") }
	q, err := parse(body)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	origin, _, _ := strings.Cut(string(q.checkpoint), "\n")
	known, ok := w.logs[origin]
	if !ok {
		return refuse(http.StatusNotFound, "unknown log")
	}
	signed, err := proof.Open(q.checkpoint, known)
	if err != nil {
		return refuse(http.StatusForbidden, "not signed by the log")
	}
	c, err := proof.ParseCheckpoint(signed)
	if err != nil || q.old > c.Size {
		return refuse(http.StatusBadRequest, "not a checkpoint, or older than its own past")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	seen, err := w.seen(origin)
	if err != nil {
		w.log.Error("what was seen before cannot be read", "log", origin, "err", err)
		return refuse(http.StatusInternalServerError, "the witness cannot read its own records")
	}
	conflict := func() (int, string, []byte) {
		return http.StatusConflict, "text/x.tlog.size", []byte(strconv.FormatUint(seen.Size, 10) + "\n")
	}
	if q.old != seen.Size {
		return conflict()
	}
	if q.old == c.Size && q.old > 0 && !bytes.Equal(c.Root, seen.Root) {
		w.log.Error("FORK: two roots of one size", "log", origin, "size", c.Size, "seen", b64(seen.Root), "now", b64(c.Root))
		return conflict()
	}
	if q.old > 0 {
		if err := consistency.VerifyConsistency(rfc6962.DefaultHasher, q.old, c.Size, q.hashes, seen.Root, c.Root); err != nil {
			w.log.Error("FORK: what it says now does not follow on what it said", "log", origin, "before", q.old, "now", c.Size)
			return refuse(http.StatusUnprocessableEntity, "the consistency proof does not hold")
		}
	} else if len(q.hashes) > 0 {
		return refuse(http.StatusUnprocessableEntity, "a proof from nothing is empty")
	}
	return w.sign(origin, signed)
}

// sign keeps what is signed before it is given away.
func (w *Witness) sign(origin, text string) (int, string, []byte) {
	fail := func(err error) (int, string, []byte) {
		w.log.Error("a checkpoint could not be kept; it is not signed", "log", origin, "err", err)
		return http.StatusInternalServerError, plain, []byte("the witness cannot keep its records\n")
	}
	raw, err := note.Sign(&note.Note{Text: text}, w.signer)
	if err != nil {
		return fail(err)
	}
	if err := w.dir.Replace(fileOf(origin), raw); err != nil {
		return fail(err)
	}
	return http.StatusOK, plain, raw[len(text)+1:]
}

// fileOf names the record of a log: its origin may hold anything.
func fileOf(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:16]) + ".checkpoint"
}

// seen returns the last checkpoint of a log that was signed; size 0 where none was.
func (w *Witness) seen(origin string) (proof.Checkpoint, error) {
	raw, err := os.ReadFile(filepath.Join(w.dir.Root, fileOf(origin)))
	if errors.Is(err, os.ErrNotExist) {
		return proof.Checkpoint{Origin: origin}, nil
	}
	if err != nil {
		return proof.Checkpoint{}, err
	}
	text, err := proof.Open(raw, w.signer.Verifier())
	if err != nil {
		return proof.Checkpoint{}, err
	}
	c, err := proof.ParseCheckpoint(text)
	if err == nil && c.Origin != origin {
		err = fmt.Errorf("it is about %q", c.Origin)
	}
	return c, err
}

// question is a parsed request.
type question struct {
	old        uint64
	hashes     [][]byte
	checkpoint []byte
}

var errBody = errors.New("not an add-checkpoint request")

func parse(body []byte) (question, error) {
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok || len(checkpoint) == 0 {
		return question{}, errBody
	}
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseUint(size, 10, 63)
	if !ok || err != nil || strconv.FormatUint(old, 10) != size || len(lines)-1 > maxHashes {
		return question{}, errBody
	}
	q := question{old: old, checkpoint: checkpoint}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != sha256.Size {
			return question{}, errBody
		}
		q.hashes = append(q.hashes, h)
	}
	return q, nil
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
