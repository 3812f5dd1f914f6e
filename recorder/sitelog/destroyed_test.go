package sitelog

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/proof"
	"jedel/recorder/verify"

	"golang.org/x/mod/sumdb/note"
)

// held are the files of a folder in memory.
func held(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// with returns the files with some changed; nil removes.
func with(files fstest.MapFS, change map[string][]byte) fstest.MapFS {
	out := fstest.MapFS{}
	for name, f := range files {
		out[name] = f
	}
	for name, raw := range change {
		if raw == nil {
			delete(out, name)
			continue
		}
		out[name] = &fstest.MapFile{Data: raw}
	}
	return out
}

// states are the states of the levels in order.
func states(r *verify.Report) string {
	var out []string
	for _, l := range r.Levels[:5] { // V0 to V4
		out = append(out, string(l.State))
	}
	return strings.Join(out, " ")
}

// TestDeletedSegmentsAreExplainedByTheLog destroys a recording as the keeper does, and holds that what
// is left explains itself, and that nothing but a statement about this very seal does.
func TestDeletedSegmentsAreExplainedByTheLog(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	cfg := config(root)
	cfg.Archives = root
	l, _ := started(t, cfg)
	dir, key := recorded(t, root, l)
	exists(t, filepath.Join(root, dir, verify.SealProof))
	whole := held(t, filepath.Join(root, dir))
	_, rest, _ := strings.Cut(string(whole["seal.note"].Data), `"root":"`)
	sealed, _, _ := strings.Cut(rest, `"`)
	say := func(call ident.CallID, root, segments string) []byte {
		leaf := proof.Leaf{Kind: proof.LeafDestroyed, Call: call, At: time.Now(), Facts: map[string]any{"by": "01A", "approver": "01B", "root": root, "segments": segments}}
		at, err := l.Add(t.Context(), leaf)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		p, _, err := l.Proof(ctx, leaf, at)
		if err != nil {
			t.Fatal(err)
		}
		return p.Marshal()
	}
	id := ident.CallID(path.Base(dir))
	good := say(id, "other "+sealed, "delete")
	gone := map[string][]byte{verify.DestroyedProof: good, verify.SignerFile: []byte(key + "\n")}
	for name := range whole {
		if strings.HasSuffix(name, ".evr") {
			gone[name] = nil
		}
	}
	left := with(whole, gone)
	given := verify.Options{Keys: []string{key}, Log: verify.Log{Keys: []string{l.Key()}}}
	look := func(files fs.FS, o verify.Options) string {
		t.Helper()
		r, err := verify.Dir(files, o)
		if err != nil {
			return err.Error()
		}
		if r.Call != string(id) || r.Root != sealed || r.Leaves == 0 || r.Number != "26-000001" {
			t.Errorf("%+v", r)
		}
		return states(r)
	}
	const explained = "partial partial partial partial not_checked"
	if got := look(left, given); got != explained {
		t.Errorf("deleted by two people: %s", got)
	}
	if got := look(left, verify.Options{}); got != explained {
		t.Errorf("with the keys found in it: %s", got)
	}
	heads := whole["heads"].Data
	none := verify.ErrNoArchive.Error()
	_, strange, err := note.GenerateKey(nil, "test/log")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change map[string][]byte
		opts   verify.Options
		want   string
	}{
		"without the statement":           {map[string][]byte{verify.DestroyedProof: nil}, given, none},
		"the statement is of another":     {map[string][]byte{verify.DestroyedProof: say(ident.New[ident.CallID](), sealed, "delete")}, given, none},
		"the statement is of another end": {map[string][]byte{verify.DestroyedProof: say(id, "else", "delete")}, given, none},
		"segments were to stay":           {map[string][]byte{verify.DestroyedProof: say(id, sealed, "keep")}, given, none},
		"the statement was changed":       {map[string][]byte{verify.DestroyedProof: bytes.Replace(good, []byte("index"), []byte("indes"), 1)}, given, none},
		"signed by another log":           {nil, verify.Options{Keys: []string{key}, Log: verify.Log{Keys: []string{strange}}}, none},
		"a head was changed":              {map[string][]byte{"heads": bytes.Replace(heads, []byte("state="), []byte("state_"), 1)}, given, "partial partial failed partial not_checked"},
		"a head is gone":                  {map[string][]byte{"heads": nil}, given, "partial partial failed partial not_checked"},
		"the seal was changed":            {map[string][]byte{"seal.note": bytes.Replace(whole["seal.note"].Data, []byte(`"operator":"`), []byte(`"operator":"x`), 1)}, given, "partial partial failed failed not_checked"},
	} {
		if got := look(with(left, c.change), c.opts); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := look(with(whole, map[string][]byte{verify.DestroyedProof: good}), given); got != "passed passed passed partial passed" {
		t.Errorf("segments are still there: %s", got)
	}
	r, err := verify.Dir(with(whole, map[string][]byte{verify.DestroyedProof: say(ident.New[ident.CallID](), sealed, "keep")}), given)
	if err != nil || r.Levels[3].State != verify.Failed || r.Exit != verify.ExitV3 {
		t.Errorf("a foreign statement beside a whole archive: %v %+v", err, r)
	}
	if _, err := verify.Dir(fstest.MapFS{"seal.note": whole["seal.note"]}, given); !errors.Is(err, verify.ErrNoArchive) {
		t.Error(err)
	}
}
