package verify

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"strings"

	"jedel/recorder/proof"
)

// checksumFile is what sha256sum writes; exports have one.
const checksumFile = "manifest-sha256.txt"

// files is V0: the checksums of files, as the seal and a checksum list have them.
func (c *checker) files() (Level, error) {
	if c.end.erased {
		return remains{c}.files(), nil
	}
	l := Level{Level: "V0", State: Passed}
	var faults []Fault
	if c.seal != nil {
		faults = c.sealedFiles()
		l.say(saidSeal, Args{"segments": len(c.seal.Segments)})
	}
	listed, more, err := c.listedFiles()
	if err != nil {
		return l, err
	}
	if listed > 0 {
		l.say(saidList, Args{"files": listed, "file": checksumFile})
	}
	if c.seal == nil && listed == 0 {
		l.State = NotChecked
		why := saidNoList
		if c.sealed {
			why = saidNoSeal
		}
		l.say(why, nil)
	}
	return c.list(l, append(faults, more...)), nil
}

// sealedFiles compares files with the seal's manifest.
func (c *checker) sealedFiles() []Fault {
	var faults []Fault
	complain := func(name string, code Code, args Args) {
		faults = append(faults, Fault{Second: c.second(name), Segment: name}.because(code, args))
	}
	segments := map[string]proof.ManifestSegment{}
	for _, s := range c.Content.Segments {
		segments[s.Name] = s
	}
	for _, want := range c.seal.Segments {
		got, ok := segments[want.Name]
		delete(segments, want.Name)
		switch {
		case !ok:
			complain(want.Name, badMissing, Args{"file": want.Name})
		case got.Bytes != want.Bytes:
			faults = append(faults, c.lastOf(want.Name).because(badSize, Args{"file": want.Name, "bytes": got.Bytes, "sealed": want.Bytes}))
		case got.SHA256 != want.SHA256:
			complain(want.Name, badSum, Args{"file": want.Name})
		}
	}
	for _, want := range c.seal.KeyFiles {
		got, err := sumFile(c.fsys, want.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.keysGone = append(c.keysGone, want.Name) // destroyed, or withheld: V4 says so
		case err != nil || got != want.SHA256:
			complain(want.Name, badSum, Args{"file": want.Name})
		}
	}
	for _, extra := range c.Content.Segments {
		if _, left := segments[extra.Name]; left {
			complain(extra.Name, badNew, Args{"file": extra.Name})
		}
	}
	return c.sharper(faults)
}

// sharper gives the fault of a segment the place where reading it found the first fault.
func (c *checker) sharper(faults []Fault) []Fault {
	for i, f := range faults {
		for _, b := range c.Breaks {
			if b.Segment == f.Segment {
				faults[i].Stream, faults[i].Second, faults[i].Offset = b.Stream, b.Second, b.Offset
				break
			}
		}
	}
	return faults
}

// maxList bounds a list of checksums in bytes.
const maxList = 16 << 20

// listedFiles compares files with a list of checksums beside them, if there is one.
func (c *checker) listedFiles() (int, []Fault, error) {
	raw, err := readBounded(c.fsys, checksumFile, maxList)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	var faults []Fault
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); n++ {
		sum, name, ok := strings.Cut(lines.Text(), " ")
		name = strings.TrimPrefix(strings.TrimLeft(name, " "), "*")
		if !ok || !fs.ValidPath(name) {
			faults = append(faults, Fault{}.because(badListLine, Args{"file": checksumFile, "line": n + 1}))
			continue
		}
		got, err := sumFile(c.fsys, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			faults = append(faults, Fault{Segment: name, Second: c.second(name)}.because(badMissing, Args{"file": name}))
		case err != nil:
			return n, nil, err
		case !strings.EqualFold(got, sum):
			faults = append(faults, Fault{Segment: name, Second: c.second(name)}.because(badListSum, Args{"file": name}))
		}
	}
	return n, c.sharper(faults), nil
}

// structure is V1: everything can be read, is in order, and nothing is there undeclared.
func (c *checker) structure() Level {
	if c.end.erased {
		return remains{c}.structure()
	}
	l := Level{Level: "V1", State: Passed}
	faults := append([]Fault(nil), c.Breaks...)
	l.say(saidRead, Args{"leaves": c.Content.Leaves, "segments": len(c.Segments)})
	switch {
	case c.Tail != nil && c.sealed:
		faults = append(faults, *c.Tail)
	case c.Tail != nil:
		l.State = Partial
		l.say(saidTorn, c.Tail.Args)
	case !c.sealed:
		l.State = Partial
		l.say(saidOpen, nil)
	}
	faults = append(faults, c.sharper(c.undeclared())...)
	if c.seal != nil {
		faults = append(faults, c.sealedSizes()...)
	}
	return c.list(l, faults)
}

// sealedSizes compares what was read with the seal's manifest.
func (c *checker) sealedSizes() []Fault {
	got := map[string]proof.ManifestSegment{}
	for _, s := range c.Content.Segments {
		got[s.Name] = s
	}
	var faults []Fault
	for _, want := range c.seal.Segments {
		g, ok := got[want.Name]
		if ok && c.attempt(want.Name) { // no leaf of it counts
			delete(got, want.Name)
			continue
		}
		g.SHA256, want.SHA256 = "", ""
		if !ok || g != want {
			faults = append(faults, c.lastOf(want.Name).because(badSizes, Args{
				"file": want.Name, "valid": g.ValidBytes, "bytes": g.Bytes, "first": g.FirstLeaf, "last": g.LastLeaf,
				"sealedValid": want.ValidBytes, "sealedBytes": want.Bytes, "sealedFirst": want.FirstLeaf, "sealedLast": want.LastLeaf}))
		}
		delete(got, want.Name)
	}
	for _, s := range c.Content.Segments {
		if _, extra := got[s.Name]; extra {
			faults = append(faults, Fault{Second: c.second(s.Name), Segment: s.Name}.because(badUnsealed, Args{"file": s.Name}))
		}
	}
	return c.sharper(faults)
}

// attempt tells whether a segment was left by an attempt that never held a signed byte.
func (c *checker) attempt(name string) bool {
	for _, s := range c.Segments {
		if s.Name == name {
			return !s.Counts
		}
	}
	return false
}

// content is V4: what is encrypted opens with the keys given, as it was sealed, and what stays
// closed is named.
func (c *checker) content(haveKeys bool) Level {
	l := Level{Level: "V4", State: Passed}
	switch {
	case c.end.erased:
		l.State = NotChecked
		remains{c}.say(&l)
		return l
	case c.Encrypted == 0:
		l.say(saidPlain, nil)
		return l
	case !haveKeys:
		l.State = NotChecked
		if c.end.known {
			remains{c}.say(&l)
		} else if len(c.keysGone) > 0 {
			l.say(saidKeysGone, Args{"files": c.keysGone})
		}
		l.say(saidNoContentKey, Args{"blocks": c.Encrypted})
		return l
	case len(c.Withheld) > 0:
		l.State = Partial
	}
	if len(c.keysGone) > 0 {
		l.say(saidKeysGone, Args{"files": c.keysGone})
	}
	l.say(saidOpened, Args{"opened": c.Decrypted, "blocks": c.Encrypted})
	for _, w := range c.Withheld[:min(len(c.Withheld), maxNamed)] {
		l.say(saidWithheld, Args{"stream": c.StreamName(w.Stream), "from": w.From, "to": w.To, "blocks": w.Blocks})
	}
	if n := len(c.Withheld) - maxNamed; n > 0 {
		l.say(saidMoreWithheld, Args{"more": n})
	}
	return c.list(l, c.Foreign)
}

// maxNamed is how many withheld stretches a report names one by one.
const maxNamed = 20

// findings tells what is true of the call without being a fault of its archive.
func (c *checker) findings() {
	m, f := c.Content, &c.report.Findings
	if m.Recoveries > 0 {
		*f = append(*f, say(foundRestarts, Args{"restarts": m.Recoveries}))
	}
	if m.Gaps > 0 {
		*f = append(*f, say(foundGaps, Args{"gaps": m.Gaps}))
	}
	for _, s := range m.Streams {
		if s.Lost > 0 {
			*f = append(*f, say(foundDropped, Args{"stream": c.StreamName(s.ID), "records": s.Lost}))
		}
	}
}
