package staging

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"testing/iotest"
)

func open(t testing.TB, dir string) *Staging {
	t.Helper()
	s, err := Open(dir, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func content(t testing.TB, s *Staging, name string) []byte {
	t.Helper()
	r, err := s.Reader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func noise(n int) []byte {
	raw := make([]byte, n)
	for i := range raw {
		raw[i] = byte(rand.Uint32())
	}
	return raw
}

// TestAFileInPiecesIsTheFile sends a file in random pieces, each with another opening of the folder.
func TestAFileInPiecesIsTheFile(t *testing.T) {
	dir, whole := t.TempDir(), noise(300_000)
	for at := 0; at < len(whole); {
		s := open(t, dir)
		end := min(len(whole), at+1+rand.IntN(50_000))
		n, err := s.Append("a", int64(at), int64(len(whole)-at), bytes.NewReader(whole[at:end]))
		if err != nil || int(n) != end-at {
			t.Fatal(n, err)
		}
		at = end
		if size, err := s.Size("a"); err != nil || size != int64(at) {
			t.Fatal(size, err)
		}
	}
	s := open(t, dir)
	if !bytes.Equal(content(t, s, "a"), whole) {
		t.Fatal("it is another file")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "a"))
	if err != nil || bytes.Contains(raw, whole[1000:1032]) {
		t.Fatal("it lies there open", err)
	}
	r, err := s.Reader("a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), whole); err != nil {
		t.Fatal(err)
	}
}

func TestAPartForElsewhereChangesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Append("a", 0, 10, bytes.NewReader([]byte("hello"))); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{0, 3, 6, 1 << 40} {
		if n, err := s.Append("a", at, 10, bytes.NewReader([]byte("xxxxx"))); !errors.Is(err, ErrElsewhere) || n != 0 {
			t.Error(at, n, err)
		}
	}
	if got := content(t, s, "a"); string(got) != "hello" {
		t.Fatalf("%q", got)
	}
	if n, err := s.Append("a", 5, 3, bytes.NewReader([]byte("123456"))); err != nil || n != 3 {
		t.Fatal("over the limit", n, err)
	}
	if err := errors.Join(s.Drop("a"), s.Drop("a")); err != nil {
		t.Fatal(err)
	}
	if names, err := s.Names(); err != nil || len(names) != 0 {
		t.Fatal(names, err)
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"../a", "/etc/x", "a/../../b"} {
		if _, err := s.Append(name, 0, 1, bytes.NewReader([]byte("x"))); err == nil {
			t.Error(name)
		}
	}
}

// TestKilledAtAnyByteWhatWasToldIsHere kills a process that appends, at random instants, and goes on from
// what the folder says.
func TestKilledAtAnyByteWhatWasToldIsHere(t *testing.T) {
	const each = 64 << 10
	dir := t.TempDir()
	if os.Getenv("JEDEL_STAGING_CHILD") != "" {
		appendUntilKilled(t, os.Getenv("JEDEL_STAGING_CHILD"), each)
		return
	}
	told := int64(0)
	for range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "JEDEL_STAGING_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := rand.IntN(20); i >= 0; i-- {
			var b [16]byte
			if _, err := io.ReadFull(out, b[:]); err != nil {
				t.Fatal(err)
			}
			if told, err = strconv.ParseInt(string(bytes.TrimLeft(b[:], "0")), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		size, err := open(t, dir).Size("a")
		if err != nil || size < told {
			t.Fatalf("told %d, here %d: %v", told, size, err)
		}
	}
	for i, b := range content(t, open(t, dir), "a") {
		if b != byte(i) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
}

func appendUntilKilled(t *testing.T, dir string, each int) {
	s := open(t, dir)
	at, err := s.Size("a")
	for err == nil {
		part := make([]byte, each)
		for i := range part {
			part[i] = byte(at + int64(i))
		}
		var n int64
		n, err = s.Append("a", at, int64(each), bytes.NewReader(part))
		at += n
		told := strconv.FormatInt(at, 10)
		_, _ = os.Stdout.WriteString("0000000000000000"[:16-len(told)] + told)
	}
	t.Fatal(err)
}
