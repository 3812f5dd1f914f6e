package proof

import "errors"

// ErrDER reports bytes that are not one value in the distinguished encoding (X.690 section 10).
var ErrDER = errors.New("not DER")

// maxDER bounds how deep values may lie in each other. Certificates have some ten levels.
const maxDER = 32

// CheckDER tells whether raw is one value in DER, as far as the frame goes: tags of one byte, lengths
// definite and as short as can be, each value filled by those within it. Libraries that also read
// looser encodings read beyond the end of what does not keep to it.
func CheckDER(raw []byte) error {
	rest, err := der(raw, maxDER)
	if err == nil && len(rest) > 0 {
		err = ErrDER
	}
	return err
}

// der checks the value at the front of b and returns what follows it.
func der(b []byte, depth int) ([]byte, error) {
	if depth == 0 || len(b) < 2 || b[0]&0x1f == 0x1f {
		return nil, ErrDER
	}
	n, content := int(b[1]), b[2:]
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 3 || len(content) < size {
			return nil, ErrDER
		}
		n = 0
		for _, c := range content[:size] {
			n = n<<8 | int(c)
		}
		if n < 0x80 || n>>(8*(size-1)) == 0 { // there is a shorter way to say it
			return nil, ErrDER
		}
		content = content[size:]
	}
	if n > len(content) {
		return nil, ErrDER
	}
	within, rest := content[:n], content[n:]
	if b[0]&0x20 == 0 {
		return rest, nil
	}
	for len(within) > 0 {
		var err error
		if within, err = der(within, depth-1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
