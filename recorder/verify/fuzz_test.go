package verify_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"jedel/recorder/verify"
)

// FuzzArchive verifies a folder that somebody else has filled: it ends, it does not panic, it passes
// nothing that the recorder's key has not signed, and its report can be written.
func FuzzArchive(f *testing.F) {
	c := record(f, true)
	names := c.segments()
	get := func(name string) []byte { return c.files[name].Data }
	f.Add(get(names[0]), get(names[1]), get("heads"), get("seal.note"), []byte("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n\nsite\n1\nAAAA\n"))
	f.Add([]byte("EVR1"), []byte{}, []byte("a\n1\nAAAA\n\n"), []byte("jedel-seal/1\n{}\n\n"), []byte{})
	f.Fuzz(func(t *testing.T, a, b, heads, seal, proof []byte) {
		files := fstest.MapFS{names[0]: {Data: a}, names[1]: {Data: b}, "heads": {Data: heads}, "seal.note": {Data: seal}, verify.SealProof: {Data: proof}, verify.OpenProof: {Data: proof}}
		for _, opts := range []verify.Options{{}, {Keys: []string{c.key}, Ring: c.ring}} {
			r, err := verify.Dir(files, opts)
			if err != nil {
				t.Fatal(err)
			}
			if r.Exit < verify.ExitV0 && r.Exit != verify.ExitUnreadable && !bytes.Equal(seal, get("seal.note")) && len(opts.Keys) > 0 && r.Levels[2].State == verify.Passed {
				t.Fatalf("passed without a signature: %+v", r.Levels)
			}
			var out bytes.Buffer
			if err := r.Text(&out); err != nil {
				t.Fatal(err)
			}
			if err := r.JSON(&out); err != nil {
				t.Fatal(err)
			}
		}
	})
}
