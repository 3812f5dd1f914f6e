package mill

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// clock waits more finely than the runtime's timers, whose step is a millisecond where nothing else happens.
type clock struct {
	f     *os.File
	raw   syscall.RawConn
	alarm unix.ItimerSpec
	wound bool
	err   error
	try   func(fd uintptr) bool
}

func newClock() (*clock, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	c := &clock{f: os.NewFile(uintptr(fd), "clock")}
	if c.raw, err = c.f.SyscallConn(); err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	c.try = func(fd uintptr) bool {
		if c.wound {
			return true
		}
		_, _, errno := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&c.alarm)), 0, 0, 0)
		if errno != 0 {
			c.err = errno
			return true
		}
		c.wound = true
		return false
	}
	return c, nil
}

// wait returns after d.
func (c *clock) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	c.alarm.Value, c.wound = unix.NsecToTimespec(int64(d)), false
	if err := c.raw.Read(c.try); err != nil {
		return err
	}
	return c.err
}

func (c *clock) close() error { return c.f.Close() }
