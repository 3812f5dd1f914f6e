package batch

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pace decides what wakes the reader: the socket while little arrives, a clock while much does. Owned by the
// goroutine that reads.
//
// A sleep of the Go runtime cannot take the clock's place: it lasts a millisecond at the least, and the socket would
// go on waking the scheduler with each datagram.
type pace struct {
	gather time.Duration
	ep     int
	clock  int // a timer descriptor in the epoll set, wound up for each wait and never read; -1: none
	alarm  unix.ItimerSpec
	epoch  time.Time
	busy   bool
	full   bool  // the last read filled all it was given
	waited bool  // this read has waited for the clock
	woke   int64 // nanoseconds of the monotonic clock; busy only
	since  int64 // when count began
	count  int   // datagrams
}

// few is how many datagrams there are to be in one tick of the clock for it to pay.
const few = 2

// window is how many datagrams are counted before it is decided anew.
const window = 128

// quiet is after how many ticks it is decided although fewer came.
const quiet = 64

func (p *pace) begin(ep, fd int, o Options) error {
	gather, events := o.Gather, uint32(unix.EPOLLIN|unix.EPOLLET)
	if o.Asked {
		gather, events = 0, unix.EPOLLET
	}
	p.gather, p.ep, p.clock, p.epoch = gather, ep, -1, time.Now()
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if gather <= 0 {
		return nil
	}
	clock, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, clock, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(clock)}); err != nil {
		return errors.Join(fmt.Errorf("clock: %w", err), unix.Close(clock))
	}
	p.clock = clock
	return nil
}

func (p *pace) end() error {
	if p.clock < 0 {
		return nil
	}
	return unix.Close(p.clock)
}

// now is the monotonic clock in nanoseconds, without a call of the system.
func (p *pace) now() int64 { return int64(time.Since(p.epoch)) }

// enter begins a read: one that comes late, or after a full one, does not wait for the clock.
func (p *pace) enter() {
	p.waited = !p.busy || p.full || p.now()-p.woke >= int64(p.gather)
}

// patient reports whether the clock is to be awaited before the socket is asked.
func (p *pace) patient() bool {
	if !p.busy {
		return false
	}
	if !p.waited && p.wind() {
		p.waited = true
		return true
	}
	p.woke = p.now()
	return false
}

// wind sets the clock to what is left of the time since the reader woke.
func (p *pace) wind() bool {
	left := max(p.woke+int64(p.gather)-p.now(), int64(p.gather)/8)
	p.alarm.Value = unix.NsecToTimespec(left)
	_, _, errno := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(p.clock), 0, uintptr(unsafe.Pointer(&p.alarm)), 0, 0, 0)
	return errno == 0
}

// took counts what a read got, and decides anew when there is enough to go by. full: there may be more at once.
func (p *pace) took(n int, full bool, fd int) {
	if p.clock < 0 {
		return
	}
	p.full = full
	p.count += n
	if p.count >= window {
		p.decide(fd)
	}
}

// idle notes that the socket had nothing.
func (p *pace) idle(fd int) {
	if p.busy && p.woke-p.since > quiet*int64(p.gather) {
		p.decide(fd)
	}
	if p.busy && !p.wind() { // nothing would wake us
		p.become(false, fd, unix.EPOLLIN|unix.EPOLLET)
	}
}

func (p *pace) decide(fd int) {
	now := p.now()
	perTick := float64(p.count) * float64(p.gather) / float64(max(now-p.since, 1))
	p.count, p.since = 0, now
	switch {
	case !p.busy && perTick >= few:
		p.become(true, fd, unix.EPOLLET)
	case p.busy && perTick < few/2:
		p.become(false, fd, unix.EPOLLIN|unix.EPOLLET)
	}
}

// become lets the clock wake the reader and the socket not, or the other way round. A change to the socket tells at
// once of what is there already.
func (p *pace) become(busy bool, fd int, events uint32) {
	if err := unix.EpollCtl(p.ep, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err == nil {
		p.busy, p.woke = busy, p.now()
	}
}
