package proof

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

// mth is the tree hash exactly as RFC 6962 section 2.1 writes it.
func mth(leaves [][32]byte) [32]byte {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for k*2 < n {
			k *= 2
		}
		l, r := mth(leaves[:k]), mth(leaves[k:])
		return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
	}
}

func TestTreeIsTheOneOfRFC6962(t *testing.T) {
	tree := NewTree()
	var leaves [][32]byte
	for i := range 70 {
		root, err := tree.Root()
		if want := mth(leaves); err != nil || !bytes.Equal(root, want[:]) {
			t.Fatalf("size %d: %x, want %x (%v)", i, root, want, err)
		}
		leaf := sha256.Sum256([]byte{byte(i)})
		leaves = append(leaves, leaf)
		if err := tree.Add(leaf); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCopyOfATreeGoesItsOwnWay(t *testing.T) {
	tree := NewTree()
	for i := range 5 {
		if err := tree.Add([32]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := tree.Root()
	other, err := tree.Copy()
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if err := other.Add([32]byte{9}); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := tree.Root(); !bytes.Equal(before, after) || tree.Size() != 5 {
		t.Fatal("the copy changed the original")
	}
}

func keys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(nil, "evr.example.org/rec")
	if err != nil {
		t.Fatal(err)
	}
	s, err1 := note.NewSigner(skey)
	v, err2 := note.NewVerifier(vkey)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return s, v
}

func someHead(size uint64) Head {
	return Head{Origin: "evr.example.org/site/call/x", Size: size, Root: bytes.Repeat([]byte{7}, 32), Time: "2026-11-23T08:12:04.5Z", Mono: 12, Seg: 1, Bytes: 99, State: "live", Boot: "b"}
}

func TestEveryFlippedBitOfAHeadIsSeen(t *testing.T) {
	s, v := keys(t)
	raw, err := Sign(someHead(3).Text(), s)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Open(raw, v)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := ParseHead(text); err != nil || h.Text() != someHead(3).Text() {
		t.Fatal(h, err)
	}
	for bit := range 8 * len(raw) {
		bad := bytes.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		if text, err := Open(bad, v); err == nil {
			if _, err := ParseHead(text); err == nil {
				t.Fatalf("bit %d went unseen", bit)
			}
		}
	}
}

func TestHeadsAreSplitAndATornLastOneIsLeftOver(t *testing.T) {
	s, _ := keys(t)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 4).Draw(rt, "heads")
		var file []byte
		for i := range n + 1 {
			raw, err := Sign(someHead(uint64(i)).Text(), s)
			if err != nil {
				rt.Fatal(err)
			}
			raw = append(raw, '\n')
			if i == n {
				raw = raw[:rapid.IntRange(0, len(raw)-1).Draw(rt, "cut")]
			}
			file = append(file, raw...)
		}
		if heads, torn := SplitHeads(file); len(heads) != n || !bytes.HasSuffix(file, torn) {
			rt.Fatalf("%d heads, %d torn; want %d", len(heads), len(torn), n)
		}
	})
}

// TestAHeadThatAPowerCutToreIsLeftOver empties a part of the last head: it is left over,
// as if it had been cut.
func TestAHeadThatAPowerCutToreIsLeftOver(t *testing.T) {
	s, _ := keys(t)
	var file []byte
	var size int
	for i := range 3 {
		raw, err := Sign(someHead(uint64(i)).Text(), s)
		if err != nil {
			t.Fatal(err)
		}
		size = len(raw) + 1
		file = append(append(file, raw...), '\n')
	}
	for from := range size - 12 {
		torn := bytes.Clone(file)
		clear(torn[len(torn)-size+from:][:10])
		if heads, rest := SplitHeads(torn); len(heads) != 2 || len(rest) != size {
			t.Fatalf("from %d: %d heads, %d bytes left over", from, len(heads), len(rest))
		}
	}
}

func FuzzHeads(f *testing.F) {
	s, _ := keys(f)
	raw, _ := Sign(someHead(1).Text(), s)
	f.Add(append(raw, '\n'))
	f.Fuzz(func(t *testing.T, raw []byte) {
		heads, torn := SplitHeads(raw)
		n := len(torn)
		for _, h := range heads {
			n += len(h) + 1
		}
		if n != len(raw) {
			t.Fatal("bytes vanished")
		}
		if h, err := ParseHead(string(raw)); err == nil && h.Text() != string(raw) {
			t.Fatal("two texts of one head")
		}
	})
}
