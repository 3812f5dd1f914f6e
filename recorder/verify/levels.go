package verify

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"jedel/recorder/proof"
)

// checksumFile is what sha256sum writes; exports have one.
const checksumFile = "manifest-sha256.txt"

// files is V0: the checksums of files, as the seal and a checksum list have them.
func (c *checker) files() (Level, error) {
	l := Level{Level: "V0", State: Passed}
	var faults []Fault
	if c.seal != nil {
		faults = c.sealedFiles()
		l.Text = fmt.Sprintf("SHA-256 of %d segments compared with the seal.", len(c.seal.Segments))
	}
	listed, more, err := c.listedFiles()
	if err != nil {
		return l, err
	}
	if listed > 0 {
		l.Text = strings.TrimSpace(fmt.Sprintf("%s SHA-256 of %d files compared with %s.", l.Text, listed, checksumFile))
	}
	if c.seal == nil && listed == 0 {
		l.State, l.Text = NotChecked, "There is no list of checksums: the call is not sealed and not exported."
		if c.sealed {
			l.Text = "The seal cannot be read, and there is no other list of checksums."
		}
	}
	return c.list(l, append(faults, more...)), nil
}

// sealedFiles compares files with the seal's manifest.
func (c *checker) sealedFiles() []Fault {
	var faults []Fault
	complain := func(second float64, name, format string, args ...any) {
		faults = append(faults, Fault{Second: second, Segment: name, What: name + ": " + fmt.Sprintf(format, args...)})
	}
	segments := map[string]proof.ManifestSegment{}
	for _, s := range c.Content.Segments {
		segments[s.Name] = s
	}
	for _, want := range c.seal.Segments {
		got, ok := segments[want.Name]
		delete(segments, want.Name)
		at := c.second(want.Name)
		switch {
		case !ok:
			complain(at, want.Name, "is missing")
		case got.Bytes != want.Bytes:
			complain(at, want.Name, "has %d bytes, sealed were %d", got.Bytes, want.Bytes)
		case got.SHA256 != want.SHA256:
			complain(at, want.Name, "has another SHA-256 than sealed")
		}
	}
	for _, extra := range c.Content.Segments {
		if _, left := segments[extra.Name]; left {
			complain(c.second(extra.Name), extra.Name, "was not there when the call was sealed")
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

// second returns when a segment begins.
func (c *checker) second(name string) float64 {
	for _, s := range c.Segments {
		if s.Name == name && s.Err == nil {
			return float64(s.Header.Mono0) / 1e9
		}
	}
	return 0
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
			faults = append(faults, Fault{What: fmt.Sprintf("%s: line %d is none", checksumFile, n+1)})
			continue
		}
		got, err := sumFile(c.fsys, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			faults = append(faults, Fault{Segment: name, What: name + " is missing", Second: c.second(name)})
		case err != nil:
			return n, nil, err
		case !strings.EqualFold(got, sum):
			faults = append(faults, Fault{Segment: name, What: name + " has another SHA-256 than listed", Second: c.second(name)})
		}
	}
	return n, c.sharper(faults), nil
}

// structure is V1: everything can be read, is in order, and nothing is there undeclared.
func (c *checker) structure() Level {
	l := Level{Level: "V1", State: Passed}
	faults := append([]Fault(nil), c.Breaks...)
	blocks := c.Content.Leaves
	l.Text = fmt.Sprintf("%d leaves in %d segments read: checksums, order, times.", blocks, len(c.Segments))
	switch {
	case c.Tail != nil && c.sealed:
		faults = append(faults, *c.Tail)
	case c.Tail != nil:
		l.State = Partial
		l.Text += fmt.Sprintf(" The last segment ends torn (%s): the recorder was stopped, or is writing.", c.Tail.What)
	case !c.sealed:
		l.State = Partial
		l.Text += " Not sealed: whether something is missing at the end cannot be told."
	}
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
			faults = append(faults, Fault{Second: c.second(want.Name), Segment: want.Name, What: fmt.Sprintf(
				"%s: %d of %d bytes count with leaves %d to %d; sealed were %d of %d with %d to %d",
				want.Name, g.ValidBytes, g.Bytes, g.FirstLeaf, g.LastLeaf, want.ValidBytes, want.Bytes, want.FirstLeaf, want.LastLeaf)})
		}
		delete(got, want.Name)
	}
	for _, s := range c.Content.Segments {
		if _, extra := got[s.Name]; extra {
			faults = append(faults, Fault{Second: c.second(s.Name), Segment: s.Name, What: s.Name + " is not in the seal"})
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

// findings tells what is true of the call without being a fault of its archive.
func (c *checker) findings() {
	m := c.Content
	say := func(n int, text string) {
		if n > 0 {
			c.report.Findings = append(c.report.Findings, fmt.Sprintf(text, n))
		}
	}
	say(m.Recoveries, "The recorder was restarted %d times during the call.")
	say(m.Gaps, "The recorder itself declares %d gaps.")
	for _, s := range m.Streams {
		if s.Lost > 0 {
			c.report.Findings = append(c.report.Findings, fmt.Sprintf("%s: %d records were dropped by the recorder.", c.StreamName(s.ID), s.Lost))
		}
	}
	c.report.Findings = append(c.report.Findings, "Not checked here: site log and witnesses (V3), decryption (V4), derived files (V5).")
}
