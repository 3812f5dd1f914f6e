package proof

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"

	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

func anyLeaf(t *rapid.T) Leaf {
	l := Leaf{
		Kind: rapid.SampledFrom([]LeafKind{LeafOpen, LeafHead, LeafSeal, LeafAccess, LeafHeartbeat}).Draw(t, "kind"),
		At:   time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC(), Facts: map[string]any{},
	}
	if rapid.Bool().Draw(t, "call?") {
		l.Call = ident.New[ident.CallID]()
	}
	for range rapid.IntRange(0, 5).Draw(t, "facts") {
		l.Facts["f"+rapid.StringMatching(`[a-zé\x00-\x1f"\\]{1,6}`).Draw(t, "name")] = rapid.String().Draw(t, "fact")
	}
	return l
}

func TestALeafHasOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := anyLeaf(t)
		raw, err := l.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseLeaf(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		again, err := got.Bytes()
		if err != nil || !bytes.Equal(raw, again) || got.Kind != l.Kind || got.Call != l.Call || !got.At.Equal(l.At) {
			t.Fatalf("%s became %s (%v)", raw, again, err)
		}
		for _, other := range [][]byte{append([]byte(" "), raw...), append(bytes.Clone(raw), '\n'), append(bytes.Clone(raw), "{}"...)} {
			if _, err := ParseLeaf(other); err == nil {
				t.Fatalf("a second text of the same statement: %q", other)
			}
		}
	})
}

func TestAFactCannotPoseAsAnother(t *testing.T) {
	for _, name := range []string{"v", "k", "t", "call"} {
		if _, err := (Leaf{Kind: LeafHold, Facts: map[string]any{name: "x"}}).Bytes(); err == nil {
			t.Errorf("a fact called %q passes", name)
		}
	}
	if _, err := (Leaf{Kind: LeafHold, Facts: map[string]any{"x": strings.Repeat("a", MaxLeaf)}}).Bytes(); err == nil {
		t.Error("a statement without bounds passes")
	}
}

// logOf signs a log of entries and returns the proof of one.
func logOf(t interface{ Fatal(...any) }, entries [][]byte, index int, s note.Signer) Logged {
	leaves := make([][]byte, len(entries))
	for i, e := range entries {
		leaves[i] = rfc6962.DefaultHasher.HashLeaf(e)
	}
	var hashes [][32]byte
	var path func(leaves [][]byte, m int) [][]byte
	root := func(l [][]byte) []byte {
		tree := NewTree()
		for _, h := range l {
			if err := tree.Add([32]byte(h)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := tree.Root()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	path = func(l [][]byte, m int) [][]byte { // RFC 6962 section 2.1.1, word for word
		if len(l) <= 1 {
			return nil
		}
		k := 1
		for k*2 < len(l) {
			k *= 2
		}
		if m < k {
			return append(path(l[:k], m), root(l[k:]))
		}
		return append(path(l[k:], m-k), root(l[:k]))
	}
	for _, h := range path(leaves, index) {
		hashes = append(hashes, [32]byte(h))
	}
	raw, err := Sign(fmt.Sprintf("site.example/log\n%d\n%s\n", len(entries), base64.StdEncoding.EncodeToString(root(leaves))), s)
	if err != nil {
		t.Fatal(err)
	}
	return Logged{Entry: entries[index], Index: uint64(index), Hashes: hashes, Checkpoint: raw}
}

func TestAProofProvesItsEntryAndNoOther(t *testing.T) {
	skey, vkey, err := note.GenerateKey(nil, "site.example/log")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	known := note.VerifierList(verifier)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		var entries [][]byte
		for i := range n {
			entries = append(entries, fmt.Appendf(nil, "entry %d", i))
		}
		p := logOf(t, entries, rapid.IntRange(0, n-1).Draw(t, "index"), signer)
		raw := p.Marshal()
		got, err := ParseLogged(raw)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := got.Check(known); err != nil || c.Size != uint64(n) || c.Origin != "site.example/log" {
			t.Fatalf("%+v: %v", c, err)
		}
		// One flipped bit anywhere is found: the file is no proof, or the proof does not hold.
		bit := rapid.IntRange(0, len(raw)*8-1).Draw(t, "bit")
		bad := bytes.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		if q, err := ParseLogged(bad); err == nil {
			if _, err := q.Check(known); err == nil {
				t.Fatalf("a flipped bit %d passes:\n%s", bit, bad)
			}
		}
	})
}

func FuzzLogged(f *testing.F) {
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n\nsite\n1\nAAAA\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ParseLogged(raw)
		if err == nil && !bytes.Equal(p.Marshal(), raw) {
			t.Fatal("not canonical")
		}
		_, _ = ParseLeaf(raw)
		_, _ = ParseCheckpoint(string(raw))
	})
}
