package smpp

import "encoding/binary"

// Address is who sends or gets a message: a number with its type and numbering plan (sections 5.2.5 and 5.2.6).
type Address struct {
	TON, NPI byte
	Text     string
}

// International is a number of the world: +77015551212.
func International(e164 string) Address {
	if len(e164) > 0 && e164[0] == '+' {
		e164 = e164[1:]
	}
	return Address{1, 1, e164}
}

// Sender reads a configured sender: a name of letters, a number with +, or a short number.
func Sender(s string) Address {
	digits := len(s) > 0
	for i, c := range []byte(s) {
		digits = digits && (c >= '0' && c <= '9' || c == '+' && i == 0)
	}
	switch {
	case digits && s[0] == '+':
		return International(s)
	case digits:
		return Address{3, 0, s} // a number within this network
	}
	return Address{5, 0, s}
}

// Features of a message in Short.Class (section 5.2.12).
const (
	ClassReceipt byte = 0x04 // it is a receipt
	ClassUDH     byte = 0x40 // its text begins with a user data header
)

// Optional parameters (section 5.3.2).
const (
	tagPayload   = 0x0424
	tagReceipted = 0x001E
	tagState     = 0x0427
)

// Short is the body of SubmitSM and DeliverSM (sections 4.4.1 and 4.6.1).
type Short struct {
	From, To Address
	Class    byte
	Coding   byte
	Receipt  bool   // ask for a receipt of the final outcome
	Validity string // relative time "YYMMDDhhmmss000R"; empty: the centre's own
	Text     []byte // at most 254 bytes are sent

	Receipted string // of which message it is a receipt, where the centre says so apart
	State     byte   // the same of its state
}

// Bytes returns s as it is sent.
func (s Short) Bytes() []byte {
	b := text(nil, "", 5)
	for _, a := range []Address{s.From, s.To} {
		b = text(append(b, a.TON, a.NPI), a.Text, 20)
	}
	b = append(b, s.Class, 0, 0)
	b = text(text(b, "", 16), s.Validity, 16)
	receipt := byte(0)
	if s.Receipt {
		receipt = 1
	}
	n := min(len(s.Text), 254)
	b = append(b, receipt, 0, s.Coding, 0, byte(n))
	b = append(b, s.Text[:n]...)
	if s.Receipted != "" {
		b = parameter(b, tagReceipted, text(nil, s.Receipted, 64))
	}
	if s.State != 0 {
		b = parameter(b, tagState, []byte{s.State})
	}
	return b
}

func parameter(b []byte, tag uint16, value []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, tag)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// ParseShort reads the body of SubmitSM or DeliverSM.
func ParseShort(body []byte) (s Short, err error) {
	c := cursor{rest: body}
	c.text(6)
	s.From = Address{c.octet(), c.octet(), c.text(21)}
	s.To = Address{c.octet(), c.octet(), c.text(21)}
	s.Class = c.octet()
	c.take(2)
	c.text(17)
	s.Validity = c.text(17)
	s.Receipt = c.octet()&3 == 1
	c.take(1)
	s.Coding = c.octet()
	c.take(1)
	s.Text = c.take(int(c.octet()))
	for c.err == nil && len(c.rest) > 0 {
		head := c.take(4)
		if head == nil {
			break
		}
		value := c.take(int(binary.BigEndian.Uint16(head[2:])))
		switch v := (cursor{rest: value}); binary.BigEndian.Uint16(head) {
		case tagPayload:
			s.Text = value
		case tagReceipted:
			if s.Receipted = v.text(66); v.err != nil {
				s.Receipted = string(value) // some centres leave its end out
			}
		case tagState:
			s.State = v.octet()
		}
	}
	return s, c.err
}
