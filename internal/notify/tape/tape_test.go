package tape

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"jedel/internal/notify"
	"jedel/internal/outbox"
)

func TestEachMessageIsALineAndIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "messages.jsonl")
	c := New(path)
	var wg sync.WaitGroup
	var ids sync.Map
	for range 20 {
		wg.Go(func() {
			o, ok := c.Send(t.Context(), notify.Letter{ID: "m-1", Phone: "+77015551212", Lang: "kk", Number: "26-1", Text: "Өтініш\nқабылданды\u2028"}).(outbox.Accepted)
			if _, twice := ids.LoadOrStore(o.ID, true); !ok || twice {
				t.Error(o, twice)
			}
		})
	}
	wg.Wait()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for in := bufio.NewScanner(f); in.Scan(); n++ {
		var l Line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil || l.Phone != "+77015551212" || l.Text != "Өтініш\nқабылданды\u2028" || l.Number != "26-1" {
			t.Errorf("%s: %v", in.Bytes(), err)
		}
	}
	if st, err := os.Stat(path); n != 20 || err != nil || st.Mode().Perm() != 0o600 {
		t.Error(n, st, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	err = c.Run(ctx, func(_ context.Context, r notify.Told) error {
		if _, known := ids.LoadAndDelete(r.ID); !known || r.Report != outbox.Delivered {
			t.Error(r)
		}
		if told++; told == 20 {
			cancel()
		}
		return nil
	})
	if err != nil || told != 20 {
		t.Error(told, err)
	}
}

func TestATapeIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.jsonl")
	if err := os.WriteFile(path, make([]byte, MaxBytes-10), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := New(path).Send(t.Context(), notify.Letter{Text: "hello"}).(outbox.Accepted); !ok {
		t.Fatal("not taken")
	}
	st, err := os.Stat(path)
	before, err2 := os.Stat(path + ".before")
	if err != nil || err2 != nil || st.Size() > 500 || before.Size() != MaxBytes-10 {
		t.Error(st, before, err, err2)
	}
}

func TestAFileThatCannotBeWrittenIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	if o, ok := New(dir).Send(t.Context(), notify.Letter{}).(outbox.Later); !ok {
		t.Error(o)
	}
}
