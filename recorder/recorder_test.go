package recorder

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/disk"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bound = 10 * time.Second

// keeper opens what these tests record. It guards nothing else.
const keeper = "AGE-SECRET-KEY-PQ-1X2CQXEVP37ZK0YHLU275L0CJ8WF2XM94VSESUJ48NK5W9ZCRS4LQHZN42W"

// ring returns the keys to an archive of these tests.
func ring(t testing.TB, dir fs.FS) *keys.Ring {
	t.Helper()
	ids, err := keys.ParseIdentities(keeper)
	if err != nil {
		t.Fatal(err)
	}
	r, err := plain.Unwrap(dir, ids...)
	if err != nil || r.Empty() {
		t.Fatal("no key opens", err)
	}
	return r
}

func config(dir string) Config {
	ids, err := keys.ParseIdentities(keeper)
	if err != nil {
		panic(err)
	}
	return Config{Recipients: []keys.Recipient{ids[0].Recipient("tests")}, Workers: true, Dir: dir, Site: "test", FlushEvery: 20 * time.Millisecond, HeadEvery: 50 * time.Millisecond, SegmentBytes: 64 << 20,
		SegmentTime: time.Hour, PendingCall: 4 << 20, PendingTotal: 1 << 30}
}

// run opens a recorder and runs it until stop.
func run(t testing.TB, cfg Config) (r *Recorder, stop func()) {
	t.Helper()
	r, err := Open(context.Background(), cfg, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case <-done:
		case <-time.After(bound):
			t.Error("the recorder does not end")
		}
	}
	t.Cleanup(stop)
	return r, stop
}

func start(t testing.TB, r *Recorder, id ident.CallID, opened time.Time) *Archive {
	t.Helper()
	a, err := r.Start(context.Background(), Meta{Call: id, Number: "26-000001", Opened: opened, Zone: "Asia/Almaty"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func packet(n int) []byte {
	return append([]byte{0x80, 111, byte(n >> 8), byte(n), 0, 0, 0, 0, 0, 0, 0, 1}, bytes.Repeat([]byte{byte(n)}, 80)...)
}

func flush(t testing.TB, a *Archive) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := a.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// payloads returns the RTP payload marks found in an archive, in order.
func payloads(t testing.TB, dir fs.FS) (marks []byte, faults []evr.Fault) {
	t.Helper()
	sc, err := evr.NewScanner(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := plain.NewReader(ring(t, dir))
	for {
		b, err := sc.Next()
		if err == io.EOF {
			return marks, sc.Faults()
		}
		if err != nil {
			t.Fatal(err)
		}
		payload, err := open.Payload(&sc.Segments()[b.Segment], b.Header, b.Payload())
		if err != nil {
			t.Fatal(err)
		}
		if err := evr.Records(b.Header, payload, func(r evr.Record) error {
			if r.Kind == evr.RTP {
				marks = append(marks, r.Data[len(r.Data)-1])
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCallIsKeptWholeAndSealed(t *testing.T) {
	dir := t.TempDir()
	r, _ := run(t, config(dir))
	id, opened := ident.New[ident.CallID](), time.Now()
	a := start(t, r, id, opened)
	s := a.OpenStream(StreamInfo{Participant: "caller", Kind: "audio", Codec: "audio/opus"})
	for n := range 200 {
		s.RTP(time.Now(), packet(n), false)
	}
	if err := a.Append(evr.Chat, time.Now(), []byte(`{"text":"x"}`)); err != nil {
		t.Fatal(err)
	}
	photo := bytes.Repeat([]byte("photo"), 200_000)
	ref, err := a.Blob(t.Context(), BlobMeta{ID: "f1", Name: "a.jpg", Mime: "image/jpeg"}, bytes.NewReader(photo))
	if err != nil || ref.Size != int64(len(photo)) {
		t.Fatal(ref, err)
	}
	s.Close()
	if err := a.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "operator"}); err != nil {
		t.Fatal(err)
	}
	if err := a.Seal(t.Context(), SealInfo{}); err != nil {
		t.Fatal("sealing again:", err)
	}
	sub := os.DirFS(filepath.Join(dir, Dir(id, opened)))
	f, err := survey(sub, ring(t, sub))
	if err != nil || f.damage != "" {
		t.Fatal(f.damage, err)
	}
	if m := f.manifest; m.Chat != 1 || len(m.Blobs) != 1 || len(m.Streams) != 1 || m.Streams[0].Packets != 200 || m.Heads == 0 {
		t.Fatalf("%+v", m)
	}
	if _, err := fs.Stat(sub, "seal.note"); err != nil {
		t.Fatal(err)
	}
	if err := a.Append(evr.Chat, time.Now(), nil); err != ErrSealed {
		t.Fatal(err)
	}
}

func TestKilledAtAnyByteRecoversWhatWasDurable(t *testing.T) {
	dir := t.TempDir()
	r, stop := run(t, config(dir))
	id, opened := ident.New[ident.CallID](), time.Now()
	a := start(t, r, id, opened)
	s := a.OpenStream(StreamInfo{Participant: "caller", Kind: "audio"})
	for n := range 40 {
		s.RTP(time.Now(), packet(n), false)
		if n%10 == 9 {
			flush(t, a)
		}
	}
	stop()
	path := filepath.Join(dir, Dir(id, opened), "00000.evr")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	heads, err := os.ReadFile(filepath.Join(dir, Dir(id, opened), "heads"))
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(whole); cut > len(whole)-400; cut -= 37 {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(copied, Dir(id, opened))
		for name, raw := range map[string][]byte{"00000.evr": whole[:cut], "heads": heads[:0]} {
			if err := os.WriteFile(filepath.Join(target, name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, stop := run(t, config(copied))
		if got := r.Unsealed(); len(got) != 1 || got[0] != id {
			t.Fatal(got)
		}
		b := start(t, r, id, opened)
		s := b.OpenStream(StreamInfo{Participant: "caller", Kind: "audio"})
		s.RTP(time.Now(), packet(99), false)
		if err := b.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "recorder-crash"}); err != nil {
			t.Fatal(cut, err)
		}
		stop()
		after, err := os.ReadFile(filepath.Join(target, "00000.evr"))
		if err != nil || !bytes.Equal(after, whole[:cut]) {
			t.Fatal("recovery touched the old segment", err)
		}
		marks, _ := payloads(t, os.DirFS(target))
		if marks[len(marks)-1] != 99 || len(marks) < 21 {
			t.Fatal(cut, marks)
		}
	}
}

func TestSecondRecorderOnOneFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	run(t, config(dir))
	_, err := Open(t.Context(), config(dir), prometheus.NewRegistry(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err == nil {
		t.Fatal("two recorders")
	}
}

func BenchmarkTapRTP(b *testing.B) {
	r, _ := run(b, config(b.TempDir()))
	a := start(b, r, ident.New[ident.CallID](), time.Now())
	s := a.OpenStream(StreamInfo{Kind: "audio"})
	p, now := packet(1), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		s.RTP(now, p, false)
	}
}

var _ disk.Disk = disk.OS{}
