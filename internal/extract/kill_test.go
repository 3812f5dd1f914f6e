package extract

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestAKilledImportLeavesTheOld runs imports in a process of their own, which kills itself at every step
// that an import tells of. The old files are whole each time, and the next import cleans up.
func TestAKilledImportLeavesTheOld(t *testing.T) {
	if at := os.Getenv("JEDEL_TEST_IMPORT"); at != "" {
		killedImport(at)
		return
	}
	j, _, _ := imported(t, quarter().Bytes())
	for step := 1; ; step++ {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAKilledImportLeavesTheOld$")
		cmd.Env = append(os.Environ(), "JEDEL_TEST_IMPORT="+j.Source, "JEDEL_TEST_DIR="+j.Dir, "JEDEL_TEST_STEP="+strconv.Itoa(step))
		err := cmd.Run()
		var exit *exec.ExitError
		if err == nil {
			if step < 10 {
				t.Fatalf("it ended after %d steps", step)
			}
			break
		}
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatal(step, err)
		}
		if found, err := opened(t, j).Search(t.Context(), "абая 14", nil, 3); err != nil || len(found) == 0 {
			t.Fatal(step, found, err)
		}
		if n, err := OpenRoads(j.Dir); err != nil || n == nil {
			t.Fatal(step, err)
		}
	}
	if files, err := os.ReadDir(j.Dir); err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
}

// killedImport is the import in the other process.
func killedImport(source string) {
	left, err := strconv.Atoi(os.Getenv("JEDEL_TEST_STEP"))
	j := Job{Source: source, Dir: filepath.Clean(os.Getenv("JEDEL_TEST_DIR")), Now: time.Now}
	j.Tell = func(Step) {
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	if err == nil {
		_, err = j.Run(context.Background())
	}
	if err != nil {
		os.Exit(3)
	}
	os.Exit(0)
}
