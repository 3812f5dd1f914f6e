package app

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func TestCachedFilesLieEncryptedAndReadInTheClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "left"), []byte("by an earlier process"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCache(dir)
	secret := bytes.Repeat([]byte("what the caller said. "), 5000)
	made := 0
	get := func() io.ReadSeekCloser {
		f, err := c.open("call", forever, func(w io.Writer) (string, error) {
			made++
			for at := 0; at < len(secret); at += 777 {
				if _, err := w.Write(bytes.Clone(secret[at:min(at+777, len(secret))])); err != nil {
					return "", err
				}
			}
			return "text/plain", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	f := get()
	if all, err := io.ReadAll(f); err != nil || !bytes.Equal(all, secret) {
		t.Fatal(len(all), err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(secret)-1).Draw(t, "at")
		n := rapid.IntRange(1, 4000).Draw(t, "n")
		if _, err := f.Seek(int64(at)-int64(len(secret)), io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, min(n, len(secret)-at))
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, secret[at:at+len(got)]) {
			t.Fatal(at, n, err)
		}
	})
	if get(); made != 1 {
		t.Fatalf("made %d times", made)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	raw, err := os.ReadFile(names[0])
	if err != nil || bytes.Contains(raw, []byte("caller")) || len(raw) != len(secret) {
		t.Fatal("lies in the clear", err)
	}
	broken := errors.New("broken")
	if _, err := c.open("other", forever, func(io.Writer) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 1 {
		t.Fatal("a failed file was left", names)
	}
}

func TestDroppedFilesOfACallAreMadeAnew(t *testing.T) {
	t.Parallel()
	c := newCache(filepath.Join(t.TempDir(), "cache"))
	made := map[string]int{}
	get := func(name string) {
		f, err := c.open(name, forever, func(w io.Writer) (string, error) { made[name]++; _, err := w.Write([]byte(name)); return "", err })
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		for _, name := range []string{"A-caller.webm", "A-operator.webm", "AB-caller.webm"} {
			get(name)
		}
		if err := c.dropAll("A"); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(c.dir); err != nil || len(left) != 1 {
			t.Fatal(left, err)
		}
	}
	if made["A-caller.webm"] != 2 || made["A-operator.webm"] != 2 || made["AB-caller.webm"] != 1 {
		t.Fatal(made)
	}
}
