package derive

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
)

// chapter is a stretch of a file with losses.
type chapter struct {
	from, to time.Duration // since the beginning of the file
	title    string
}

const (
	// maxChapters bounds the stretches that a file names; of more it names the longest.
	maxChapters = 400
	// maxMarks bounds the marks of an MP4 file, which counts them in a byte: two for each stretch.
	maxMarks = 255
)

// chapters lists the losses of a participant for the file to play, in the order of time.
func (p *part) chapters(limit int) []chapter {
	var out []chapter
	for _, f := range p.faults() {
		c := chapter{from: max(0, f.From-ns(p.start)), to: f.To - ns(p.start)}
		if f.Cause != CauseLoss || c.to <= c.from {
			continue
		}
		what := "sound lost"
		if f.Kind == "video" {
			what = "pictures damaged after a loss"
		}
		c.title = fmt.Sprintf("%s: %d.%03d s, %d packets", what, (c.to-c.from)/time.Second, (c.to-c.from)/time.Millisecond%1000, f.Packets)
		out = append(out, c)
	}
	if len(out) > limit {
		slices.SortStableFunc(out, func(a, b chapter) int { return cmp.Compare(b.to-b.from, a.to-a.from) })
		out = out[:limit]
		slices.SortStableFunc(out, func(a, b chapter) int { return cmp.Compare(a.from, b.from) })
	}
	return out
}

// webmChapters is the Chapters element (RFC 9559 section 5.1.7), or nothing.
func (p *part) webmChapters() []byte {
	var atoms []byte
	for i, c := range p.chapters(maxChapters) {
		b := appendUint(nil, idChapterUID, uint64(i+1))
		b = appendUint(b, idChapterTimeStart, uint64(c.from))
		b = appendUint(b, idChapterTimeEnd, uint64(c.to))
		d := appendText(nil, idChapString, c.title)
		b = master(b, idChapterDisplay, appendText(d, idChapLanguage, "eng"))
		atoms = master(atoms, idChapterAtom, b)
	}
	if len(atoms) == 0 {
		return nil
	}
	return master(nil, idChapters, master(nil, idEditionEntry, atoms))
}

// mp4Chapters is the box with the marks that players know as chapters, or nil: where each loss begins,
// and where it ends.
func (p *part) mp4Chapters() mp4.Box {
	marks, body := 0, []byte(nil)
	mark := func(at time.Duration, title string) {
		body = binary.BigEndian.AppendUint64(body, uint64(at/100))
		body = append(append(body, byte(len(title))), title...)
		marks++
	}
	end := time.Duration(0)
	for _, c := range p.chapters(maxMarks / 2) {
		if c.from < end { // of the other track: it is in the timeline
			continue
		}
		mark(c.from, c.title)
		mark(c.to, "received")
		end = c.to
	}
	if marks == 0 {
		return nil
	}
	head := append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, byte(marks))
	udta := &mp4.UdtaBox{}
	payload := append(head, body...)
	udta.AddChild(mp4.CreateUnknownBox("chpl", uint64(8+len(payload)), payload))
	return udta
}
