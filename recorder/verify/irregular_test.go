package verify_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"jedel/recorder/verify"
)

// TestPipesAndDevicesInAnArchiveEndNothing puts a pipe, which nobody writes, and a link to a device,
// which never ends, in the place of each file: verifying ends, and does not pass.
func TestPipesAndDevicesInAnArchiveEndNothing(t *testing.T) {
	c := record(t, true)
	for name := range c.files {
		for kind, place := range map[string]func(string) error{
			"pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"device": func(path string) error { return os.Symlink("/dev/zero", path) },
		} {
			dir := t.TempDir()
			for n, f := range c.files {
				if n == name {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, n), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := place(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			done := make(chan bool, 1)
			go func() {
				r, err := verify.Dir(os.DirFS(dir), verify.Options{Keys: []string{c.key}, Ring: c.ring})
				done <- err == nil && r.Exit < verify.ExitV0
			}()
			select {
			case passed := <-done:
				if passed {
					t.Errorf("a %s as %s passes", kind, name)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("a %s as %s is read for ever", kind, name)
			}
		}
	}
}
