// Package thinline opens TCP ports for lines that carry little: words of signalling, a voice. TCP waits twice as long
// after each repetition that is lost (RFC 6298 section 5.5), which keeps those who send much from drowning a way and
// makes a message of 200 bytes wait for seven seconds where half is lost. Of connections with fewer than four packets
// on the way Linux repeats the first six times at even intervals when it is told to (TCP_THIN_LINEAR_TIMEOUTS;
// Documentation/networking/tcp-thin.rst of the kernel).
package thinline

import (
	"net"

	"golang.org/x/sys/unix"
)

// Listen opens a port. A system that cannot repeat evenly repeats as ever.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return listener{l}, nil
}

type listener struct{ net.Listener }

// Accept implements net.Listener. The listening socket is one of Multipath TCP, of which those that fell back to
// plain TCP do not inherit it; the others repeat as ever.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok && err == nil {
		if raw, err := t.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS, 1)
			})
		}
	}
	return c, err
}
