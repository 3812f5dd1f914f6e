package recorder

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/evr"
	"jedel/recorder/plain"
	"jedel/recorder/verify"
)

// childDir names the folder in which a child of the kill test records until it is killed.
const childDir = "JEDEL_TEST_RECORD_IN"

// killConfig is the default of the service, with small segments so that kills meet rotations.
func killConfig(dir string) Config {
	c := config(dir)
	c.FlushEvery, c.HeadEvery, c.SegmentBytes = 250*time.Millisecond, 500*time.Millisecond, 48<<10
	return c
}

// TestChildRecordsUntilKilled is the child: it goes on with the call it finds, or begins one, and
// says each packet it gave to the recorder. Without a folder there is nothing to do.
func TestChildRecordsUntilKilled(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	r, _ := run(t, killConfig(dir))
	id := ident.New[ident.CallID]()
	if old := r.Unsealed(); len(old) > 0 {
		id = old[0]
	}
	a := start(t, r, id, time.Now())
	s := a.OpenStream(StreamInfo{Participant: "caller", Role: "caller", Kind: "audio"})
	fmt.Println("call", id)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for n := uint32(os.Getpid()) << 12; ; n++ {
		<-tick.C
		p := append(bytes.Repeat([]byte{0x80}, 200), binary.BigEndian.AppendUint32(nil, n)...)
		s.RTP(time.Now(), p, false)
		fmt.Println("sent", n)
	}
}

// kill runs a child for a while, kills it, and returns the call and the packets it had sent.
func kill(t *testing.T, dir string, after time.Duration) (ident.CallID, []uint32) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildRecordsUntilKilled$", "-test.v=false")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var id ident.CallID
	var sent []uint32
	var timer *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var n uint32
		if _, err := fmt.Sscanf(lines.Text(), "call %s", &id); err == nil {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		if _, err := fmt.Sscanf(lines.Text(), "sent %d", &n); err == nil {
			sent = append(sent, n)
		}
	}
	err = cmd.Wait()
	if timer == nil || err == nil {
		t.Fatal("the child did not record:", err)
	}
	timer.Stop()
	return id, sent
}

// numbers returns the packets of the kill test found in an archive.
func numbers(t testing.TB, dir fs.FS) map[uint32]bool {
	t.Helper()
	sc, err := evr.NewScanner(dir)
	if err != nil {
		t.Fatal(err)
	}
	out, open := map[uint32]bool{}, plain.NewReader(ring(t, dir))
	for {
		b, err := sc.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		var payload []byte
		if err == nil {
			payload, err = open.Payload(&sc.Segments()[b.Segment], b.Header, b.Payload())
		}
		if err == nil {
			err = evr.Records(b.Header, payload, func(r evr.Record) error {
				if r.Kind == evr.RTP {
					out[binary.BigEndian.Uint32(r.Data[len(r.Data)-4:])] = true
				}
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestKillLosesAtMostASecond kills a recording process with SIGKILL at random moments. Three lives
// of one call, then it is sealed: each life's last second may be missing, nothing else, and the
// archive verifies. JEDEL_TEST_KILLS says how many kills; 6 by default, 200 for a release.
func TestKillLosesAtMostASecond(t *testing.T) {
	kills := 6
	if s := os.Getenv("JEDEL_TEST_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	}
	var dir string
	var id ident.CallID
	var lives [][]uint32
	worst := time.Duration(0)
	for n := 1; n <= kills; n++ {
		if dir == "" {
			dir = t.TempDir()
		}
		var sent []uint32
		id, sent = kill(t, dir, 20*time.Millisecond+time.Duration(rand.IntN(900))*time.Millisecond)
		lives = append(lives, sent)
		if n%3 != 0 && n != kills {
			continue
		}
		r, stop := run(t, killConfig(dir))
		a, err := r.Start(context.Background(), Meta{Call: id, Opened: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Seal(context.Background(), SealInfo{Cause: "recorder-crash", Ended: time.Now()}); err != nil {
			t.Fatal(err)
		}
		stop()
		found, err := filepath.Glob(filepath.Join(dir, "calls/*/*/*/*"))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		archive := os.DirFS(found[0])
		rep, err := verify.Dir(archive, verify.Options{Keys: []string{r.Key()}, Ring: ring(t, archive)})
		if err != nil || rep.Exit > verify.ExitPartial {
			t.Fatalf("%v %+v", err, rep)
		}
		got := numbers(t, archive)
		for _, sent := range lives {
			missing := 0
			for missing < len(sent) && !got[sent[len(sent)-1-missing]] {
				missing++
			}
			for _, p := range sent[:len(sent)-missing] {
				if !got[p] {
					t.Fatalf("packet %d is missing before the end", p)
				}
			}
			worst = max(worst, time.Duration(missing)*2*time.Millisecond)
		}
		dir, lives = "", nil
	}
	t.Logf("%d kills, at most %v lost", kills, worst)
	if worst > time.Second {
		t.Errorf("lost %v", worst)
	}
}

// TestTornAndStaleSectorsAtTheEndAreATail leaves each sector of the last blocks torn, empty or with
// old data of another file, as a power cut does to what fdatasync has not returned for.
func TestTornAndStaleSectorsAtTheEndAreATail(t *testing.T) {
	dir := t.TempDir()
	r, stop := run(t, config(dir))
	id, opened := ident.New[ident.CallID](), time.Now()
	a := start(t, r, id, opened)
	s := a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"})
	s.RTP(time.Now(), packet(1), false)
	flush(t, a)
	signed, err := os.ReadFile(filepath.Join(dir, Dir(id, opened), "00000.evr"))
	if err != nil {
		t.Fatal(err)
	}
	heads, err := os.ReadFile(filepath.Join(dir, Dir(id, opened), "heads"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for n := 2; n < 5; n++ {
		for range 6 {
			s.RTP(time.Now(), packet(n), false)
		}
		flush(t, a)
	}
	stop()
	whole, err := os.ReadFile(filepath.Join(dir, Dir(id, opened), "00000.evr"))
	if err != nil {
		t.Fatal(err)
	}
	first := len(signed) / sector
	for at := first; at*sector < len(whole); at++ {
		for what, fill := range map[string]byte{"empty": 0, "stale": 'E'} {
			torn := bytes.Clone(whole)
			for i := max(at*sector, len(signed)); i < min((at+1)*sector, len(torn)); i++ {
				torn[i] = fill
			}
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			target := filepath.Join(copied, Dir(id, opened))
			if err := errors.Join(os.WriteFile(filepath.Join(target, "00000.evr"), torn, 0o600), os.WriteFile(filepath.Join(target, "heads"), heads, 0o600)); err != nil {
				t.Fatal(err)
			}
			r, stop := run(t, config(copied))
			b := start(t, r, id, opened)
			if err := b.Seal(t.Context(), SealInfo{Cause: "recorder-crash", Ended: time.Now()}); err != nil {
				t.Fatal(err)
			}
			stop()
			rep, err := verify.Dir(os.DirFS(target), verify.Options{Keys: []string{r.Key()}, Ring: ring(t, os.DirFS(target))})
			if err != nil || rep.Exit > verify.ExitPartial {
				t.Fatalf("sector %d %s: %v %+v", at, what, err, rep)
			}
			if !payloadsOf(t, target)[1] {
				t.Errorf("sector %d %s: what was durable is gone", at, what)
			}
		}
	}
}

func payloadsOf(t testing.TB, dir string) map[byte]bool {
	t.Helper()
	marks, _ := payloads(t, os.DirFS(dir))
	out := map[byte]bool{}
	for _, m := range marks {
		out[m] = true
	}
	return out
}
