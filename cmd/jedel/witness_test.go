package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

func TestAWitnessNeedsAKeyItCanRead(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "log.pub")
	if err := os.WriteFile(bad, []byte("not a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := witnessCmd{Dir: filepath.Join(dir, "w"), Name: "w.example", Addr: "127.0.0.1:0", Log: []string{bad}}
	if err := c.Run(t.Context()); err == nil {
		t.Fatal("it serves a log that nobody can name")
	}
}

func TestAWitnessEndsWhenItIsTold(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "log.pub")
	_, pub, err := note.GenerateKey(nil, "petropavl/log")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(pub+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	c := witnessCmd{Dir: filepath.Join(dir, "w"), Name: "w.example", Addr: "127.0.0.1:0", Log: []string{key}}
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "w")); err != nil {
		t.Fatal(err)
	}
}
