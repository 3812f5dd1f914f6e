package tips

import (
	"bytes"
	"testing"
	"time"
)

func FuzzCode(f *testing.F) {
	f.Add(fixed.Words())
	f.Add("бабаб дидод")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCode(text)
		if err != nil {
			return
		}
		if back, err := ParseCode(c.Words()); err != nil || back != c {
			t.Fatalf("%q: %v %v", text, c, err)
		}
	})
}

func FuzzLetter(f *testing.F) {
	raw, _ := Letter{Kind: Tip, Text: "x", Lang: "ru", Reply: "r", Files: []File{{"f", "t", []byte("data")}}}.Pack()
	f.Add(bytes.TrimRight(raw, "\x00"))
	f.Add([]byte(letterIntro + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, start []byte) {
		c, err := ClassOf(len(start))
		if err != nil {
			return
		}
		l, err := ParseLetter(append(start, make([]byte, c.Bytes()-len(start))...))
		if err != nil {
			return
		}
		again, err := l.Pack()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := ParseLetter(again)
		if err != nil || back.Text != l.Text || len(back.Files) != len(l.Files) {
			t.Fatal(err)
		}
	})
}

func FuzzSealed(f *testing.F) {
	f.Add(sealedBy(f, 1, make([]byte, Class(0).Bytes()))[:2000], 1)
	f.Add([]byte(ageIntro), 2)
	f.Fuzz(func(t *testing.T, start []byte, recipients int) {
		if recipients < 0 || recipients > 20 {
			return
		}
		size := SealedBytes(0, recipients)
		if len(start) > size {
			start = start[:size]
		}
		raw := append(bytes.Clone(start), make([]byte, size-len(start))...)
		if c, err := CheckSealed(raw, recipients); err == nil && (c != 0 || !bytes.HasPrefix(raw, []byte(ageIntro)) || bytes.Count(raw[:bytes.Index(raw, []byte("\n--- "))+1], []byte("\n-> ")) != recipients) {
			t.Fatalf("%q passes", raw[:100])
		}
		_, _ = CheckSealed(start, recipients)
	})
}

func FuzzStamp(f *testing.F) {
	f.Add(Make(ChallengeAt([]byte("s"), time.Unix(1e9, 0)), 1, Mailbox{}, ID{}).Text())
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseStamp(text); err == nil && s.Text() != text {
			t.Fatal(text)
		}
	})
}

func FuzzQuestion(f *testing.F) {
	f.Add(Ask([]byte("s"), "u", time.Unix(1e9, 0), [16]byte{}).Text(), Ask([]byte("s"), "u", time.Unix(1e9, 0), [16]byte{}).Answer())
	f.Fuzz(func(t *testing.T, text, answer string) {
		if q, err := ParseQuestion(text); err == nil && q.Text() != text {
			t.Fatal(text)
		}
		if CheckAnswer([]byte("secret nobody knows"), "u", time.Unix(1e9, 0), answer) {
			t.Fatal(answer)
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add(fixed.Key().Text(), ID{1}.String())
	f.Fuzz(func(t *testing.T, key, id string) {
		if k, err := ParseKey(key); err == nil && k.Text() != key {
			t.Fatal(key)
		}
		if i, err := ParseID(id); err == nil && i.String() != id {
			t.Fatal(id)
		}
	})
}
