package keys

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func key(b byte) (k Key) {
	for i := range k {
		k[i] = b + byte(i)
	}
	return k
}

func TestTheDerivationIsThatOfTheDocument(t *testing.T) {
	// Fixed so that other readers can be held against it (docs/EVIDENCE.md, "Keys").
	stream := Stream(key(1), []byte("salt"), "call", 2)
	epoch := Epoch(stream, 3)
	sealed := NewCipher(epoch).Seal(nil, 4, []byte("aad"), []byte("words"))
	for what, c := range map[string][2]string{
		"stream": {stream.String(), "y7r0p1AA2rMgCVo0lvI8q-6qWfYBGhrdGcBXL4sMQn8"}, "epoch": {epoch.String(), "k4KmY8fq9oLa-KAKSue4pY8J6_qgAbHlm8pahRzZ3H8"}, "id": {key(1).ID(), "fbcccf832dfe8f9f2e41ee167f5e4fbc"},
		"sealed": {Key(sealed[:Size]).String(), "wpAoh6P221gDGC2rLoWnyaBXaVlfr9mW8a_ep9Za9oY"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %s, not %s", what, c[0], c[1])
		}
	}
}

func TestWhatIsSealedOpensOnlyWhereItWasSealed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dek := Key(rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "dek"))
		salt := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "salt")
		stream, epoch, leaf := rapid.Uint16().Draw(t, "stream"), rapid.Uint32().Draw(t, "epoch"), rapid.Uint64().Draw(t, "leaf")
		aad, plain := rapid.SliceOf(rapid.Byte()).Draw(t, "aad"), rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed := NewSealer(dek, salt, "call").Seal(nil, At{stream, epoch, leaf}, aad, plain)
		if len(sealed) != len(plain)+Overhead {
			t.Fatal(len(sealed))
		}
		var ring Ring
		kek := key(9)
		ring.AddKEK(kek)
		info := SegmentInfo{Call: "call", Segment: 3, KEK: kek.ID(), Wrapped: WrapDEK(kek, dek, Place("call", 3), [12]byte{1}), Salt: salt}
		got, err := ring.Segment(info).Open(nil, At{stream, epoch, leaf}, aad, sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatal(got, err)
		}
		at := rapid.IntRange(0, len(sealed)*8-1).Draw(t, "bit")
		sealed[at/8] ^= 1 << (at % 8)
		want := ErrTampered
		if at/8 < Size {
			want = ErrWrongKey
		}
		if _, err := ring.Segment(info).Open(nil, At{stream, epoch, leaf}, aad, sealed); !errors.Is(err, want) {
			t.Fatal(err)
		}
		sealed[at/8] ^= 1 << (at % 8)
		if _, err := ring.Segment(info).Open(nil, At{stream, epoch, leaf + 1}, aad, sealed); !errors.Is(err, ErrTampered) {
			t.Fatal(err)
		}
		if _, err := ring.Segment(info).Open(nil, At{stream, epoch + 1, leaf}, aad, sealed); !errors.Is(err, ErrWrongKey) {
			t.Fatal(err)
		}
		if _, err := ring.Segment(info).Open(nil, At{stream + 1, epoch, leaf}, aad, sealed); !errors.Is(err, ErrWrongKey) {
			t.Fatal(err)
		}
		info.Segment = 4 // the wrapped key was moved to another segment
		if _, err := ring.Segment(info).Open(nil, At{stream, epoch, leaf}, aad, sealed); !errors.Is(err, ErrTampered) {
			t.Fatal(err)
		}
	})
}

func TestADisclosedKeyOpensItsPartAndNoMore(t *testing.T) {
	kek, dek, salt := key(1), key(2), bytes.Repeat([]byte{7}, 32)
	var whole Ring
	whole.AddKEK(kek)
	info := SegmentInfo{Call: "c", Segment: 0, KEK: kek.ID(), Wrapped: WrapDEK(kek, dek, Place("c", 0), [12]byte{}), Salt: salt}
	all := whole.Segment(info)
	type place struct {
		stream uint16
		epoch  uint32
	}
	opens := func(r *Ring) map[place]bool {
		out := map[place]bool{}
		for _, p := range []place{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
			sealed := NewSealer(dek, salt, "c").Seal(nil, At{p.stream, p.epoch, 5}, nil, []byte("x"))
			_, err := r.Segment(info).Open(nil, At{p.stream, p.epoch, 5}, nil, sealed)
			if err != nil && !errors.Is(err, ErrNoKey) {
				t.Fatal(err)
			}
			out[p] = err == nil
		}
		return out
	}
	for _, c := range []struct {
		stream int
		epoch  int64
		want   int
	}{{All, All, 4}, {1, All, 2}, {1, 1, 1}} {
		k, err := all.Key(c.stream, c.epoch)
		if err != nil {
			t.Fatal(err)
		}
		var part Ring
		part.Add(Part{"c", 0, c.stream, c.epoch}, k)
		n := 0
		for p, ok := range opens(&part) {
			if ok {
				n++
				if c.stream != All && (int(p.stream) != c.stream || c.epoch != All && int64(p.epoch) != c.epoch) {
					t.Errorf("%v opened %v", c, p)
				}
			}
		}
		if n != c.want {
			t.Errorf("%v opened %d", c, n)
		}
		if _, err := part.Segment(info).Key(0, 0); c.stream == 1 && !errors.Is(err, ErrNoKey) {
			t.Error(err)
		}
	}
	if n := len(opens(&Ring{})); n != 4 || !(&Ring{}).Empty() || whole.Empty() {
		t.Fatal(n)
	}
}

func TestACallKeyReachesEveryRecipientAndNobodyElse(t *testing.T) {
	var ids [3]Identity
	for i := range ids {
		var err error
		if ids[i], err = NewIdentity(); err != nil {
			t.Fatal(err)
		}
	}
	list, err := ParseRecipients("# who may open calls\n" + FormatRecipients([]Recipient{ids[0].Recipient("playback"), ids[1].Recipient("escrow of two")}))
	if err != nil || len(list) != 2 || list[1].Name != "escrow of two" {
		t.Fatal(list, err)
	}
	kek := key(5)
	file, err := WrapKEK(kek, list)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, ErrNoKey} {
		again, err := ParseIdentities("# made today\n" + ids[i].Secret() + "\n")
		if err != nil {
			t.Fatal(err)
		}
		got, err := UnwrapKEK(file, again...)
		if !errors.Is(err, want) || (want == nil && got != kek) {
			t.Fatal(i, err)
		}
	}
	for at := range file {
		bad := bytes.Clone(file)
		bad[at] ^= 1
		if got, err := UnwrapKEK(bad, ids[0]); err == nil && got != kek {
			t.Fatalf("byte %d changed the key", at)
		}
	}
}

func TestListsOfRecipientsAreReadStrictly(t *testing.T) {
	for _, bad := range []string{"", "# nobody\n", "age1notone x", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p old"} {
		if all, err := ParseRecipients(bad); !errors.Is(err, ErrRecipients) {
			t.Errorf("%q gave %v, %v", bad, all, err)
		}
	}
	for _, bad := range []string{"", "AGE-SECRET-KEY-1", strings.Repeat("x", 100)} {
		if _, err := ParseIdentities(bad); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzUnwrap(f *testing.F) {
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	file, err := WrapKEK(key(1), []Recipient{id.Recipient("x")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file, WrapDEK(key(1), key(2), "p", [12]byte{}))
	f.Fuzz(func(t *testing.T, file []byte, dek string) {
		if k, err := UnwrapKEK(file, id); err == nil && k != key(1) {
			t.Fatal("another key")
		}
		if k, err := UnwrapDEK(key(1), dek, "p"); err == nil && k != key(2) {
			t.Fatal("another key")
		}
	})
}
