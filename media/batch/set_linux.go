package batch

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Set is sockets that one goroutine looks after by asking. What arrives wakes nobody, which spares whoever sends it
// from another core of the same machine the waking. One goroutine at a time uses it.
type Set struct {
	ep     int
	events [Most]unix.EpollEvent
}

// NewSet returns an empty set.
func NewSet() (*Set, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("set: %w", err)
	}
	return &Set{ep: ep}, nil
}

// Add puts a socket into the set, known by id from then on. It leaves with its Close.
func (s *Set) Add(c *Conn, id int32) error {
	k, ok := c.s.(*kernel)
	if !ok {
		return errors.ErrUnsupported
	}
	if err := unix.EpollCtl(s.ep, unix.EPOLL_CTL_ADD, k.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: id}); err != nil {
		return fmt.Errorf("set: %w", err)
	}
	return nil
}

// Ready writes into ids which sockets have datagrams and returns how many, at most Most. It does not wait.
func (s *Set) Ready(ids []int32) (int, error) {
	n, err := unix.EpollWait(s.ep, s.events[:min(len(ids), Most)], 0)
	if err != nil {
		if errors.Is(err, unix.EINTR) {
			return 0, nil
		}
		return 0, fmt.Errorf("set: %w", err)
	}
	for i := range n {
		ids[i] = s.events[i].Fd
	}
	return n, nil
}

// Close ends the set and not its sockets.
func (s *Set) Close() error { return unix.Close(s.ep) }
