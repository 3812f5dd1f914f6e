// Package proof has what makes an archive evidence: the hash tree over its segments' headers and
// blocks, the signed heads, the signed seal. It is pure.
package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// Tree is the RFC 6962 tree of a call, as a compact range: O(log n) memory.
type Tree struct{ r *compact.Range }

func factory() *compact.RangeFactory {
	return &compact.RangeFactory{Hash: children}
}

// children is the hash of an inner node (RFC 6962 section 2.1), as rfc6962.DefaultHasher has it, without a hash.Hash of its own for each.
func children(left, right []byte) []byte {
	b := make([]byte, 0, 1+2*sha256.Size)
	b = append(append(append(b, rfc6962.RFC6962NodeHashPrefix), left...), right...)
	sum := sha256.Sum256(b)
	return sum[:]
}

// NewTree returns an empty tree.
func NewTree() *Tree { return &Tree{factory().NewEmptyRange(0)} }

// Add appends a leaf hash.
func (t *Tree) Add(leaf [32]byte) error { return t.r.Append(leaf[:], nil) }

// Size returns the number of leaves.
func (t *Tree) Size() uint64 { return t.r.End() }

// Root returns the tree's root hash.
func (t *Tree) Root() ([]byte, error) {
	if t.r.End() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	return t.r.GetRootHash(nil)
}

// Copy returns a tree that may go its own way.
func (t *Tree) Copy() (*Tree, error) {
	r, err := factory().NewRange(t.r.Begin(), t.r.End(), append([][]byte(nil), t.r.Hashes()...))
	if err != nil {
		return nil, fmt.Errorf("copy tree: %w", err)
	}
	return &Tree{r}, nil
}

// Head is a signed commitment to the durable leaves of a call (C2SP tlog-checkpoint form).
type Head struct {
	Origin string
	Size   uint64
	Root   []byte
	Time   string // RFC 3339
	Mono   int64  // nanoseconds since the call was opened
	Seg    int
	Bytes  int64  // durable bytes of that segment
	State  string // live, sealed, recovered
	Boot   string
}

// Text returns the head's note text.
func (h Head) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\nt=%s mono=%d seg=%d bytes=%d state=%s boot=%s\n", h.Origin, h.Size,
		base64.StdEncoding.EncodeToString(h.Root), h.Time, h.Mono, h.Seg, h.Bytes, h.State, h.Boot)
}

// ErrHead reports text that is no head.
var ErrHead = errors.New("not a head")

// ParseHead reads a head's note text.
func ParseHead(text string) (Head, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return Head{}, ErrHead
	}
	h := Head{Origin: lines[0]}
	var err error
	if h.Size, err = strconv.ParseUint(lines[1], 10, 64); err != nil {
		return h, ErrHead
	}
	if h.Root, err = base64.StdEncoding.DecodeString(lines[2]); err != nil || len(h.Root) != 32 {
		return h, ErrHead
	}
	for _, f := range strings.Fields(lines[3]) {
		k, v, _ := strings.Cut(f, "=")
		switch k {
		case "t":
			h.Time = v
		case "mono":
			h.Mono, err = strconv.ParseInt(v, 10, 64)
		case "seg":
			h.Seg, err = strconv.Atoi(v)
		case "bytes":
			h.Bytes, err = strconv.ParseInt(v, 10, 64)
		case "state":
			h.State = v
		case "boot":
			h.Boot = v
		}
		if err != nil {
			return h, ErrHead
		}
	}
	if h.Text() != text { // one head, one text
		return h, ErrHead
	}
	return h, nil
}

// Sign returns the signed note of a text.
func Sign(text string, s note.Signer) ([]byte, error) {
	raw, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return raw, nil
}

// Open checks a signed note and returns its text.
func Open(raw []byte, v note.Verifier) (string, error) { return OpenAny(raw, note.VerifierList(v)) }

// OpenAny checks a note signed by one of several. Base 64 has spare bits at its end that decoders
// pass over: a signature with one of them set is refused, so that one note has one text.
func OpenAny(raw []byte, known note.Verifiers) (string, error) {
	n, err := note.Open(raw, known)
	if err != nil {
		return "", fmt.Errorf("signature: %w", err)
	}
	for _, sig := range append(n.Sigs, n.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return "", fmt.Errorf("signature of %s: %w", sig.Name, err)
		}
	}
	return n.Text, nil
}

// SplitHeads splits a heads file into its signed notes. Each is followed by one empty line. What
// follows the last of them is torn; so is what a cut of the power made of it, which does not even have
// the form of a head. That somebody signed them, and what, is not looked at.
func SplitHeads(raw []byte) (heads [][]byte, torn []byte) {
	rest := raw
	for len(rest) > 0 {
		// A note is text, an empty line, signature lines; heads end with a further empty line.
		text := bytes.Index(rest, []byte("\n\n"))
		if text < 0 {
			break
		}
		sig := bytes.Index(rest[text+2:], []byte("\n\n"))
		if sig < 0 {
			break
		}
		end := text + 2 + sig + 1
		heads = append(heads, rest[:end])
		rest = rest[end+1:]
	}
	for len(heads) > 0 && !formed(heads[len(heads)-1]) {
		rest = raw[len(raw)-len(rest)-len(heads[len(heads)-1])-1:]
		heads = heads[:len(heads)-1]
	}
	return heads, rest
}

// formed tells whether a head has the form of one.
func formed(raw []byte) bool {
	var unknown *note.UnverifiedNoteError
	if _, err := note.Open(raw, note.VerifierList()); !errors.As(err, &unknown) {
		return false
	}
	text, _ := NoteText(raw)
	_, err := ParseHead(text)
	return err == nil
}

// SealPrefix is the first line of a seal's note; the manifest follows in JCS form.
const SealPrefix = "jedel-seal/1\n"

// Manifest is what a seal says of a call. In JSON it is flat.
type Manifest struct {
	Facts
	Counts
	Format     string            `json:"format"`
	Call       string            `json:"call"`
	Site       string            `json:"site"`
	Leaves     uint64            `json:"leaves"`
	Root       string            `json:"root"` // base64
	Heads      int               `json:"heads"`
	Segments   []ManifestSegment `json:"segments"`
	Streams    []ManifestStream  `json:"streams"`
	Blobs      []ManifestBlob    `json:"blobs"`
	Software   string            `json:"software"`
	Host       string            `json:"host"`
	Boots      []string          `json:"boots"`
	KEKID      string            `json:"kek_id"` // of the last life of the recorder
	KeyFiles   []ManifestKey     `json:"key_files"`
	Recipients []string          `json:"recipients"`
	SiteLog    string            `json:"site_log"`
}

// Facts are what the centre says of the call; the archive's records do not show all of them.
type Facts struct {
	Number   string `json:"number"`
	Timezone string `json:"timezone"`
	Opened   string `json:"opened"` // RFC 3339; times in the archive count from here
	Answered string `json:"answered"`
	Ended    string `json:"ended"`
	EndCause string `json:"end_cause"`
	Operator string `json:"operator"`
	Category string `json:"category"`
	Outcome  string `json:"outcome"`
}

// Counts are how many records of a kind the archive holds.
type Counts struct {
	Locations  int `json:"locations"`
	Chat       int `json:"chat"`
	Events     int `json:"events"`
	Recoveries int `json:"recoveries"`
	Gaps       int `json:"gaps"`
}

// ManifestSegment is one segment in a manifest.
type ManifestSegment struct {
	Name       string `json:"name"`
	Bytes      int64  `json:"bytes"`
	ValidBytes int64  `json:"valid_bytes"`
	SHA256     string `json:"sha256"`
	FirstLeaf  uint64 `json:"first_leaf"`
	LastLeaf   uint64 `json:"last_leaf"`
	Reason     string `json:"reason"`
}

// ManifestStream is one stream in a manifest.
type ManifestStream struct {
	ID          uint16 `json:"id"`
	Participant string `json:"participant"`
	Role        string `json:"role"`
	Kind        string `json:"kind"`
	Codec       string `json:"codec"`
	SSRC        uint32 `json:"ssrc"`
	Packets     uint64 `json:"packets"`
	Lost        uint64 `json:"lost"` // dropped by the recorder
	FirstMs     int64  `json:"first_ms"`
	LastMs      int64  `json:"last_ms"`
	Unread      bool   `json:"unread,omitempty"` // in part counted from outside of the ciphertext: its key had gone with a crash
}

// ManifestKey is one key file in a manifest: the call's key as it was first wrapped. Wrappings for
// later recipients stand beside it, under other names.
type ManifestKey struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hex
}

// WithBlob adds a file to those of a manifest. One that was written again after a crash takes its own place.
func WithBlob(list []ManifestBlob, b ManifestBlob) []ManifestBlob {
	if i := slices.IndexFunc(list, func(have ManifestBlob) bool { return have.ID == b.ID }); i >= 0 {
		list[i] = b
		return list
	}
	return append(list, b)
}

// ManifestBlob is one file in a manifest.
type ManifestBlob struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
