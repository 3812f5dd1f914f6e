package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

// call is one recorded call as files in memory.
type call struct {
	files fstest.MapFS
	key   string
	ring  *keys.Ring
}

// record makes a call of an audio and a video stream over about three seconds in several segments.
// The packets' times are given, so that the call takes no time to make.
func record(t testing.TB, seal bool) call {
	t.Helper()
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	c := recordFor(t, seal, []keys.Recipient{id.Recipient("playback")})
	if c.ring, err = plain.Unwrap(c.files, id); err != nil {
		t.Fatal(err)
	}
	return c
}

// recordFor makes the same call for recipients; without any it is plain.
func recordFor(t testing.TB, seal bool, to []keys.Recipient) call {
	t.Helper()
	dir := t.TempDir()
	r, err := recorder.Open(context.Background(), recorder.Config{
		Dir: dir, Site: "verify.test", FlushEvery: 5 * time.Millisecond, HeadEvery: time.Millisecond,
		SegmentBytes: 12 << 10, SegmentTime: time.Hour, PendingCall: 4 << 20, PendingTotal: 1 << 30, Recipients: to,
	}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	id, opened := ident.New[ident.CallID](), time.Now()
	a, err := r.Start(ctx, recorder.Meta{Call: id, Number: "26-000007", Opened: opened, Zone: "Asia/Almaty"})
	if err != nil {
		t.Fatal(err)
	}
	audio := a.OpenStream(recorder.StreamInfo{Participant: "caller", Role: "caller", Kind: "audio", Codec: "opus"})
	video := a.OpenStream(recorder.StreamInfo{Participant: "caller", Role: "caller", Kind: "video", Codec: "vp8"})
	for i := range 12 {
		at := opened.Add(time.Duration(i+1) * 250 * time.Millisecond)
		for range 4 {
			audio.RTP(at, bytes.Repeat([]byte{0x80, byte(i)}, 50), false)
			video.RTP(at, bytes.Repeat([]byte{0x90, byte(i)}, 500), i%3 == 0)
		}
		if err := a.Append(evr.Location, at, []byte(`{"lat":43.2,"lon":76.9}`)); err != nil {
			t.Fatal(err)
		}
		if err := a.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	audio.Close()
	video.Close()
	if seal {
		err = a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "operator"})
	} else {
		err = a.Flush(t.Context())
	}
	cancel()
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	return call{load(t, filepath.Join(dir, filepath.FromSlash(recorder.Dir(id, opened)))), r.Key(), nil}
}

func load(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.ReadDir(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range names {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = &fstest.MapFile{Data: raw}
	}
	return out
}

// with returns the call with one file changed; nil data removes it.
func (c call) with(name string, data []byte) call {
	files := fstest.MapFS{}
	for n, f := range c.files {
		files[n] = f
	}
	if files[name] = (&fstest.MapFile{Data: data}); data == nil {
		delete(files, name)
	}
	return call{files, c.key, c.ring}
}

func (c call) verify(t testing.TB) *verify.Report {
	t.Helper()
	r, err := verify.Dir(c.files, verify.Options{Keys: []string{c.key}, Ring: c.ring})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blocks lists where the blocks of a segment stand.
func (c call) blocks(t testing.TB, name string) (out []evr.Block) {
	t.Helper()
	raw := c.files[name].Data
	_, at, err := evr.DecodeSegmentHeader(raw)
	for err == nil && at < len(raw) {
		var h evr.BlockHeader
		if h, err = evr.DecodeBlockHeader(raw[at:]); err == nil {
			end := at + evr.HeaderSize + int(h.Len)
			out = append(out, evr.Block{Offset: int64(at), Header: h, Raw: raw[at:end]})
			at = end
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c call) segments() (names []string) {
	names, _ = evr.SegmentNames(c.files)
	return names
}

func states(r *verify.Report) string {
	var s []string
	for _, l := range r.Levels {
		s = append(s, l.Level+" "+string(l.State))
	}
	return strings.Join(s, ", ")
}

func TestUntouchedSealedArchivePassesEveryLevel(t *testing.T) {
	for range 20 {
		c := record(t, true)
		r := c.verify(t)
		if r.Exit != verify.ExitPartial || states(r) != "V0 passed, V1 passed, V2 passed, V3 not_checked, V4 passed, V5 absent" {
			t.Fatalf("exit %d, %s: %+v", r.Exit, states(r), r.Levels)
		}
		if len(c.segments()) < 3 || r.Heads < 3 || r.Seconds < 2.9 {
			t.Fatalf("%d segments, %d heads, %.1f s: not the call that was meant", len(c.segments()), r.Heads, r.Seconds)
		}
	}
}

func TestWithoutAGivenKeySignaturesArePartial(t *testing.T) {
	c := record(t, true)
	r, err := verify.Dir(c.files, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit != verify.ExitPartial || states(r) != "V0 passed, V1 passed, V2 partial, V3 not_checked, V4 not_checked, V5 absent" || !strings.Contains(r.Levels[2].Text, "only with the key found in the archive") {
		t.Fatalf("exit %d, %s, %s", r.Exit, states(r), r.Levels[2].Text)
	}
}

func TestForeignKeyFailsSignatures(t *testing.T) {
	c := record(t, true)
	_, c.key, _ = note.GenerateKey(nil, "verify.test/recorder")
	if r := c.verify(t); r.Exit != verify.ExitV2 || r.Levels[2].State != verify.Failed {
		t.Fatalf("exit %d, %s", r.Exit, states(r))
	}
}

func TestRunningArchiveIsPartialAndNeverAnAlarm(t *testing.T) {
	c := record(t, false)
	if r := c.verify(t); r.Exit != verify.ExitPartial || states(r) != "V0 not_checked, V1 partial, V2 partial, V3 not_checked, V4 passed, V5 absent" {
		t.Fatalf("exit %d, %s", r.Exit, states(r))
	}
}

// TestFlippedBitIsFoundAndPlaced flips any bit of any file: some level fails, and a flip within a
// block is placed to its stream and second.
func TestFlippedBitIsFoundAndPlaced(t *testing.T) {
	c := record(t, true)
	var names []string
	for n := range c.files {
		names = append(names, n)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(append(names, c.segments()...)).Draw(rt, "file")
		data := bytes.Clone(c.files[name].Data)
		bit := rapid.IntRange(0, 8*len(data)-1).Draw(rt, "bit")
		data[bit/8] ^= 1 << (bit % 8)
		r := c.with(name, data).verify(t)
		if r.Exit < verify.ExitV0 {
			rt.Fatalf("bit %d of %s went unseen", bit, name)
		}
		for _, l := range r.Levels {
			if f := l.Fault; f != nil && (f.Code == "" || f.What == "" || strings.ContainsAny(f.What, "{}")) {
				rt.Fatalf("bit %d of %s: %s says %q %q", bit, name, l.Level, f.Code, f.What)
			}
			if len(l.Notes) == 0 {
				rt.Fatalf("%s says nothing", l.Level)
			}
		}
		if !strings.HasSuffix(name, ".evr") {
			return
		}
		if r.Levels[0].State != verify.Failed || r.Levels[1].State != verify.Failed {
			rt.Fatalf("bit %d of %s: %s", bit, name, states(r))
		}
		for _, b := range c.blocks(t, name) {
			if at := int64(bit / 8); at < b.Offset || at >= b.Offset+int64(len(b.Raw)) {
				continue
			}
			f := r.Levels[1].Fault
			if f.Stream != b.Header.Stream || f.Second != float64(b.Header.T)/1e9 || f.Offset != b.Offset {
				rt.Fatalf("bit %d of %s: placed at stream %d second %v, is stream %d second %v", bit, name, f.Stream, f.Second, b.Header.Stream, float64(b.Header.T)/1e9)
			}
		}
	})
}

// mend makes a changed block's checksum right again, as somebody who knows the format would.
func mend(raw []byte) {
	binary.LittleEndian.PutUint32(raw[8:], crc32.Checksum(raw[12:], crc32.MakeTable(crc32.Castagnoli)))
}

func TestChangeWithItsChecksumMendedIsFoundBetweenTwoHeads(t *testing.T) {
	c := record(t, true)
	name := c.segments()[1]
	b := c.blocks(t, name)[2]
	data := bytes.Clone(c.files[name].Data)
	data[b.Offset+int64(len(b.Raw))-1] ^= 1
	mend(data[b.Offset : b.Offset+int64(len(b.Raw))])
	r := c.with(name, data).verify(t)
	if r.Levels[0].State != verify.Failed || r.Levels[2].State != verify.Failed {
		t.Fatal(states(r))
	}
	if f := r.Levels[2].Fault; f.Second > float64(b.Header.T)/1e9 || f.Second < float64(b.Header.T)/1e9-1 {
		t.Fatalf("placed at %v, is at %v: %s", f.Second, float64(b.Header.T)/1e9, f.What)
	}
}

func TestBlocksMovedDroppedOrDoubledAreFound(t *testing.T) {
	c := record(t, true)
	name := c.segments()[0]
	data, blocks := c.files[name].Data, c.blocks(t, name)
	a, b := blocks[1], blocks[2]
	end := b.Offset + int64(len(b.Raw))
	splice := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for what, changed := range map[string][]byte{
		"dropped":      splice(data[:a.Offset], data[b.Offset:]),
		"doubled":      splice(data[:b.Offset], a.Raw, data[b.Offset:]),
		"swapped":      splice(data[:a.Offset], b.Raw, a.Raw, data[end:]),
		"last dropped": data[:blocks[len(blocks)-1].Offset],
		"appended":     splice(data, a.Raw),
	} {
		r := c.with(name, changed).verify(t)
		if r.Levels[0].State != verify.Failed || (what != "appended" && r.Levels[1].State != verify.Failed) {
			t.Errorf("%s: %s", what, states(r))
		}
	}
}

func TestMissingFilesAreFound(t *testing.T) {
	c := record(t, true)
	for _, name := range append(c.segments(), "heads") {
		if r := c.with(name, nil).verify(t); r.Exit < verify.ExitV0 {
			t.Errorf("%s is missing and nothing failed: %s", name, states(r))
		}
	}
	if r := c.with("seal.note", nil).verify(t); r.Exit != verify.ExitPartial {
		t.Errorf("without its seal an archive is a running one, at best partial: %s", states(r))
	}
}

func TestRollbackOfARunningCallIsFoundByItsHeads(t *testing.T) {
	c := record(t, false)
	names := c.segments()
	last := names[len(names)-1]
	if r := c.with(last, nil).verify(t); r.Levels[2].State != verify.Failed || !strings.Contains(r.Levels[2].Fault.What, "durable bytes are gone") {
		t.Fatalf("%s %+v", states(r), r.Levels[2].Fault)
	}
}

func TestSegmentOfAnotherCallIsFound(t *testing.T) {
	a, b := record(t, true), record(t, true)
	name := a.segments()[1]
	if r := a.with(name, b.files[name].Data).verify(t); r.Levels[1].State != verify.Failed {
		t.Fatal(states(r))
	}
}

func TestChecksumListIsCompared(t *testing.T) {
	c := record(t, true)
	var list strings.Builder
	for name, f := range c.files {
		sum := sha256.Sum256(f.Data)
		fmt.Fprintf(&list, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	}
	whole := c.with("manifest-sha256.txt", []byte(list.String()))
	if r := whole.verify(t); r.Exit > verify.ExitPartial {
		t.Fatalf("exit %d, %s", r.Exit, states(r))
	}
	if r := whole.with("heads", append(bytes.Clone(c.files["heads"].Data), '\n')).verify(t); r.Levels[0].State != verify.Failed {
		t.Fatal(states(r))
	}
	if r := whole.with("manifest-sha256.txt", []byte("00  ../../etc/passwd\n")).verify(t); r.Levels[0].State != verify.Failed {
		t.Fatal("a list that leaves the folder:", states(r))
	}
}

func TestReportNamesEveryLevelOnItsOwnLine(t *testing.T) {
	var text, js bytes.Buffer
	r := record(t, true).verify(t)
	if err := errors.Join(r.Text(&text), r.JSON(&js)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"V0  passed", "V1  passed", "V2  passed", "V3"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if !strings.Contains(js.String(), `"state": "passed"`) {
		t.Error(js.String())
	}
}

func TestEmptyFolderIsNoArchive(t *testing.T) {
	if _, err := verify.Dir(fstest.MapFS{}, verify.Options{}); !errors.Is(err, verify.ErrNoArchive) {
		t.Fatal(err)
	}
}

func TestChangedSignedBytesOfARunningCallArePlaced(t *testing.T) {
	c := record(t, false)
	names := c.segments()
	name := names[len(names)-1]
	b := c.blocks(t, name)[0]
	data := bytes.Clone(c.files[name].Data)
	data[b.Offset+evr.HeaderSize] ^= 4
	f := c.with(name, data).verify(t).Levels[2].Fault
	if f == nil || f.Stream != b.Header.Stream || f.Second != float64(b.Header.T)/1e9 {
		t.Fatalf("%+v, is stream %d second %v", f, b.Header.Stream, float64(b.Header.T)/1e9)
	}
}
