package disk

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestWipedBytesAreGoneBeforeTheirName looks at the bytes through a second name, which outlives the wipe.
func TestWipedBytesAreGoneBeforeTheirName(t *testing.T) {
	dir := t.TempDir()
	secret := bytes.Repeat([]byte("AGE-SECRET"), 500)
	name, other := filepath.Join(dir, "kek"), filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(name, secret, 0o600), os.Link(name, other)); err != nil {
		t.Fatal(err)
	}
	d := OS{Root: dir}
	for range 2 { // done again after a crash, it is no error
		if err := d.Wipe("kek"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	left, err := os.ReadFile(other)
	if err != nil || len(left) != len(secret) || bytes.Contains(left, []byte("SECRET")) {
		t.Fatalf("%d bytes, %v", len(left), err)
	}
	if err := d.Wipe("no/such/folder/kek"); err != nil {
		t.Fatal(err)
	}
}

func TestAWipeFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "far"), []byte("precious"), 0o600), os.Symlink("far", filepath.Join(dir, "kek"))); err != nil {
		t.Fatal(err)
	}
	if err := (OS{Root: dir}).Wipe("kek"); err == nil {
		t.Fatal("a link was wiped")
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "far")); err != nil || string(raw) != "precious" {
		t.Fatalf("%q %v", raw, err)
	}
}
