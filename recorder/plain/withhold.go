package plain

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
)

// Stretch is a part of a call that is withheld, in nanoseconds since the call was opened. Keys open
// ten seconds each: all that a stretch touches stays closed.
type Stretch struct {
	Stream   int // keys.All: every stream. The journal is 0
	From, To uint64
}

// DiscloseBut writes the fewest keys that open an archive but for what is withheld. It returns how
// many it wrote, and keys.ErrNoKey where the ring does not open the rest.
func DiscloseBut(w io.Writer, dir fs.FS, ring *keys.Ring, withheld []Stretch) (int, error) {
	return disclose(w, dir, ring, func(seg evr.SegmentHeader, h evr.BlockHeader) (keys.Part, bool) {
		p := keys.Part{Call: seg.Call, Segment: seg.Seg, Stream: keys.All, Epoch: keys.All}
		if h.Flags&evr.FlagEncrypted == 0 {
			return p, false
		}
		if len(withheld) == 0 {
			return p, true
		}
		p.Stream = int(h.Stream) // the key of the segment would open everything
		from := uint64(h.Epoch) * evr.EpochTime
		for _, s := range withheld {
			if s.Stream != keys.All && s.Stream != int(h.Stream) {
				continue
			}
			p.Epoch = int64(h.Epoch) // so would the key of the stream
			if from < s.To && s.From < from+evr.EpochTime {
				return p, false
			}
		}
		return p, true
	})
}

// Disclosed is the file of keys that an export puts beside an archive.
const Disclosed = "disclosed-keys.json"

// Beside returns the keys that stand in the archive's own folder; nil where there are none.
func Beside(dir fs.FS) (*keys.Ring, error) {
	f, err := dir.Open(Disclosed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ring := &keys.Ring{}
	if err := errors.Join(keys.ReadDisclosure(f, ring), f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", Disclosed, err)
	}
	return ring, nil
}

// ReceiverName is the file of a call's key wrapped for one more recipient.
func ReceiverName(kek string, to keys.Recipient) string { return "kek-" + kek + "." + to.ID() + ".age" }
