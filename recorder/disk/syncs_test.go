package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

func someSyncs(t *testing.T, files int) *Syncs {
	t.Helper()
	s, err := newSyncs(files)
	if err != nil {
		t.Skip("this system has none: ", err)
	}
	if err := s.probe(t.TempDir()); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// keep makes a file of so many bytes durable.
func keep(d OS, name string, bytes int) error {
	f, err := d.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, bytes))
	return errors.Join(err, f.Sync(), f.Close())
}

// What NewSyncs returns has been tried.
func TestNewSyncsTriesThem(t *testing.T) {
	someSyncs(t, 1)
	s, err := NewSyncs(t.TempDir(), 1)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if s, err := NewSyncs(filepath.Join(t.TempDir(), "none"), 1); err == nil || s != nil {
		t.Fatal("tried with a folder that is not there: ", err)
	}
}

// Many files at once, more than the kernel was asked to take, are all made durable, and each hears of itself alone.
func TestEachFileHearsOfItsOwnSync(t *testing.T) {
	s := someSyncs(t, 4)
	dir := t.TempDir()
	d := OS{Root: dir, Syncs: s}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = read.Close(), write.Close() }()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			name := fmt.Sprint("x", i)
			f, err := d.Create(name)
			for range 20 {
				if err == nil {
					_, err = f.Write([]byte("one"))
				}
				if err == nil {
					err = errors.Join(f.Begin(), f.Sync())
				}
			}
			if err = errors.Join(err, f.Close()); err != nil {
				t.Error(err)
			}
			if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() != 60 {
				t.Error(st, err)
			}
		})
		wg.Go(func() { // what cannot be durable
			if err := s.sync(int(write.Fd())); !errors.Is(err, syscall.EINVAL) {
				t.Error("a pipe: ", err)
			}
		})
	}
	wg.Wait()
}

// What goes wrong with a file is said to who asked for it.
func TestAClosedFileIsAnError(t *testing.T) {
	s := someSyncs(t, 4)
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	fd := int(f.Fd())
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.sync(fd); !errors.Is(err, syscall.EBADF) {
		t.Fatal(err)
	}
}

// After its end, and where there never was one, files become durable as before.
func TestWithoutTheKernelsWorkersFilesAreDurableToo(t *testing.T) {
	s := someSyncs(t, 1)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, x := range []*Syncs{s, nil} {
		if err := keep(OS{Root: t.TempDir(), Syncs: x}, "x", 3); err != nil {
			t.Fatal(err)
		}
	}
}

// Closing while files are on their way loses no answer.
func TestNoAnswerIsLostAtTheEnd(t *testing.T) {
	for range 20 {
		s := someSyncs(t, 32)
		d := OS{Root: t.TempDir(), Syncs: s}
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if err := keep(d, fmt.Sprint(i), 1<<16); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
}

// The kernel's workers take a file and answer, where there are any.
func TestTheKernelTakesFiles(t *testing.T) {
	s := someSyncs(t, 4)
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for range 10 {
		if _, err := f.WriteString("one"); err != nil {
			t.Fatal(err)
		}
		ready, ok := s.begin(int(f.Fd()))
		if !ok {
			t.Fatal("refused")
		}
		if err := <-ready; err != nil {
			t.Fatal(err)
		}
	}
}

// What the disk says of a file reaches who waits for it, and nobody else; if nothing can be learnt any more, all hear that.
func TestAnswersReachWhoWaits(t *testing.T) {
	s := &Syncs{waiting: map[uint64]chan error{}}
	var got [4]chan error
	for i := range got {
		got[i] = make(chan error, 1)
		s.waiting[uint64(i)] = got[i]
		s.wg.Add(1)
	}
	s.deliver([]ioEvent{{data: 2}, {data: 1, result: -int64(syscall.EIO)}, {data: 99}})
	if err := <-got[2]; err != nil {
		t.Error(err)
	}
	if err := <-got[1]; !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	s.fail(syscall.EPERM)
	for _, i := range []int{0, 3} {
		if err := <-got[i]; !errors.Is(err, syscall.EPERM) {
			t.Error(i, err)
		}
	}
	s.wg.Wait()
	if _, ok := s.begin(0); ok || len(s.waiting) > 0 {
		t.Error("more are taken")
	}
}
