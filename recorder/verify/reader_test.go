package verify_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jedel/recorder/evr"
	"jedel/recorder/plain"
)

// reader runs the reference reader of the document on an archive.
func reader(t *testing.T, c call) (string, error) {
	t.Helper()
	const python = "/usr/bin/python3" // the system's: Debian's packages are there
	if _, err := os.Stat(python); err != nil {
		t.Fatal("python3 is needed for the reference reader: apt-get install python3 python3-cryptography")
	}
	dir := t.TempDir()
	for name, f := range c.files {
		if err := os.WriteFile(filepath.Join(dir, name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	disclosed := filepath.Join(t.TempDir(), "keys")
	f, err := os.Create(disclosed)
	if err == nil {
		_, err = plain.Disclose(f, c.files, c.ring, plain.Selection{})
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), python, "../../docs/evr_reader.py", dir, disclosed).CombinedOutput()
	return string(out), err
}

// TestIndependentReaderFindsTheSame compares the reader that was written from docs/EVIDENCE.md, in
// another language, with this program.
func TestIndependentReaderFindsTheSame(t *testing.T) {
	c := record(t, true)
	r := c.verify(t)
	want := fmt.Sprintf("leaves %d\nroot %s\n", r.Leaves, r.Root) + streamSums(t, c)
	if got, err := reader(t, c); err != nil || got != want {
		t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
	}
	size := strings.Split(string(c.files["heads"].Data), "\n")[1]
	heads := bytes.Replace(c.files["heads"].Data, []byte("\n"+size+"\n"), []byte("\n1\n"), 1)
	if out, err := reader(t, c.with("heads", heads)); err == nil {
		t.Fatal("the reader accepts a head of another size:\n", out)
	}
	name := c.segments()[1]
	data := bytes.Clone(c.files[name].Data)
	data[len(data)-1] ^= 1
	if out, err := reader(t, c.with(name, data)); err == nil {
		t.Fatal("the reader accepts a flipped bit:\n", out)
	}
}

func streamSums(t *testing.T, c call) string {
	t.Helper()
	sc, err := evr.NewScanner(c.files)
	if err != nil {
		t.Fatal(err)
	}
	counts, sums := map[uint16]int{}, map[uint16]hash.Hash{}
	var ids []uint16
	open := plain.NewReader(c.ring)
	for {
		b, err := sc.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var payload []byte
		if err == nil {
			payload, err = open.Payload(&sc.Segments()[b.Segment], b.Header, b.Payload())
		}
		if err == nil {
			err = evr.Records(b.Header, payload, func(r evr.Record) error {
				if r.Kind != evr.RTP && r.Kind != evr.RTPRecovered {
					return nil
				}
				id := b.Header.Stream
				if counts[id]++; sums[id] == nil {
					sums[id], ids = sha256.New(), append(ids, id)
				}
				sums[id].Write(r.Data)
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(ids)
	var out strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&out, "stream %d %d %x\n", id, counts[id], sums[id].Sum(nil))
	}
	return out.String()
}
