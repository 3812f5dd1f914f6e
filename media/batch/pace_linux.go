package batch

import (
	"errors"
	"fmt"
	"time"

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
	clock  int // a timer descriptor in the epoll set, never read: each of its ticks is an edge; -1: none
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

func (p *pace) begin(ep, fd int, gather time.Duration) error {
	p.gather, p.ep, p.clock, p.epoch = gather, ep, -1, time.Now()
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)}); err != nil {
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
	if !p.waited {
		p.waited = true
		return true
	}
	p.woke = p.now()
	return false
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
	p.full = false
	if p.busy && p.woke-p.since > quiet*int64(p.gather) {
		p.decide(fd)
	}
}

func (p *pace) decide(fd int) {
	now := p.now()
	perTick := float64(p.count) * float64(p.gather) / float64(max(now-p.since, 1))
	p.count, p.since = 0, now
	switch {
	case !p.busy && perTick >= few:
		p.become(true, fd, unix.EPOLLET, p.gather)
	case p.busy && perTick < few/2:
		p.become(false, fd, unix.EPOLLIN|unix.EPOLLET, 0)
	}
}

// become lets the clock wake the reader and the socket not, or the other way round. Where the system refuses, all
// stays as it was: the first step alone would leave the reader with both.
func (p *pace) become(busy bool, fd int, events uint32, every time.Duration) {
	t := unix.NsecToTimespec(int64(every))
	if err := unix.TimerfdSettime(p.clock, 0, &unix.ItimerSpec{Interval: t, Value: t}, nil); err != nil {
		return
	}
	if err := unix.EpollCtl(p.ep, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
		return
	}
	p.busy, p.woke = busy, p.now()
}
