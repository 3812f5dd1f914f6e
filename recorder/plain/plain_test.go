package plain_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"

	"github.com/prometheus/client_golang/prometheus"
)

// record makes a call of 25 seconds with two streams, for one recipient.
func record(t *testing.T, id keys.Identity) (dir fs.FS, keystore fs.FS) {
	t.Helper()
	root := t.TempDir()
	r, err := recorder.Open(t.Context(), recorder.Config{
		Dir: root, Site: "plain.test", FlushEvery: 5 * time.Millisecond, HeadEvery: time.Millisecond, SegmentBytes: 1 << 20, SegmentTime: time.Hour,
		PendingCall: 4 << 20, PendingTotal: 1 << 30, Recipients: []keys.Recipient{id.Recipient("playback")},
	}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	call, opened := ident.New[ident.CallID](), time.Now()
	a, err := r.Start(t.Context(), recorder.Meta{Call: call, Number: "26-000001", Opened: opened, Zone: "Asia/Almaty"})
	if err != nil {
		t.Fatal(err)
	}
	audio, video := a.OpenStream(recorder.StreamInfo{Role: "caller", Kind: "audio"}), a.OpenStream(recorder.StreamInfo{Role: "caller", Kind: "video"})
	for n := range 25 {
		at := opened.Add(time.Duration(n)*time.Second + time.Millisecond)
		audio.RTP(at, fmt.Appendf(nil, "sound %02d", n), false)
		video.RTP(at, fmt.Appendf(nil, "picture %02d", n), false)
		if err := errors.Join(a.Append(evr.Chat, at, fmt.Appendf(nil, `{"text":"words %02d"}`, n)), a.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "caller"}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return os.DirFS(filepath.Join(root, filepath.FromSlash(recorder.Dir(call, opened)))), os.DirFS(filepath.Join(root, "keystore", string(call)))
}

// read returns everything that a ring opens.
func read(t *testing.T, dir fs.FS, ring *keys.Ring) string {
	t.Helper()
	sc, err := evr.NewScanner(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := plain.NewReader(ring)
	var out strings.Builder
	for {
		b, err := sc.Next()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		payload, err := open.Payload(&sc.Segments()[b.Segment], b.Header, b.Payload())
		if errors.Is(err, keys.ErrNoKey) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Write(payload)
	}
}

func TestWhatIsDisclosedOpensThatPartAndTheRestStaysClosed(t *testing.T) {
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	dir, second := record(t, id)
	ring, err := plain.Unwrap(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, nil); got != "" {
		t.Fatalf("%d bytes open without a key", len(got))
	}
	for _, c := range []struct {
		name string
		sel  plain.Selection
		keys int
		has  []string
		not  []string
	}{
		{"all", plain.Selection{}, 1, []string{"sound 00", "picture 24", "words 12"}, nil},
		{"one stream", plain.Selection{Streams: []uint16{1}}, 1, []string{"sound 00", "sound 24"}, []string{"picture", "words"}},
		{"a stretch", plain.Selection{From: 11e9, To: 14e9}, 3, []string{"sound 12", "picture 12", "words 12"}, []string{"sound 09", "words 20", "picture 24"}},
		{"words to the end", plain.Selection{Streams: []uint16{0}, From: 20e9}, 1, []string{"words 24"}, []string{"words 19", "sound"}},
	} {
		var file bytes.Buffer
		n, err := plain.Disclose(&file, dir, ring, c.sel)
		if err != nil || n != c.keys {
			t.Fatalf("%s: %d keys, %v", c.name, n, err)
		}
		part := &keys.Ring{}
		if err := keys.ReadDisclosure(&file, part); err != nil {
			t.Fatal(c.name, err)
		}
		got := read(t, dir, part)
		for _, want := range c.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q stays closed", c.name, want)
			}
		}
		for _, want := range c.not {
			if strings.Contains(got, want) {
				t.Errorf("%s: %q opens", c.name, want)
			}
		}
	}
	copied, err := plain.Unwrap(second, id)
	if err != nil || !strings.Contains(read(t, dir, copied), "words 24") {
		t.Fatal("the second copy of the key does not open the call", err)
	}
	other, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := plain.Unwrap(dir, other); err != nil || !r.Empty() {
		t.Fatal("a stranger has keys", err)
	}
	if _, err := plain.Disclose(io.Discard, dir, nil, plain.Selection{}); !errors.Is(err, keys.ErrNoKey) {
		t.Fatal(err)
	}
}

func TestDisclosureFilesAreReadStrictly(t *testing.T) {
	for _, bad := range []string{"x", `{"call":"c"}`, `{"call":"c","segment":0,"stream":-2,"epoch":-1,"key":"` + keys.Key{}.String() + `"}`,
		`{"call":"c","segment":0,"stream":-1,"epoch":3,"key":"` + keys.Key{}.String() + `"}`, `{"call":"c","segment":0,"stream":1,"epoch":-1,"key":"AAAA"}`} {
		if err := keys.ReadDisclosure(strings.NewReader(bad+"\n"), &keys.Ring{}); !errors.Is(err, keys.ErrDisclosure) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
