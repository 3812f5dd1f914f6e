package proof

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	tlog "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	inclusion "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is what a site log signs: how long it is and its root (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   []byte
}

// ErrCheckpoint reports text that is no checkpoint.
var ErrCheckpoint = errors.New("not a checkpoint")

// ParseCheckpoint reads a checkpoint's note text. Extension lines are passed over.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" || lines[len(lines)-1] != "" {
		return Checkpoint{}, ErrCheckpoint
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || strconv.FormatUint(size, 10) != lines[1] {
		return Checkpoint{}, ErrCheckpoint
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != rfc6962.DefaultHasher.Size() {
		return Checkpoint{}, ErrCheckpoint
	}
	return Checkpoint{lines[0], size, root}, nil
}

// NoteText returns the signed part of a note without looking at its signatures.
func NoteText(raw []byte) (string, bool) {
	i := bytes.LastIndex(raw, []byte("\n\n"))
	if i < 0 {
		return "", false
	}
	return string(raw[:i+1]), true
}

// Cosigned is a witness's statement that it saw a checkpoint, and that it follows on all it saw before.
type Cosigned struct {
	Name string
	At   time.Time
}

// Cosigners returns who of a policy's witnesses has signed a checkpoint.
func Cosigners(checkpoint []byte, policy witness.Group) []Cosigned {
	var known []note.Verifier
	for _, v := range policy.Endpoints() {
		known = append(known, v)
	}
	n, err := note.Open(checkpoint, note.VerifierList(known...))
	if err != nil {
		return nil
	}
	var out []Cosigned
	for _, s := range n.Sigs {
		if at, err := cosign.CoSigV1Timestamp(s); err == nil {
			out = append(out, Cosigned{s.Name, at})
		}
	}
	return out
}

// Logged is an entry of a site log with its proof (C2SP tlog-proof; the entry is its extra data).
type Logged struct {
	Entry      []byte
	Index      uint64
	Hashes     [][32]byte
	Checkpoint []byte // the signed note
}

// Marshal returns the proof as a .tlog-proof file.
func (p Logged) Marshal() []byte {
	return tlog.TLogProof{Index: p.Index, Hashes: p.Hashes, Checkpoint: p.Checkpoint, ExtraData: p.Entry}.Marshal()
}

// ErrProof reports a proof that proves nothing.
var ErrProof = errors.New("not a proof of an entry")

// ParseLogged reads a .tlog-proof file. One proof has one text.
func ParseLogged(raw []byte) (Logged, error) {
	var t tlog.TLogProof
	if err := t.Unmarshal(raw); err != nil {
		return Logged{}, fmt.Errorf("%w: %w", ErrProof, err)
	}
	p := Logged{t.ExtraData, t.Index, t.Hashes, t.Checkpoint}
	if len(p.Entry) == 0 || !bytes.Equal(p.Marshal(), raw) {
		return Logged{}, fmt.Errorf("%w: not in canonical form", ErrProof)
	}
	return p, nil
}

// Check verifies that the entry stands in a log that one of the keys has signed, and returns the
// checkpoint that says so.
func (p Logged) Check(log note.Verifiers) (Checkpoint, error) {
	text, err := OpenAny(p.Checkpoint, log)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := ParseCheckpoint(text)
	if err != nil {
		return c, err
	}
	return c, p.Follows(c)
}

// Follows verifies that the entry stands in the tree of a checkpoint, whoever signed that.
func (p Logged) Follows(c Checkpoint) error {
	hashes := make([][]byte, len(p.Hashes))
	for i := range p.Hashes {
		hashes[i] = p.Hashes[i][:]
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(p.Entry)
	if err := inclusion.VerifyInclusion(rfc6962.DefaultHasher, p.Index, c.Size, leaf, hashes, c.Root); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	return nil
}
