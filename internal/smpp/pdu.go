// Package smpp has the messages of SMPP (Short Message Peer to Peer Protocol Specification v3.4, issue 1.2) as far
// as a sender of text messages needs them: binding, submitting, receipts and the check of the link. It opens no connection.
package smpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Command tells what a PDU is (section 5.1.2.1).
type Command uint32

// The commands of a sender; an answer is its command with Answer set.
const (
	Nack            Command = 0x80000000 // to what cannot be read
	SubmitSM        Command = 0x00000004
	DeliverSM       Command = 0x00000005
	Unbind          Command = 0x00000006
	BindTransceiver Command = 0x00000009
	EnquireLink     Command = 0x00000015
	Answer          Command = 0x80000000
)

// Status is why a command was refused; 0: it was not (section 5.1.3).
type Status uint32

// The statuses that make a difference to a sender.
const (
	OK           Status = 0x00
	BadCommand   Status = 0x03
	SystemError  Status = 0x08
	BadSource    Status = 0x0A
	BadDest      Status = 0x0B
	BindFailed   Status = 0x0D
	BadPassword  Status = 0x0E
	QueueFull    Status = 0x14
	SubmitFailed Status = 0x45
	Throttled    Status = 0x58
	TryLater     Status = 0x64 // ESME_RX_T_APPN
	RefusedHere  Status = 0x66 // ESME_RX_R_APPN
)

// Permanent tells whether the same message will never be taken: what is wrong is the message or its
// number. All others are of the link, the account or the hour.
func (s Status) Permanent() bool {
	switch s {
	case 0x01, BadDest, 0x06, 0x50, 0x51, 0x61, 0x62, 0xC4, RefusedHere: // length, number, priority, its type and plan, times, a value
		return true
	}
	return false
}

func (s Status) String() string { return fmt.Sprintf("status 0x%02x", uint32(s)) }

// MaxPDU is the longest PDU that is read, in bytes. The specification lets one be 64 KiB; a receipt has a few hundred.
const MaxPDU = 16 << 10

const headerLen = 16

// ErrShape reports bytes that are no PDU, or a body that is not of its command.
var ErrShape = errors.New("not a PDU")

// PDU is one message of the protocol.
type PDU struct {
	Command Command
	Status  Status
	Seq     uint32
	Body    []byte
}

// Bytes returns p as it is sent.
func (p PDU) Bytes() []byte {
	b := make([]byte, 0, headerLen+len(p.Body))
	b = binary.BigEndian.AppendUint32(b, uint32(headerLen+len(p.Body)))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Command))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Status))
	b = binary.BigEndian.AppendUint32(b, p.Seq)
	return append(b, p.Body...)
}

// Read takes one PDU of at most MaxPDU from r. After ErrShape the rest of r means nothing.
func Read(r io.Reader) (PDU, error) {
	var h [headerLen]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return PDU{}, err
	}
	n := binary.BigEndian.Uint32(h[:])
	if n < headerLen || n > MaxPDU {
		return PDU{}, fmt.Errorf("%w: %d bytes", ErrShape, n)
	}
	p := PDU{
		Command: Command(binary.BigEndian.Uint32(h[4:])), Status: Status(binary.BigEndian.Uint32(h[8:])), Seq: binary.BigEndian.Uint32(h[12:]),
		Body: make([]byte, n-headerLen),
	}
	if _, err := io.ReadFull(r, p.Body); err != nil {
		return PDU{}, fmt.Errorf("body: %w", err)
	}
	return p, nil
}

// Bind is the body of BindTransceiver (section 4.1.5).
type Bind struct{ SystemID, Password, SystemType string }

// Bytes returns b as it is sent, of version 3.4.
func (b Bind) Bytes() []byte {
	out := text(nil, b.SystemID, 15)
	out = text(out, b.Password, 8)
	out = text(out, b.SystemType, 12)
	return append(out, 0x34, 0, 0, 0) // version, no type and plan, no range of addresses
}

// ParseBind reads the body of BindTransceiver.
func ParseBind(body []byte) (b Bind, err error) {
	c := cursor{rest: body}
	b = Bind{c.text(16), c.text(9), c.text(13)}
	c.take(3)
	c.text(41)
	return b, c.err
}

// Name returns the body of an answer that is one text: the system's name, or the identifier of a message.
func Name(s string) []byte { return text(nil, s, 64) }

// ParseName reads such a body. An empty one, which refusals have, is "".
func ParseName(body []byte) (string, error) {
	if len(body) == 0 {
		return "", nil
	}
	c := cursor{rest: body}
	return c.text(65), c.err
}

// text appends s as a C octet string of at most n letters (section 3.1).
func text(b []byte, s string, n int) []byte {
	if i := bytes.IndexByte([]byte(s), 0); i >= 0 {
		s = s[:i]
	}
	return append(append(b, s[:min(n, len(s))]...), 0)
}

// cursor reads a body; after the first error it reads nothing.
type cursor struct {
	rest []byte
	err  error
}

// take returns the next n bytes, nil where there are fewer.
func (c *cursor) take(n int) []byte {
	if c.err != nil || n > len(c.rest) {
		c.err = ErrShape
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) octet() byte {
	b := c.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// text reads a C octet string of at most n bytes with its end.
func (c *cursor) text(n int) string {
	i := bytes.IndexByte(c.rest, 0)
	if c.err != nil || i < 0 || i >= n {
		c.err = ErrShape
		return ""
	}
	s := string(c.rest[:i])
	c.rest = c.rest[i+1:]
	return s
}
