package mill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"jedel/media/batch"

	"golang.org/x/sys/unix"
)

// hub is one socket for all legs of a machine that reaches the gateway over loopback: each leg has an address of
// 127.0.0.0/8 of its own behind the same port. What comes is read by the clock, many datagrams of many legs at once,
// and wakes nobody; the kernel notes when each came and hands the packets of a picture over as one (UDP_GRO).
type hub struct {
	fd   int
	port uint16

	mu sync.Mutex // guards out, and fd's end
	w  mailing

	r delivery // owned by Run
}

// Sizes of a hub.
const (
	hubBuffer  = 64 << 20 // of the kernel: what comes while the machine does something else
	hubGroup   = 64 << 10 // the most that the kernel hands over as one
	hubControl = 128      // bytes of control messages
)

type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// delivery is what a read needs.
type delivery struct {
	hdrs  [batch.Most]mmsghdr
	iovs  [batch.Most]unix.Iovec
	names [batch.Most]unix.RawSockaddrInet4
	ctl   [batch.Most][hubControl]byte
	bufs  [batch.Most][]byte
}

// mailing collects units until a step is done.
type mailing struct {
	hdrs  [batch.Most]mmsghdr
	iovs  [batch.Most][frameParts]unix.Iovec
	names [batch.Most]unix.RawSockaddrInet4
	ctl   [batch.Most][hubControl]byte
	bufs  [batch.Most][frameParts][]byte
	n     int
	lost  int // packets that the system did not take, since they were last told
}

// newHub opens the socket; nil where legs are not reached over loopback.
func newHub(local netip.Addr) (*hub, error) {
	if !local.Is4() || !local.IsLoopback() {
		return nil, nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, hubBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, hubBuffer)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1),
		unix.Bind(fd, &unix.SockaddrInet4{}),
	)
	var name unix.Sockaddr
	if err == nil {
		name, err = unix.Getsockname(fd)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hub: %w", err), unix.Close(fd))
	}
	h := &hub{fd: fd, port: uint16(name.(*unix.SockaddrInet4).Port)}
	h.prepare()
	return h, nil
}

func (h *hub) prepare() {
	for i := range h.r.hdrs {
		r := &h.r
		r.bufs[i] = make([]byte, hubGroup)
		r.iovs[i].Base = &r.bufs[i][0]
		r.iovs[i].SetLen(hubGroup)
		m := &r.hdrs[i].hdr
		m.Name, m.Iov, m.Control = (*byte)(unsafe.Pointer(&r.names[i])), &r.iovs[i], &r.ctl[i][0]
		m.SetIovlen(1)
		w := &h.w
		for j := range w.bufs[i] {
			w.bufs[i][j] = make([]byte, datagramSize)
			for k := range w.bufs[i][j] {
				w.bufs[i][j][k] = byte(i*k + j)
			}
			w.iovs[i][j].Base = &w.bufs[i][j][0]
		}
		o := &w.hdrs[i].hdr
		o.Name, o.Iov, o.Control = (*byte)(unsafe.Pointer(&w.names[i])), &w.iovs[i][0], &w.ctl[i][0]
		o.Namelen = unix.SizeofSockaddrInet4
		w.names[i].Family = unix.AF_INET
	}
}

// addr is the address of a leg.
func (h *hub) addr(id int32) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(1 + id>>16), byte(id >> 8), byte(id)}), h.port)
}

// legOf is the leg of an address.
func legOf(a [4]byte) int32 { return int32(a[1]-1)<<16 | int32(a[2])<<8 | int32(a[3]) }

// datagram is one that came.
type datagram struct {
	leg  int32
	from netip.AddrPort
	b    []byte
	at   time.Duration // since epoch, as the kernel saw it
}

// read hands what has come to take, and returns how many the kernel had no room for since the beginning, 0 where it
// does not say.
func (h *hub) read(epoch time.Time, take func(datagram)) (overflow uint32) {
	r := &h.r
	for {
		for i := range r.hdrs {
			m := &r.hdrs[i].hdr
			m.Namelen = unix.SizeofSockaddrInet4
			m.SetControllen(hubControl)
		}
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(h.fd), uintptr(unsafe.Pointer(&r.hdrs[0])), uintptr(len(r.hdrs)), unix.MSG_DONTWAIT, 0, 0)
		if errno != 0 {
			return overflow // nothing, or a refusal that came back
		}
		wall := time.Now()
		shift := wall.UnixNano() - int64(wall.Sub(epoch))
		for i := range r.hdrs[:n] {
			m := &r.hdrs[i]
			d, size, over := controls(r.ctl[i][:m.hdr.Controllen])
			overflow = max(overflow, over)
			d.at -= time.Duration(shift)
			port := r.names[i].Port
			d.from = netip.AddrPortFrom(netip.AddrFrom4(r.names[i].Addr), port<<8|port>>8)
			if m.hdr.Flags&unix.MSG_TRUNC != 0 {
				continue
			}
			for b := r.bufs[i][:m.n]; len(b) > 0; b = b[len(d.b):] {
				if d.b = b; size > 0 && size < len(b) {
					d.b = b[:size]
				}
				take(d)
			}
		}
		if int(n) < len(r.hdrs) {
			return overflow
		}
	}
}

// controls reads the control messages of a datagram, or of several of one size.
func controls(b []byte) (d datagram, size int, overflow uint32) {
	const head = unix.SizeofCmsghdr
	for len(b) >= head {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		n := int(c.Len)
		if n < head || n > len(b) {
			return d, size, overflow
		}
		data := b[head:n]
		switch {
		case c.Level == unix.IPPROTO_IP && c.Type == unix.IP_PKTINFO && len(data) >= 12:
			d.leg = legOf([4]byte(data[8:12]))
		case c.Level == unix.SOL_SOCKET && c.Type == unix.SO_TIMESTAMPNS && len(data) >= 16:
			d.at = time.Duration(binary.NativeEndian.Uint64(data))*time.Second + time.Duration(binary.NativeEndian.Uint64(data[8:]))
		case c.Level == unix.SOL_SOCKET && c.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			overflow = binary.NativeEndian.Uint32(data)
		case c.Level == unix.IPPROTO_UDP && c.Type == unix.UDP_GRO && len(data) >= 4:
			size = int(binary.NativeEndian.Uint32(data))
		}
		b = b[min(unix.CmsgSpace(n-head), len(b)):]
	}
	return d, size, overflow
}

// unit returns where the packets of a leg's next unit go: all but the last are as long as the first. A full mailing
// goes out first. mail says that they are there.
func (h *hub) unit() *[frameParts][]byte {
	if h.w.n == len(h.w.hdrs) {
		h.send()
	}
	return &h.w.bufs[h.w.n]
}

// mail lets the packets of a unit, of so many bytes each, go out with the others of the step.
func (h *hub) mail(leg int32, to netip.AddrPort, parts, size int) {
	w := &h.w
	w.put(w.n, h.addr(leg).Addr(), to, parts, size)
	w.n++
}

func (w *mailing) put(i int, from netip.Addr, to netip.AddrPort, parts, size int) {
	for j := range parts {
		w.iovs[i][j].SetLen(size)
	}
	w.names[i].Addr, w.names[i].Port = to.Addr().As4(), to.Port()<<8|to.Port()>>8
	m := &w.hdrs[i].hdr
	m.SetIovlen(parts)
	b := w.ctl[i][:]
	clear(b)
	n := cmsg(b, unix.IPPROTO_IP, unix.IP_PKTINFO, 12)
	src := from.As4()
	copy(b[unix.SizeofCmsghdr+4:], src[:]) // ipi_spec_dst of ip(7)
	if parts > 1 {
		seg := b[n:]
		n += cmsg(seg, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
		binary.NativeEndian.PutUint16(seg[unix.SizeofCmsghdr:], uint16(size))
	}
	m.SetControllen(n)
}

// cmsg writes the head of a control message and returns its room.
func cmsg(b []byte, level, kind int32, size int) int {
	c := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	c.Level, c.Type = level, kind
	c.SetLen(unix.CmsgLen(size))
	return unix.CmsgSpace(size)
}

// flush sends the mailing and returns how many packets of the step the system did not take.
func (h *hub) flush() (unsent int) {
	h.send()
	unsent, h.w.lost = h.w.lost, 0
	return unsent
}

func (h *hub) send() {
	w := &h.w
	for at := 0; at < w.n; {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(h.fd), uintptr(unsafe.Pointer(&w.hdrs[at])), uintptr(w.n-at), unix.MSG_DONTWAIT, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 { // the first was not taken
			w.lost += int(w.hdrs[at].hdr.Iovlen)
			at++
			continue
		}
		at += int(n)
	}
	w.n = 0
}

// writeTo sends one datagram of a leg at once. Any goroutine may call it.
func (h *hub) writeTo(leg int32, b []byte, to netip.AddrPort) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fd < 0 {
		return net.ErrClosed
	}
	info := make([]byte, unix.CmsgSpace(12))
	cmsg(info, unix.IPPROTO_IP, unix.IP_PKTINFO, 12)
	src := h.addr(leg).Addr().As4()
	copy(info[unix.SizeofCmsghdr+4:], src[:])
	_, err := unix.SendmsgN(h.fd, b, info, &unix.SockaddrInet4{Addr: to.Addr().Unmap().As4(), Port: int(to.Port())}, unix.MSG_DONTWAIT)
	return err
}

func (h *hub) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	fd := h.fd
	h.fd = -1
	return unix.Close(fd)
}
