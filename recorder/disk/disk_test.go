package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFilesAreAppendedAndOnlyTheOwnerReads(t *testing.T) {
	dir := t.TempDir()
	d := OS{Root: dir}
	if err := d.MkdirAll("a/b/c"); err != nil {
		t.Fatal(err)
	}
	f, err := d.Create("a/b/c/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"one", "two"} {
		if _, err := f.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "a/b/c/x"))
	if err != nil || string(raw) != "onetwo" {
		t.Fatal(string(raw), err)
	}
	for name, want := range map[string]fs.FileMode{"a": 0o700, "a/b/c": 0o700, "a/b/c/x": 0o600} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
	if _, err := d.Create("a/b/c/x"); !errors.Is(err, fs.ErrExist) {
		t.Fatal("made over an existing file:", err)
	}
}

func TestReplaceIsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	d := OS{Root: dir}
	for _, s := range []string{"first", "second"} {
		if err := d.Replace("note", []byte(s)); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "note"))
		if err != nil || string(raw) != s {
			t.Fatal(string(raw), err)
		}
	}
}

func TestFolderIsLockedUntilReleased(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = Lock(dir)
	if err := errors.Join(err, release()); err != nil {
		t.Fatal(err)
	}
}

func TestFaultyFailsBeforeAndAfterTheEffect(t *testing.T) {
	dir := t.TempDir()
	bad := errors.New("bad")
	fate := Fate{}
	d := Faulty{OS{Root: dir}, func(Op) Fate { return fate }}
	f, err := d.Create("x")
	if err != nil {
		t.Fatal(err)
	}
	fate = Fate{Before: bad, Short: 2}
	if n, err := f.Write([]byte("abc")); n != 2 || !errors.Is(err, bad) {
		t.Fatal(n, err)
	}
	fate = Fate{After: bad}
	if n, err := f.Write([]byte("def")); n != 3 || !errors.Is(err, bad) {
		t.Fatal(n, err)
	}
	if err := f.Sync(); !errors.Is(err, bad) {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "x")); err != nil || string(raw) != "abdef" {
		t.Fatal(string(raw), err)
	}
	fate = Fate{Free: 0.01}
	if share, err := d.Free(); share != 0.01 || err != nil {
		t.Fatal(share, err)
	}
	fate = Fate{}
	if share, err := d.Free(); share <= 0 || share > 1 || err != nil {
		t.Fatal(share, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
