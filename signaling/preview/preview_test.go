package preview

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"jedel/signaling/photo"
)

// TestMain makes children of this program: what they do is their only argument.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && strings.HasPrefix(os.Args[1], "child") {
		os.Exit(child(os.Args[1]))
	}
	os.Exit(m.Run())
}

func child(what string) int {
	if what == "child" {
		return Child(os.Stdin, os.Stdout)
	}
	if err := confine(); err != nil {
		return 100
	}
	var err error
	switch what {
	case "child-opens":
		_, err = os.Open("/etc/passwd")
	case "child-writes":
		err = os.WriteFile("/tmp/jedel-preview-test", []byte("x"), 0o600)
	case "child-dials":
		_, err = net.Dial("tcp", "127.0.0.1:1")
	case "child-runs":
		err = exec.Command("/bin/true").Run()
	case "child-fills":
		var all [][]byte
		for range 4096 {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
		return len(all) % 100
	case "child-spins":
		for {
		}
	case "child-floods":
		_, err = io.Copy(os.Stdout, zeros{})
	case "child-panics":
		panic("decoder")
	}
	if err == nil || !strings.Contains(err.Error(), "not permitted") {
		_, _ = os.Stdout.WriteString(errText(err))
		return 101
	}
	return 102
}

func errText(err error) string {
	if err == nil {
		return "it could"
	}
	return err.Error()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func self(what string) Drawer { return Drawer{[]string{"/proc/self/exe", what}} }

func TestAPictureIsDrawnByAChild(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 3000, 2000)), nil); err != nil {
		t.Fatal(err)
	}
	small, info, err := self("child").Draw(t.Context(), &b)
	if err != nil || info.Mime != "image/jpeg" || info.Width != 3000 {
		t.Fatal(info, err)
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(small))
	if err != nil || cfg.Width != photo.PreviewSide {
		t.Fatal(cfg, err)
	}
}

// bomb is a PNG that announces w x h pixels in a few bytes.
func bomb(w, h uint32) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, 8, 6, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestWhatIsNoPictureIsRefusedByAChild(t *testing.T) {
	var good bytes.Buffer
	if err := png.Encode(&good, image.NewGray(image.Rect(0, 0, 100, 100))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"an image bomb":  {bomb(50000, 50000), photo.ErrTooLarge},
		"half a picture": {good.Bytes()[:good.Len()/2], photo.ErrNotPicture},
		"HTML":           {[]byte("<html><script>alert(1)</script>"), photo.ErrNotPicture},
		"nothing":        {nil, photo.ErrNotPicture},
	} {
		if _, _, err := self("child").Draw(t.Context(), bytes.NewReader(c.raw)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAChildHasNothingToTake holds that a broken decoder finds no file, no network and no other program.
func TestAChildHasNothingToTake(t *testing.T) {
	for _, what := range []string{"child-opens", "child-writes", "child-dials", "child-runs"} {
		out, err := exec.CommandContext(t.Context(), "/proc/self/exe", what).CombinedOutput()
		var ended *exec.ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != 102 {
			t.Errorf("%s: %v: %.200s", what, err, out)
		}
	}
}

// TestABrokenChildEndsAlone holds that a child that takes all memory, all time or says too much is ended,
// and that the one who asked is told.
func TestABrokenChildEndsAlone(t *testing.T) {
	for _, what := range []string{"child-fills", "child-floods", "child-panics"} {
		begin := time.Now()
		if _, _, err := self(what).Draw(t.Context(), strings.NewReader("")); !errors.Is(err, photo.ErrNotPicture) {
			t.Errorf("%s: %v", what, err)
		}
		if took := time.Since(begin); took > wallTime/2 {
			t.Errorf("%s lived for %v", what, took)
		}
	}
	if testing.Short() {
		return
	}
	begin := time.Now()
	if _, _, err := self("child-spins").Draw(t.Context(), strings.NewReader("")); !errors.Is(err, photo.ErrNotPicture) {
		t.Error(err)
	}
	if took := time.Since(begin); took > wallTime+endTime {
		t.Error("it spun for", took)
	}
}

// TestManyChildrenDraw holds that a child may start the threads it needs, with and without the C library.
func TestManyChildrenDraw(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1500, 1000)), nil); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		if _, _, err := self("child").Draw(t.Context(), bytes.NewReader(b.Bytes())); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	var raw bytes.Buffer
	if err := jpeg.Encode(&raw, image.NewRGBA(image.Rect(0, 0, 4000, 3000)), nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := self("child").Draw(b.Context(), bytes.NewReader(raw.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
