package tipstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/tips"
)

const today = tips.Day(20000)

func open(t *testing.T) (*Store, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tips", "tips.db")
	s, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, file
}

func letter(n int) Letter {
	sealed := make([]byte, n)
	rand.Read(sealed)
	return Letter{Unit: "anticor", Box: tips.Mailbox{1}, Day: today, Sealed: sealed}
}

func all(int64, int64) error { return nil }

func put(t *testing.T, s *Store, l Letter) tips.ID {
	t.Helper()
	if _, err := s.Put(t.Context(), l, all); err != nil {
		t.Fatal(err)
	}
	return tips.IDOf(l.Sealed)
}

func TestALetterIsKeptOnceAndHandedOutToItsUnitOrMailbox(t *testing.T) {
	s, _ := open(t)
	l := letter(70000)
	id := put(t, s, l)
	if fresh, err := s.Put(t.Context(), l, func(int64, int64) error { return errors.New("full") }); fresh || err != nil {
		t.Fatal("the same letter again:", fresh, err)
	}
	reply := letter(300)
	reply.Reply = true
	rid := put(t, s, reply)
	for _, unit := range []string{"anticor", "other"} {
		list, err := s.ForUnit(t.Context(), unit)
		if err != nil || (unit == "anticor") != (len(list) == 1 && list[0] == Entry{id, l.Box, today, 70000}) {
			t.Fatal(unit, list, err)
		}
	}
	unit, list, err := s.Replies(t.Context(), tips.Mailbox{1})
	if err != nil || unit != "anticor" || len(list) != 1 || list[0].ID != rid {
		t.Fatal(unit, list, err)
	}
	if unit, list, err := s.Replies(t.Context(), tips.Mailbox{2}); unit != "" || list != nil || err != nil {
		t.Fatal(unit, list, err)
	}
	got, err := s.Get(t.Context(), id)
	if err != nil || !bytes.Equal(got.Sealed, l.Sealed) || got.Reply {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), id, today); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), id); fault.CodeOf(err) != fault.NotFound {
		t.Fatal(err)
	}
}

func TestWhatIsThereIsToldBeforeALetterIsAdmitted(t *testing.T) {
	s, _ := open(t)
	put(t, s, letter(1000))
	other := letter(500)
	other.Box = tips.Mailbox{9}
	put(t, s, other)
	full := fault.New(fault.NoSpace, "x", nil)
	_, err := s.Put(t.Context(), letter(10), func(total, box int64) error {
		if total != 1500 || box != 1000 {
			t.Errorf("total %d, box %d", total, box)
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Fatal(err)
	}
	if n, err := s.Total(t.Context()); n != 1500 || err != nil {
		t.Fatal(n, err)
	}
}

func TestOldLettersAreOverwritten(t *testing.T) {
	s, file := open(t)
	old, young := letter(5000), letter(5000)
	old.Day = today - 400
	put(t, s, old)
	put(t, s, young)
	if raw, _ := os.ReadFile(file); !bytes.Contains(raw, old.Sealed[:500]) {
		t.Fatal("the test would not see the letter")
	}
	if n, err := s.Sweep(t.Context(), today-365, today); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	raw, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(raw, young.Sealed[:500]) {
		t.Fatal("the young letter is gone", err)
	}
	for at := 0; at+16 <= len(old.Sealed); at += 16 {
		if bytes.Contains(raw, old.Sealed[at:at+16]) {
			t.Fatalf("bytes at %d of the old letter are still in the file", at)
		}
	}
}

// TestTheFileDoesNotTellTheOrderOfArrival puts the same letters in two orders: after Shuffle both
// files are the same but for counters of the file's changes in its header.
func TestTheFileDoesNotTellTheOrderOfArrival(t *testing.T) {
	letters := make([]Letter, 40)
	for i := range letters {
		letters[i] = letter(3000 + 5000*(i%3))
		letters[i].Box = tips.Mailbox{byte(i)}
	}
	written := func(step int, shuffle bool) []byte {
		s, file := open(t)
		for i := range letters {
			put(t, s, letters[(i*step)%len(letters)])
		}
		if shuffle {
			if err := s.Shuffle(t.Context(), today); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		clear(raw[24:28]) // the file change counter
		clear(raw[92:96]) // when it was valid
		return raw
	}
	if bytes.Equal(written(1, false), written(7, false)) {
		t.Fatal("the test sees no order where there is one")
	}
	if !bytes.Equal(written(1, true), written(7, true)) {
		t.Fatal("the file tells the order")
	}
}

func TestTimesOfFilesAreOfADay(t *testing.T) {
	s, file := open(t)
	id := put(t, s, letter(1000))
	check := func(when string) {
		t.Helper()
		for _, f := range []string{file, file + "-journal", filepath.Dir(file)} {
			st, err := os.Stat(f)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil || !st.ModTime().Equal(st.ModTime().Truncate(24*time.Hour)) {
				t.Errorf("%s: %s bears %v (%v)", when, f, st.ModTime(), err)
			}
		}
	}
	check("put")
	if err := s.Delete(t.Context(), id, today); err != nil {
		t.Fatal(err)
	}
	check("delete")
	if err := s.Shuffle(t.Context(), today); err != nil {
		t.Fatal(err)
	}
	check("shuffle")
	_ = s.Close()
	again, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	check("open")
}

func TestADamagedFileIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tips.db")
	if err := os.WriteFile(file, bytes.Repeat([]byte("no database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), file); err == nil {
		_ = s.Close()
		t.Fatal("it opens")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s, _ := open(t)
	if _, err := s.Put(gone, letter(10), all); err == nil {
		t.Fatal("kept for nobody")
	}
}
