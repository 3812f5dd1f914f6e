//go:build !linux

package mill

import (
	"errors"
	"net/netip"
	"time"
)

// hub is one socket for all legs; other systems have none.
type hub struct{}

type datagram struct {
	leg  int32
	from netip.AddrPort
	b    []byte
	at   time.Duration
}

func newHub(netip.Addr) (*hub, error) { return nil, nil }

func (*hub) addr(int32) netip.AddrPort                   { return netip.AddrPort{} }
func (*hub) read(time.Time, func(datagram)) uint32       { return 0 }
func (*hub) unit() *[frameParts][]byte                   { return nil }
func (*hub) mail(int32, netip.AddrPort, int, int)        {}
func (*hub) flush() int                                  { return 0 }
func (*hub) writeTo(int32, []byte, netip.AddrPort) error { return errors.ErrUnsupported }
func (*hub) close() error                                { return nil }
