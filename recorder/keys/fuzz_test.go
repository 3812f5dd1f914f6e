package keys

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzDisclosure reads what comes with an export as its keys: each line is taken or refused, and what
// was taken opens no more than it says.
func FuzzDisclosure(f *testing.F) {
	var good bytes.Buffer
	for _, p := range []Part{{"c", 0, All, All}, {"c", 1, 2, All}, {"c", 1, 2, 7}} {
		if err := WriteDisclosure(&good, p, key(3)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(good.Bytes())
	f.Add([]byte(`{"call":"c","segment":0,"stream":-1,"epoch":1,"key":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r Ring
		if err := ReadDisclosure(bytes.NewReader(raw), &r); err == nil && len(r.keks) > 0 {
			t.Fatal("a disclosed key of a whole call")
		}
		if n := bytes.Count(raw, []byte("\n")) + 1; len(r.some) > n {
			t.Fatalf("%d keys in %d lines", len(r.some), n)
		}
		for p, k := range r.some {
			if p.Stream < All || p.Stream > 0xffff || p.Epoch < All || p.Epoch > 0xffffffff || p.Segment < 0 {
				t.Fatalf("%+v", p)
			}
			if again, err := Parse(k.String()); err != nil || again != k {
				t.Fatal("a key that cannot be written")
			}
		}
	})
}

// FuzzKeyLists reads lists of recipients and identities: an error never shows a secret.
func FuzzKeyLists(f *testing.F) {
	id, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(FormatRecipients([]Recipient{id.Recipient("playback")}))
	f.Add("AGE-SECRET-KEY-PQ-1X\n# remark\n")
	f.Fuzz(func(t *testing.T, text string) {
		if all, err := ParseRecipients(text); err == nil {
			again, err := ParseRecipients(FormatRecipients(all))
			if err != nil || len(again) != len(all) {
				t.Fatalf("%d recipients, written again %d: %v", len(all), len(again), err)
			}
		}
		if _, err := ParseIdentities(text); err != nil {
			for _, line := range strings.Split(text, "\n") {
				if strings.Contains(line, "SECRET") && len(line) > 20 && strings.Contains(err.Error(), line) {
					t.Fatal("the error shows the secret")
				}
			}
		}
	})
}
