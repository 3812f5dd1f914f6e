package recorder

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/derive"
	"jedel/recorder/verify"
)

// TestADamagedRecordingGoesOnBesideIt damages what a crash left in several ways. Nothing of it is
// touched, the call goes on beside it, also over a second crash, and the new part verifies and says
// what it follows.
func TestADamagedRecordingGoesOnBesideIt(t *testing.T) {
	for name, harm := range map[string]func(seg, heads []byte) ([]byte, []byte){
		"a bit within what is signed": func(seg, heads []byte) ([]byte, []byte) {
			seg[len(seg)/2] ^= 4
			return seg, heads
		},
		"cut before what is signed": func(seg, heads []byte) ([]byte, []byte) { return seg[:len(seg)/2], heads },
		"a forged head": func(seg, heads []byte) ([]byte, []byte) {
			root := bytes.IndexByte(heads, '\n') + 1
			root += bytes.IndexByte(heads[root:], '\n') + 1
			letter := byte('A')
			if heads[root] == letter {
				letter = 'B'
			}
			heads[root] = letter
			return seg, heads
		},
		"nothing left": func(_, heads []byte) ([]byte, []byte) { return nil, heads },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r, stop := run(t, config(dir))
			id, opened := ident.New[ident.CallID](), time.Now()
			a := start(t, r, id, opened)
			s := a.OpenStream(StreamInfo{Participant: "caller", Role: "caller", Kind: "audio"})
			for n := range 20 {
				s.RTP(time.Now(), packet(n), false)
			}
			flush(t, a)
			stop()
			target := filepath.Join(dir, Dir(id, opened))
			read := func(name string) []byte {
				raw, err := os.ReadFile(filepath.Join(target, name))
				if err != nil {
					t.Fatal(err)
				}
				return raw
			}
			seg, heads := harm(read("00000.evr"), read("heads"))
			for name, raw := range map[string][]byte{"00000.evr": seg, "heads": heads} {
				if err := os.WriteFile(filepath.Join(target, name), raw, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for life := range 2 { // the second goes on in the part that the first began
				r, stop := run(t, config(dir))
				b := start(t, r, id, opened)
				s := b.OpenStream(StreamInfo{Participant: "caller", Role: "caller", Kind: "audio"})
				s.RTP(time.Now(), packet(100+life), false)
				flush(t, b)
				if life == 1 {
					if err := b.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "caller"}); err != nil {
						t.Fatal(err)
					}
				}
				stop()
			}
			if !bytes.Equal(read("00000.evr"), seg) || !bytes.Equal(read("heads"), heads) {
				t.Fatal("the damaged part was touched")
			}
			parts := Parts(os.DirFS(dir), id, opened)
			if len(parts) != 2 || parts[1] != Dir(id, opened)+".2" {
				t.Fatal(parts)
			}
			part := os.DirFS(filepath.Join(dir, parts[1]))
			rep, err := verify.Dir(part, verify.Options{Keys: []string{r.Key()}, Ring: ring(t, part)})
			if err != nil || rep.Exit > verify.ExitPartial {
				t.Fatalf("%v %+v", err, rep)
			}
			if marks, _ := payloads(t, part); !bytes.Contains(marks, []byte{100}) || !bytes.Contains(marks, []byte{101}) {
				t.Fatal(marks)
			}
			rec, err := derive.Load(part, ring(t, part))
			if err != nil {
				t.Fatal(err)
			}
			said := ""
			for _, e := range rec.Timeline().Events {
				said += string(e.Details)
			}
			if !strings.Contains(said, `"after":"`+string(id)+`"`) || !strings.Contains(said, `"damage":"`) || len(rec.Timeline().Gaps) == 0 {
				t.Fatal("what it follows is not said:", said)
			}
		})
	}
}
