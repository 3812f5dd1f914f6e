package bag_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"jedel/recorder/bag"

	"pgregory.net/rapid"
)

var made = time.Date(2026, 11, 23, 12, 41, 11, 5, time.UTC)

func plan(t testing.TB, files map[string]string) *bag.Plan {
	t.Helper()
	p, err := bag.New("call-export-1", made)
	if err != nil {
		t.Fatal(err)
	}
	p.Info("External-Identifier", "call")
	p.Info("Reason", "a\nb\u2028c")
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if _, err := p.Add(t.Context(), n, bag.Bytes([]byte(files[n]))); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func zipped(t testing.TB, p *bag.Plan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Zip(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// opened unpacks a zip into memory; the bag's folder is the root.
func opened(t testing.TB, raw []byte) fstest.MapFS {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(f.Name, "call-export-1/")] = &fstest.MapFile{Data: b}
	}
	return out
}

func TestBagIsCheckedByOthersToo(t *testing.T) {
	raw := zipped(t, plan(t, map[string]string{"a.txt": "one", "фото/сурет 1.png": "two", "empty": ""}))
	dir := t.TempDir()
	file := filepath.Join(dir, "bag.zip")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range [][]string{{"unzip", "-q", "bag.zip"}} {
		c := exec.Command(cmd[0], cmd[1:]...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	root := filepath.Join(dir, "call-export-1")
	for tool, list := range map[string][]string{"sha256sum": {"manifest-sha256.txt", "tagmanifest-sha256.txt"}, "sha512sum": {"manifest-sha512.txt"}} {
		for _, l := range list {
			c := exec.Command(tool, "--strict", "-c", l)
			c.Dir = root
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s -c %s: %v\n%s", tool, l, err, out)
			}
		}
	}
	if c := exec.Command("python3", "-c", "import bagit"); c.Run() == nil {
		if out, err := exec.Command("python3", "-m", "bagit", "--validate", root).CombinedOutput(); err != nil {
			t.Errorf("bagit.py: %v\n%s", err, out)
		}
	}
	r, err := bag.Check(os.DirFS(root))
	if err != nil || len(r.Faults) > 0 || r.Files != 3 || r.Bytes != 6 || r.Info["Reason"] != "a b c" || r.Info["Payload-Oxum"] != "6.3" || len(r.Manifests) != 3 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestSameInputIsTheSameBag(t *testing.T) {
	files := map[string]string{"a": "one", "b/c": "two"}
	if !bytes.Equal(zipped(t, plan(t, files)), zipped(t, plan(t, files))) {
		t.Error("two zips differ")
	}
	var one, two bytes.Buffer
	if err := errors.Join(plan(t, files).Tar(t.Context(), &one), plan(t, files).Tar(t.Context(), &two)); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two tars differ", err)
	}
	z := opened(t, zipped(t, plan(t, files)))
	r := tar.NewReader(&one)
	for n := 0; ; n++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			if n != len(z) {
				t.Errorf("%d files in the tar, %d in the zip", n, len(z))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(b, z[strings.TrimPrefix(h.Name, "call-export-1/")].Data) {
			t.Errorf("%s differs: %v", h.Name, err)
		}
	}
}

// TestEveryChangeOfABagIsFound: whichever byte of whichever file is flipped, whichever file is taken
// away or put in.
func TestEveryChangeOfABagIsFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		files := rapid.MapOfN(fileNames(), rapid.StringN(0, 40, 80), 1, 8).Draw(rt, "files")
		b := opened(t, zipped(t, plan(t, files)))
		if r, err := bag.Check(b); err != nil || len(r.Faults) > 0 {
			rt.Fatalf("untouched: %+v %v", r, err)
		}
		names := make([]string, 0, len(b))
		for n := range b {
			names = append(names, n)
		}
		slices.Sort(names)
		name := rapid.SampledFrom(names).Draw(rt, "name")
		switch rapid.IntRange(0, 2).Draw(rt, "change") {
		case 0:
			if data := bytes.Clone(b[name].Data); len(data) > 0 {
				data[rapid.IntRange(0, len(data)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
				if strings.HasPrefix(name, "tagmanifest-") && bytes.EqualFold(data, b[name].Data) && !strings.ContainsAny(changedPart(b[name].Data, data), "ghijklmnopqrstuvwxyz") {
					return // a digit of a sum in the other case is the same digit: RFC 8493 section 2.1.3
				}
				b[name] = &fstest.MapFile{Data: data}
			} else {
				b[name] = &fstest.MapFile{Data: []byte{0}}
			}
		case 1:
			delete(b, name)
		case 2:
			b["data/new.x2"] = &fstest.MapFile{}
		}
		r, err := bag.Check(b)
		if name == "bagit.txt" && errors.Is(err, bag.ErrNoBag) {
			return
		}
		if err != nil || len(r.Faults) == 0 {
			rt.Fatalf("change of %s not found: %+v %v", name, r, err)
		}
	})
}

// fileNames are names that every system takes: none is a device of Windows.
func fileNames() *rapid.Generator[string] {
	device := regexp.MustCompile(`(^|/)(con|nul|prn|aux|com[0-9]|lpt[0-9])(\.x)?(/|$)`)
	return rapid.StringMatching(`[a-z]{1,8}(/[a-z]{1,8})?/[a-z0-9]{1,8}\.x`).Filter(func(s string) bool { return !device.MatchString(s) })
}

// changedPart is the word of x in which y differs from it.
func changedPart(x, y []byte) string {
	at := 0
	for x[at] == y[at] {
		at++
	}
	from, to := bytes.LastIndexAny(x[:at], " \n")+1, bytes.IndexAny(x[at:], " \n")
	return string(x[from : at+to])
}

func TestFaultsOfABagAreNamed(t *testing.T) {
	good := opened(t, zipped(t, plan(t, map[string]string{"a": "one", "b": "two"})))
	for _, c := range []struct {
		name string
		do   func(fstest.MapFS)
		want bag.Fault
	}{
		{"missing", func(m fstest.MapFS) { delete(m, "data/a") }, bag.Fault{File: "data/a", Problem: bag.Missing}},
		{"sum", func(m fstest.MapFS) { m["data/a"] = &fstest.MapFile{Data: []byte("onE")} }, bag.Fault{File: "data/a", Problem: bag.WrongSum}},
		{"new", func(m fstest.MapFS) { m["data/c"] = &fstest.MapFile{} }, bag.Fault{File: "data/c", Problem: bag.Unlisted}},
		{"count", func(m fstest.MapFS) { m["data/c"] = &fstest.MapFile{} }, bag.Fault{File: "bag-info.txt", Problem: bag.BadCount}},
		{"out of the bag", func(m fstest.MapFS) {
			m["manifest-sha256.txt"] = &fstest.MapFile{Data: []byte(strings.Repeat("0", 64) + "  data/../../etc/passwd\n")}
		}, bag.Fault{File: "manifest-sha256.txt", Problem: bag.BadLine, Line: 1}},
		{"not of the payload", func(m fstest.MapFS) {
			m["manifest-sha256.txt"] = &fstest.MapFile{Data: []byte(strings.Repeat("0", 64) + "  bagit.txt\n")}
		}, bag.Fault{File: "manifest-sha256.txt", Problem: bag.BadLine, Line: 1}},
		{"version", func(m fstest.MapFS) { m["bagit.txt"] = &fstest.MapFile{Data: []byte("BagIt-Version: 9\n")} }, bag.Fault{File: "bagit.txt", Problem: bag.BadTag}},
		{"no tag manifest", func(m fstest.MapFS) { delete(m, "tagmanifest-sha256.txt") }, bag.Fault{File: "tagmanifest-sha256.txt", Problem: bag.Missing}},
		{"link", func(m fstest.MapFS) { m["data/a"] = &fstest.MapFile{Data: []byte("b"), Mode: fs.ModeSymlink} }, bag.Fault{File: "data/a", Problem: bag.Unlisted}},
	} {
		m := fstest.MapFS{}
		for n, f := range good {
			m[n] = f
		}
		c.do(m)
		r, err := bag.Check(m)
		if err != nil || !slices.Contains(r.Faults, c.want) {
			t.Errorf("%s: %+v %v", c.name, r, err)
		}
	}
	if _, err := bag.Check(fstest.MapFS{}); !errors.Is(err, bag.ErrNoBag) {
		t.Error(err)
	}
}

func TestPathsAreEncodedAsTheRFCSays(t *testing.T) {
	// What other programs put into bags: our own names have neither of the three.
	name := "data/100%\r\n.txt"
	sum := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	m := fstest.MapFS{
		"bagit.txt": {Data: []byte("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")}, name: {},
		"manifest-sha256.txt": {Data: []byte(sum + "  data/100%25%0D%0A.txt\n")},
	}
	r, err := bag.Check(m)
	if err != nil || len(r.Faults) != 1 || r.Faults[0].File != "tagmanifest-sha256.txt" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestNoNameLeavesTheBag(t *testing.T) {
	p := plan(t, map[string]string{"a": "x"})
	for _, bad := range []string{"../x", "/x", "a/../../x", `a\x`, "C:x", "con", "dir/NUL.txt", "com1.tar.gz", "x.", "x ", "a\nb", "a\x00b", "", ".", "a//b", "a?b",
		"x\u202egnp.exe", "~x", "100%", strings.Repeat("x", 300), "\xff"} {
		if _, err := p.Add(t.Context(), bad, bag.Bytes(nil)); !errors.Is(err, bag.ErrName) {
			t.Errorf("%q is taken: %v", bad, err)
		}
	}
	if _, err := p.Add(t.Context(), "A", bag.Bytes(nil)); !errors.Is(err, bag.ErrTwice) {
		t.Error("Windows would write one over the other", err)
	}
	for _, base := range []string{"..", "a/b", "", "con"} {
		if _, err := bag.New(base, made); err == nil {
			t.Errorf("%q is a folder's name", base)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringMatching(`(\.\./|CON|nul\.|C:\\|[\x00-\x20~%"*]|\x{202e}|ә|x){0,60}\.[a-z.]{0,12}`),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "in")
		out := bag.SafeName(in)
		if err := bag.CheckName(out); err != nil || strings.Contains(out, "/") || bag.SafeName(out) != out {
			t.Fatalf("%q -> %q, %v", in, out, err)
		}
	})
	for in, want := range map[string]string{"место.png": "место.png", "../../etc/passwd": "passwd", `C:\x\con.jpg`: "_con.jpg", "": "file", "...": "file", "a:b.png": "a_b.png", "-rf.png": "rf.png"} {
		if got := bag.SafeName(in); got != want {
			t.Errorf("%q -> %q, want %q", in, got, want)
		}
	}
}

func TestFileThatChangesIsNotPacked(t *testing.T) {
	for _, second := range []string{"onE", "one more", "on"} {
		p, err := bag.New("x", made)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if _, err := p.Add(t.Context(), "a", func(w io.Writer) error {
			n++
			_, err := io.WriteString(w, map[bool]string{true: "one", false: second}[n == 1])
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := p.Zip(t.Context(), io.Discard); !errors.Is(err, bag.ErrChanged) {
			t.Errorf("%q: %v", second, err)
		}
	}
}

func TestEndOfTheContextEndsABag(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := bag.New("x", made)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Add(ctx, "a", func(w io.Writer) error {
		for {
			if _, err := w.Write([]byte("x")); err != nil {
				return err
			}
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// sparse writes zeros as holes, so that gigabytes take no room.
type sparse struct{ f *os.File }

func (s sparse) Write(b []byte) (int, error) {
	if len(b) >= 4096 && bytes.Count(b, []byte{0}) == len(b) {
		_, err := s.f.Seek(int64(len(b)), io.SeekCurrent)
		return len(b), err
	}
	return s.f.Write(b)
}

func TestMoreThanFourGigabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of hashing")
	}
	const size = 4<<30 + 5
	big := func(w io.Writer) error {
		b := make([]byte, 1<<20)
		for left := int64(size); left > 0; left -= int64(len(b)) {
			if _, err := w.Write(b[:min(left, int64(len(b)))]); err != nil {
				return err
			}
		}
		return nil
	}
	p := plan(t, map[string]string{"a": "one"})
	if _, err := p.Add(t.Context(), "big.webm", big); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Add(t.Context(), "z", bag.Bytes([]byte("last"))); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "big.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.Zip(t.Context(), sparse{f}); err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range z.File {
		switch filepath.Base(e.Name) {
		case "big.webm":
			if e.UncompressedSize64 != size {
				t.Errorf("%d bytes", e.UncompressedSize64)
			}
		case "z":
			r, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(r); err != nil || string(b) != "last" {
				t.Errorf("%q %v", b, err)
			}
		}
	}
	out, err := exec.Command("unzip", "-l", f.Name()).CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprint(int64(size))) {
		t.Errorf("unzip: %v\n%s", err, out)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"), []byte("00  data/a\n"), []byte("A: b\n c\nPayload-Oxum: 1.1"))
	f.Fuzz(func(t *testing.T, declared, list, info []byte) {
		m := fstest.MapFS{"bagit.txt": {Data: declared}, "manifest-sha256.txt": {Data: list}, "bag-info.txt": {Data: info}, "data/a": {Data: []byte{byte(rand.IntN(2))}}}
		if _, err := bag.Check(m); err != nil {
			t.Fatal(err)
		}
	})
}
