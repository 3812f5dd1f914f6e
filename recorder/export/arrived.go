package export

import (
	"errors"
	"io/fs"

	"jedel/recorder/derive"
	"jedel/recorder/keys"
	"jedel/recorder/verify"
)

// Arrived counts what arrived of each stream of an archive, or of that in a bag, as far as the ring opens
// it, for verify.Report.Arrived. Nil where there is nothing to count.
func Arrived(fsys fs.FS, ring *keys.Ring) ([]verify.Arrival, error) {
	dir, err := verify.Archive(fsys)
	if err != nil {
		return nil, err
	}
	rec, err := derive.Load(dir, ring)
	if errors.Is(err, derive.ErrNoArchive) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	line := rec.Timeline()
	var out []verify.Arrival
	for _, s := range line.Streams {
		a := verify.Arrival{Stream: s.Stream, Role: s.Role, Kind: s.Kind, Codec: s.Codec, Received: s.Packets, Repeated: s.Recovered,
			Copied: s.Copied, Lost: s.Lost, MissingMs: s.MissingMs, Missing: []verify.Stretch{}}
		for _, i := range line.Damage {
			if i.Stream == s.Stream && i.Cause == derive.CauseLoss {
				missing := i.MissingMs
				if missing == 0 {
					missing = i.ToMs - i.FromMs
				}
				a.Missing = append(a.Missing, verify.Stretch{FromMs: i.FromMs, ToMs: i.ToMs, Packets: i.Packets, MissingMs: missing})
			}
		}
		out = append(out, a)
	}
	return out, nil
}
