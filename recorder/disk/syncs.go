package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Syncs makes files durable by the kernel's own workers (io_submit(2), IOCB_CMD_FDSYNC, since Linux 4.18), so that no
// thread of ours waits in fdatasync: each that does costs two switches of threads and wakes the scheduler's monitor,
// which in a gateway of one core is as much work as a dozen packets. What is durable when is the same. A nil Syncs, a
// system without it, and more files at once than it was made for: fdatasync.
type Syncs struct {
	ring uintptr  // aio_context_t
	fd   uint32   // eventfd that rings when files are done
	bell *os.File // of fd; its Fd would make reads of it block a thread
	done chan struct{}
	wg   sync.WaitGroup // files at the kernel; added to under mu while not closed

	mu      sync.Mutex // guards the rest
	last    uint64
	waiting map[uint64]chan error
	closed  bool // no more are taken
	ended   bool // Close was called
}

// iocb is struct iocb of linux/aio_abi.h on little-endian machines; only data, which the kernel gives back, opcode, fd
// and those for the bell are used here, so that others read it the same.
type iocb struct {
	data   uint64
	_      [8]byte // key and rw_flags
	opcode uint16
	_      int16 // priority
	fd     uint32
	_      [3]uint64 // buf, nbytes, offset
	_      uint64    // reserved2
	flags  uint32
	bell   uint32
}

// ioEvent is struct io_event.
type ioEvent struct {
	data   uint64
	_      uint64 // obj
	result int64
	_      int64 // res2
}

const (
	fdsync  = 3 // IOCB_CMD_FDSYNC
	byBell  = 1 // IOCB_FLAG_RESFD
	atATime = 64
)

// probeTime is how long the first file may take.
const probeTime = 5 * time.Second

// NewSyncs returns one for so many files at a time, tried with a folder. Where the system does not have it, or does not
// allow a part of it, it is an error, and nil may be used.
func NewSyncs(dir string, files int) (*Syncs, error) {
	s, err := newSyncs(files)
	if err != nil {
		return nil, err
	}
	if err := s.probe(dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// probe makes a folder durable by them.
func (s *Syncs) probe(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer func() { _ = f.Close() }()
	ready, ok := s.begin(int(f.Fd()))
	if !ok {
		return errRefused
	}
	timer := time.NewTimer(probeTime)
	defer timer.Stop()
	select {
	case err := <-ready:
		return err
	case <-timer.C:
		s.fail(errRefused) // else Close would wait for the answer
		return errRefused
	}
}

var errRefused = errors.New("the kernel's workers do not take a file")

func newSyncs(files int) (*Syncs, error) {
	s := &Syncs{done: make(chan struct{}), waiting: map[uint64]chan error{}}
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, uintptr(files), uintptr(unsafe.Pointer(&s.ring)), 0); errno != 0 {
		return nil, fmt.Errorf("io_setup: %w", errno)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("eventfd: %w", err), s.destroy())
	}
	s.fd, s.bell = uint32(bell), os.NewFile(uintptr(bell), "syncs")
	go s.run()
	return s, nil
}

func (s *Syncs) destroy() error {
	if _, _, errno := unix.Syscall(unix.SYS_IO_DESTROY, s.ring, 0, 0); errno != 0 { // waits for those in flight
		return fmt.Errorf("io_destroy: %w", errno)
	}
	return nil
}

// run hands results out until the bell is closed.
func (s *Syncs) run() {
	defer close(s.done)
	var count [8]byte
	for {
		if _, err := s.bell.Read(count[:]); err != nil {
			return
		}
		s.collect(binary.NativeEndian.Uint64(count[:]))
	}
}

// collect takes at least so many results; they are there.
func (s *Syncs) collect(n uint64) {
	var events [atATime]ioEvent
	for n > 0 {
		got, _, errno := unix.RawSyscall6(unix.SYS_IO_GETEVENTS, s.ring, 0, atATime, uintptr(unsafe.Pointer(&events)), 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			s.fail(errno)
		}
		if errno != 0 || got == 0 {
			return
		}
		n -= min(n, uint64(got))
		s.deliver(events[:got])
	}
}

// deliver says to those who wait what became of their files.
func (s *Syncs) deliver(events []ioEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		var err error
		if e.result < 0 {
			err = syscall.Errno(-e.result)
		}
		s.say(e.data, err)
	}
}

// fail says to all that nothing is known of their files any more, and takes no others.
func (s *Syncs) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for id := range s.waiting {
		s.say(id, err)
	}
}

// say answers one who waits. mu is held.
func (s *Syncs) say(id uint64, err error) {
	if ready := s.waiting[id]; ready != nil {
		ready <- err
		delete(s.waiting, id)
		s.wg.Done()
	}
}

// begin hands a file to the kernel; false where it does not take it now.
func (s *Syncs) begin(fd int) (<-chan error, bool) {
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	s.last++
	ready := make(chan error, 1)
	cb := &iocb{data: s.last, opcode: fdsync, fd: uint32(fd), flags: byBell, bell: s.fd}
	list := [1]*iocb{cb}
	s.waiting[s.last] = ready
	// It notes the work and does not wait for the disk, but for memory it may: the scheduler is told of the call.
	n, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, s.ring, 1, uintptr(unsafe.Pointer(&list)))
	if errno != 0 || n != 1 {
		delete(s.waiting, s.last)
		return nil, false
	}
	s.wg.Add(1)
	return ready, true
}

// sync makes what was written to a file durable.
func (s *Syncs) sync(fd int) error {
	if ready, ok := s.begin(fd); ok {
		return <-ready
	}
	return syscall.Fdatasync(fd)
}

// Close waits for what goes on and ends it. Files that come later use fdatasync.
func (s *Syncs) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	again := s.ended
	s.closed, s.ended = true, true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.wg.Wait()
	err := s.bell.Close()
	<-s.done
	return errors.Join(err, s.destroy())
}
