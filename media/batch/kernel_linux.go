package batch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cut is the flag of a datagram that was longer than its buffer.
const cut = unix.MSG_TRUNC

// kernel is a socket that calls the system by itself. The Go scheduler waits for an epoll descriptor of ours that
// holds the socket and a clock, so that we and not the scheduler choose which of the two wakes the reader: while many
// datagrams arrive, each of them would be a wake-up.
//
// The calls are raw: they never block, and a call that the scheduler knows of costs a look from its monitor thread,
// which is a switch of threads on a machine of one core.
type kernel struct {
	// Set at creation, read by all.
	fd   int
	v6   bool
	wait *os.File // the epoll descriptor; its close waits for calls that go on
	raw  syscall.RawConn
	once sync.Once // closes

	r  reader
	mu sync.Mutex // guards w
	w  writer
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// reader is what a read needs. Owned by the goroutine that reads.
type reader struct {
	pace
	msgs  []Message
	n     int
	err   unix.Errno
	try   func(fd uintptr) bool
	once  func(fd uintptr)
	hdrs  [Most]mmsghdr
	iovs  [Most]unix.Iovec
	names [Most]unix.RawSockaddrInet6
	zones zones
	// when each came; nil: it is not asked
	stamps *[Most]stampControl
}

// stampControl is the control message that carries SO_TIMESTAMPNS.
type stampControl struct {
	hdr unix.Cmsghdr
	at  unix.Timespec
}

func listen(addr netip.AddrPort, o Options) (*Conn, error) {
	family := unix.AF_INET
	if addr.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	k := &kernel{fd: fd, v6: family == unix.AF_INET6}
	local, err := k.bind(addr, o)
	if err == nil {
		err = k.watch(o)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	k.prepare()
	return &Conn{s: k, local: local}, nil
}

// bind sets the options and gives the socket its address.
func (k *kernel) bind(addr netip.AddrPort, o Options) (netip.AddrPort, error) {
	if k.v6 {
		only := 1
		if addr.Addr().IsUnspecified() {
			only = 0
		}
		if err := unix.SetsockoptInt(k.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil && only == 1 {
			return netip.AddrPort{}, fmt.Errorf("IPv6 only: %w", err)
		}
	}
	if o.ReusePort {
		if err := unix.SetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return netip.AddrPort{}, fmt.Errorf("shared port: %w", err)
		}
	}
	if err := errors.Join(enlarge(k.fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, o.ReadBuffer), enlarge(k.fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, o.WriteBuffer)); err != nil {
		return netip.AddrPort{}, fmt.Errorf("buffer: %w", err)
	}
	if o.Stamped && unix.SetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) == nil {
		k.r.stamps = new([Most]stampControl)
	}
	if o.Expedited { // where it is not taken, voice goes as everything else does
		_ = unix.SetsockoptInt(k.fd, unix.IPPROTO_IP, unix.IP_TOS, ef)
		if k.v6 {
			_ = unix.SetsockoptInt(k.fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, ef)
		}
	}
	_, err := unix.GetsockoptInt(k.fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	k.w.segments = err == nil && !o.NoSegments
	to, err := sockaddr(addr, k.v6)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if err := unix.Bind(k.fd, to); err != nil {
		return netip.AddrPort{}, fmt.Errorf("bind: %w", err)
	}
	got, err := unix.Getsockname(k.fd)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("name: %w", err)
	}
	port := 0
	switch got := got.(type) {
	case *unix.SockaddrInet4:
		port = got.Port
	case *unix.SockaddrInet6:
		port = got.Port
	}
	return netip.AddrPortFrom(addr.Addr(), uint16(port)), nil
}

// enlarge asks for a buffer beyond the system's limit and takes what it may have where that is not allowed.
func enlarge(fd, force, plain, size int) error {
	if size <= 0 || unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, size)
}

func sockaddr(a netip.AddrPort, v6 bool) (unix.Sockaddr, error) {
	if !v6 {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	zone := uint32(0)
	if name := a.Addr().Zone(); name != "" {
		var z zones
		var ok bool
		if zone, ok = z.index(name); !ok {
			return nil, fmt.Errorf("no interface %q", name)
		}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zone}, nil
}

// watch makes the epoll descriptor and gives it to the scheduler.
func (k *kernel) watch(o Options) error {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if err := k.r.pace.begin(ep, k.fd, o); err != nil {
		return errors.Join(err, unix.Close(ep))
	}
	if err := unix.SetNonblock(ep, true); err != nil {
		return errors.Join(fmt.Errorf("epoll: %w", err), k.r.pace.end(), unix.Close(ep))
	}
	k.wait = os.NewFile(uintptr(ep), "udp") // takes ep over
	k.raw, err = k.wait.SyscallConn()
	if err == nil {
		err = k.wait.SetReadDeadline(time.Time{}) // fails where the scheduler did not take it
	}
	if err != nil {
		return errors.Join(fmt.Errorf("epoll: %w", err), k.r.pace.end(), k.wait.Close())
	}
	return nil
}

// prepare ties the parts of the headers together, once.
func (k *kernel) prepare() {
	r := &k.r
	for i := range r.hdrs {
		h := &r.hdrs[i].hdr
		h.Iov, h.Name = &r.iovs[i], (*byte)(unsafe.Pointer(&r.names[i]))
		h.SetIovlen(1)
		if r.stamps != nil {
			h.Control = (*byte)(unsafe.Pointer(&r.stamps[i]))
		}
	}
	r.try = func(uintptr) bool { return k.receive() }
	r.once = func(uintptr) { k.receive() }
	k.w.prepare()
	k.w.do = func(uintptr) { k.w.all(k.fd, k.v6) }
}

func (k *kernel) read(msgs []Message, wait bool) (int, error) {
	if len(msgs) == 0 {
		return 0, nil
	}
	r := &k.r
	r.msgs, r.n, r.err = msgs[:min(len(msgs), Most)], 0, 0
	var err error
	if wait {
		r.enter()
		err = k.raw.Read(r.try)
	} else {
		err = k.raw.Control(r.once)
	}
	n, full := r.n, r.n == len(r.msgs)
	r.msgs = nil
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, os.ErrDeadlineExceeded
	case err != nil:
		return 0, net.ErrClosed
	case r.err != 0:
		return 0, r.err
	}
	r.took(n, full, k.fd)
	return n, nil
}

// receive makes one call and reports whether there is anything to return.
func (k *kernel) receive() bool {
	r := &k.r
	if r.patient() {
		return false
	}
	for i := range r.msgs {
		b := r.msgs[i].B
		if cap(b) == 0 {
			r.err = unix.EINVAL
			return true
		}
		r.iovs[i].Base = &b[:1][0]
		r.iovs[i].SetLen(cap(b))
		r.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet6
		if r.stamps != nil {
			r.hdrs[i].hdr.SetControllen(int(unsafe.Sizeof(stampControl{})))
		}
	}
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(k.fd), uintptr(unsafe.Pointer(&r.hdrs[0])), uintptr(len(r.msgs)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			r.n = int(n)
			for i := range r.msgs[:n] {
				h := &r.hdrs[i]
				r.msgs[i].N = int(h.n)
				if h.hdr.Flags&cut != 0 {
					r.msgs[i].N = 0
				}
				r.msgs[i].Addr, r.msgs[i].At = r.zones.addrPort(&r.names[i]), r.stamp(i)
			}
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			r.idle(k.fd)
			return false
		default:
			r.err = errno
			return true
		}
	}
}

// stamp returns when datagram i came, in Unix nanoseconds; 0 where that was not told.
func (r *reader) stamp(i int) int64 {
	if r.stamps == nil || int(r.hdrs[i].hdr.Controllen) < unix.SizeofCmsghdr {
		return 0
	}
	c := &r.stamps[i]
	if c.hdr.Level != unix.SOL_SOCKET || c.hdr.Type != unix.SO_TIMESTAMPNS {
		return 0
	}
	return c.at.Nano()
}

func (k *kernel) readDeadline(t time.Time) error { return k.wait.SetReadDeadline(t) }

func (k *kernel) backlog() (Backlog, error) {
	var b Backlog
	var first error
	err := k.raw.Control(func(uintptr) {
		next, err := unix.IoctlGetInt(k.fd, unix.TIOCINQ) // bytes of the next datagram, udp(7)
		b.Waits, first = next > 0, err
		var info [unix.SK_MEMINFO_VARS]uint32
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(k.fd), unix.SOL_SOCKET, unix.SO_MEMINFO, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 { // Linux 4.12
			b.Dropped = info[unix.SK_MEMINFO_DROPS]
		}
	})
	if err != nil {
		return Backlog{}, net.ErrClosed
	}
	return b, first
}

func (k *kernel) close() error {
	var err error
	k.once.Do(func() {
		err = errors.Join(k.wait.Close(), k.r.pace.end(), unix.Close(k.fd)) // the first waits for calls that go on
	})
	return err
}
