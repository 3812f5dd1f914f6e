package batch

import (
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Limits of one segmented datagram: what the kernel takes (UDP_MAX_SEGMENTS of older ones), and what UDP carries.
const (
	mostSegments = 64
	mostBytes    = 65000
)

// fullWait is how long a write waits for room in a full buffer, in milliseconds. Media that waits longer is late.
const fullWait = 5

// segmentControl is the control message that carries UDP_SEGMENT: a header and two bytes, padded.
type segmentControl struct {
	hdr  unix.Cmsghdr
	size uint16
	_    [6]byte
}

// writer is what a write needs.
type writer struct {
	segments bool // the system takes UDP_SEGMENT
	msgs     []Message
	sent     int
	err      error
	do       func(fd uintptr)
	hdrs     [Most]mmsghdr
	iovs     [Most]unix.Iovec
	names    [Most]unix.RawSockaddrInet6
	control  [Most]segmentControl
	alone    mmsghdr
	piece    unix.Iovec
	zones    zones
}

func (w *writer) prepare() {
	for i := range w.hdrs {
		w.hdrs[i].hdr.Name = (*byte)(unsafe.Pointer(&w.names[i]))
		c := &w.control[i].hdr
		c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
	}
}

func (k *kernel) write(msgs []Message) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := &k.w
	w.msgs, w.sent, w.err = msgs, 0, nil
	err := k.raw.Control(w.do)
	w.msgs = nil
	if err != nil {
		return 0, net.ErrClosed
	}
	return w.sent, w.err
}

// all writes the messages by as few calls as they need.
func (w *writer) all(fd int, v6 bool) {
	for len(w.msgs) > 0 {
		messages, headers := w.fill(v6)
		w.msgs = w.msgs[messages:]
		w.send(fd, w.hdrs[:headers])
	}
}

// fill puts the first messages into headers and returns how many of both. Messages to one receiver that are all as
// long as the first, or end with a shorter one, share a header.
func (w *writer) fill(v6 bool) (messages, headers int) {
	used := 0
	for messages < len(w.msgs) && used < Most {
		rest := w.msgs[messages:min(len(w.msgs), messages+Most-used)]
		m, h := &rest[0], &w.hdrs[headers].hdr
		length, ok := w.zones.encode(&w.names[headers], m.Addr, v6)
		if !ok || m.N <= 0 || m.N > len(m.B) {
			w.refuse(unix.EINVAL)
			messages++
			continue
		}
		n := w.run(rest)
		for i := range n {
			w.iovs[used+i].Base = &rest[i].B[0]
			w.iovs[used+i].SetLen(rest[i].N)
		}
		h.Namelen, h.Iov, h.Control = length, &w.iovs[used], nil
		h.SetIovlen(n)
		h.SetControllen(0)
		if n > 1 {
			c := &w.control[headers]
			c.size = uint16(m.N)
			h.Control = (*byte)(unsafe.Pointer(c))
			h.SetControllen(unix.CmsgSpace(2))
		}
		used += n
		messages += n
		headers++
	}
	return messages, headers
}

// run returns how many of the first messages may go as one.
func (w *writer) run(msgs []Message) int {
	if !w.segments {
		return 1
	}
	first := &msgs[0]
	n, bytes := 1, first.N
	for n < min(len(msgs), mostSegments) {
		m := &msgs[n]
		if m.N > first.N || m.N <= 0 || m.N > len(m.B) || bytes+m.N > mostBytes || m.Addr != first.Addr {
			break
		}
		bytes += m.N
		n++
		if m.N < first.N {
			break
		}
	}
	return n
}

// send hands headers to the system. What it refuses is skipped.
func (w *writer) send(fd int, hdrs []mmsghdr) {
	for len(hdrs) > 0 {
		n, errno := sendmmsg(fd, hdrs)
		for i := range hdrs[:n] {
			w.sent += int(hdrs[i].hdr.Iovlen)
		}
		hdrs = hdrs[n:]
		if errno == 0 || len(hdrs) == 0 {
			continue
		}
		h := &hdrs[0].hdr
		hdrs = hdrs[1:]
		if h.Iovlen == 1 {
			w.refuse(errno)
			continue
		}
		if errno == unix.EIO { // a way out that cannot make checksums of segments (udp(7))
			w.segments = false
		}
		w.singly(fd, h)
	}
}

// singly sends what was refused as one in pieces: the path may be narrower than a segment.
func (w *writer) singly(fd int, h *unix.Msghdr) {
	w.alone.hdr = *h
	one := &w.alone.hdr
	one.Control = nil
	one.SetControllen(0)
	one.SetIovlen(1)
	for _, v := range unsafe.Slice(h.Iov, h.Iovlen) {
		w.piece = v
		one.Iov = &w.piece
		if _, errno := sendmmsg(fd, unsafe.Slice(&w.alone, 1)); errno != 0 {
			w.refuse(errno)
			continue
		}
		w.sent++
	}
	w.alone.hdr, w.piece = unix.Msghdr{}, unix.Iovec{}
}

func (w *writer) refuse(errno unix.Errno) {
	if w.err == nil {
		w.err = errno
	}
}

// sendmmsg makes one call, again where a signal came between, and where the buffer is full once more after a moment.
func sendmmsg(fd int, hdrs []mmsghdr) (int, unix.Errno) {
	waited := false
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&hdrs[0])), uintptr(len(hdrs)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == 0:
			return int(n), 0
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && !waited:
			waited = true
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, fullWait)
		default:
			return 0, errno
		}
	}
}
