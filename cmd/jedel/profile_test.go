//go:build unix

package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestASignalAsksForProfiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "profiles")
	if err := profiles(t.Context(), dir, 10*time.Millisecond, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	tick, end := time.NewTicker(5*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for _, name := range []string{"cpu-1.pprof", "heap-1.pprof"} {
		for {
			if s, err := os.Stat(filepath.Join(dir, name)); err == nil && s.Size() > 0 {
				break
			}
			select {
			case <-tick.C:
			case <-end:
				t.Fatal("there is no", name)
			}
		}
	}
}
