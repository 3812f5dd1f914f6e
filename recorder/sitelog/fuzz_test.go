package sitelog

import (
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// FuzzAnswer reads what a witness answers: only its own signature of this checkpoint is kept.
func FuzzAnswer(f *testing.F) {
	skey, vkey, err := note.GenerateKey(nil, "w1")
	if err != nil {
		f.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		f.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		f.Fatal(err)
	}
	const text = "test/log\n1\nAAAA\n"
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		f.Fatal(err)
	}
	good := strings.TrimPrefix(string(signed), text+"\n")
	f.Add([]byte(good))
	f.Add([]byte("— w1 AAAA\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		o := &outside{}
		sig, err := o.signature(request{v: v, checkpoint: signed, size: 1}, answer)
		if err == nil && string(sig) != good {
			t.Fatalf("kept %q", sig)
		}
	})
}
