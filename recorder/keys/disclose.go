package keys

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// disclosed is one line of a disclosure file.
type disclosed struct {
	Part
	Key string `json:"key"`
}

// maxDisclosed bounds the keys of a file: a day of ten streams in epochs.
const maxDisclosed = 100_000

// ErrDisclosure reports a file that is not a list of disclosed keys.
var ErrDisclosure = errors.New("not a list of disclosed keys")

// WriteDisclosure writes one key as a line of a disclosure file: JSON with call, segment, stream,
// epoch and key. -1 stands for every stream of the segment, or every epoch of the stream.
func WriteDisclosure(w io.Writer, p Part, k Key) error {
	raw, err := json.Marshal(disclosed{p, k.String()})
	if err != nil {
		return fmt.Errorf("disclose: %w", err)
	}
	_, err = w.Write(append(raw, '\n'))
	return err
}

// ReadDisclosure adds the keys of a disclosure file to a ring.
func ReadDisclosure(in io.Reader, to *Ring) error {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var d disclosed
		err := json.Unmarshal(lines.Bytes(), &d)
		var k Key
		if err == nil {
			k, err = Parse(d.Key)
		}
		if err != nil || n > maxDisclosed || d.Stream < All || d.Stream > 0xffff || d.Epoch < All || d.Epoch > 0xffffffff || d.Segment < 0 || (d.Stream == All && d.Epoch != All) {
			return fmt.Errorf("line %d: %w", n, ErrDisclosure)
		}
		to.Add(d.Part, k)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrDisclosure, err)
	}
	return nil
}
