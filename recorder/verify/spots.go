package verify

import "jedel/recorder/evr"

// second returns when a segment begins: where it does not say, when the one before ends.
func (s *Survey) second(name string) float64 {
	before := uint64(0)
	for _, seg := range s.Segments {
		switch {
		case seg.Name == name && seg.Err == nil:
			return float64(seg.Header.Mono0) / 1e9
		case seg.Name >= name:
			return float64(before) / 1e9
		}
		before = max(before, s.told.ends[seg.Name])
	}
	return float64(before) / 1e9
}

// lastOf returns where the last block of a segment is; where there is none, where it begins.
func (s *Survey) lastOf(name string) Fault {
	f := Fault{Segment: name, Second: s.second(name)}
	if t, ok := s.told.ends[name]; ok {
		f.Second = float64(t) / 1e9
	}
	return f
}

// undeclared finds bytes that no block count covers: after the end of a segment that was full, where
// none can be, and in what a recorder found after a crash and wrote down.
func (s *Survey) undeclared() []Fault {
	var faults []Fault
	var before *evr.Segment
	for i, seg := range s.Segments {
		if !seg.Counts || seg.Err != nil {
			continue
		}
		if before != nil && seg.Header.Reason == "rotate" && before.Size > before.End {
			faults = append(faults, s.lastOf(before.Name).because(badTail, Args{"file": before.Name, "bytes": before.Size - before.End}))
		}
		before = &s.Segments[i]
	}
	for _, seg := range s.Content.Segments {
		if was, ok := s.told.kept[seg.Name]; ok && was != seg.SHA256 {
			faults = append(faults, s.lastOf(seg.Name).because(badSinceCrash, Args{"file": seg.Name}))
		}
	}
	return faults
}

// lastSegment names the segment that something is missing from when the archive ends too early: the last.
func (s *Survey) lastSegment() string {
	if n := len(s.Segments); n > 0 {
		return s.Segments[n-1].Name
	}
	return ""
}
