package cameras

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/media/fmp4"
	"jedel/media/h264"
)

// Order asks for a clip.
type Order struct {
	ID        ident.FileID // chosen by who asks: sent twice it is one clip
	Camera    string
	Recording ident.CallID // what it belongs to
	By        ident.StaffID
	Back      time.Duration // how far it reaches back
	Length    time.Duration // how long it goes on from now
}

// Bounds of a clip.
const (
	MaxBack   = 30 * time.Second
	MaxLength = 2 * time.Minute
	// maxClip bounds one clip in bytes; it is cut there.
	maxClip = 96 << 20
	// gapSlack is how much may be missing at a clip's ends before it counts as a gap: a picture
	// comes at least every second from usual cameras.
	gapSlack = time.Second
	// fragmentTime and fragmentPictures bound one fragment of the file.
	fragmentTime     = 2 * h264.Clock
	fragmentPictures = 120
)

// Gap is a time of which a clip shows nothing, or a picture that stands still.
type Gap struct {
	From, Until time.Time
	Code        Code
}

// Clip says what a clip is. Times are ours.
type Clip struct {
	ID            ident.FileID
	Camera        string
	Name          fault.Text
	Recording     ident.CallID
	By            ident.StaffID
	From, Until   time.Time // what was asked for
	Begins, Ends  time.Time // the first picture's arrival and the last's; zero: there is none
	Pictures      int
	Width, Height int
	Size          int64
	SHA256        string // hex, of the whole file
	Gaps          []Gap
}

// Complete reports whether the clip shows all of the time asked for.
func (c Clip) Complete() bool { return c.Pictures > 0 && len(c.Gaps) == 0 }

// film is the file of a clip while it is made. It lies in memory: recordings never touch the disk
// in the clear. It belongs to its clip's goroutine.
type film struct {
	clip  Clip
	parts [][]byte
	sum   hash.Hash
	pics  []h264.Picture // of the fragment that is being made
	no    uint32
	start int64 // TS of the first picture
	open  *Gap  // a gap that no picture has ended yet
	full  bool
}

func newFilm(c Clip) *film { return &film{clip: c, sum: sha256.New()} }

// take adds a picture or a gap.
func (f *film) take(it item) error {
	if it.gap != "" {
		f.gap(it.gap, f.clip.Ends)
		return nil
	}
	p := it.pic
	if p.At.After(f.clip.Until) || f.full {
		return nil
	}
	if f.clip.Pictures == 0 {
		if !p.Key {
			return nil
		}
		if err := f.begin(p); err != nil {
			return err
		}
	}
	if n := len(f.pics); n > 0 && (p.Key || n >= fragmentPictures || p.TS-f.pics[0].TS >= fragmentTime) {
		if err := f.cut(p.TS); err != nil {
			return err
		}
	}
	if f.open != nil {
		f.open.Until = p.At
		f.clip.Gaps = append(f.clip.Gaps, *f.open)
		f.open = nil
	}
	f.pics = append(f.pics, p)
	f.clip.Pictures++
	f.clip.Ends = p.At
	if f.clip.Size > maxClip {
		f.full = true
		f.gap(NotKept, p.At)
	}
	return nil
}

// gap notes that nothing comes from then on.
func (f *film) gap(why Code, from time.Time) {
	if f.open != nil {
		return
	}
	if from.Before(f.clip.From) {
		from = f.clip.From
	}
	f.open = &Gap{From: from, Code: why}
}

func (f *film) begin(p h264.Picture) error {
	head, err := fmp4.Head(p.Sets(), p.At)
	if err != nil {
		return err
	}
	f.write(head)
	f.clip.Width, f.clip.Height = sizeOf(p.Sets().SPS)
	f.start, f.clip.Begins = p.TS, p.At
	if f.open == nil && p.At.Sub(f.clip.From) > gapSlack {
		f.gap(NotWatched, f.clip.From)
	}
	return nil
}

func (f *film) write(b []byte) {
	f.parts = append(f.parts, b)
	f.sum.Write(b)
	f.clip.Size += int64(len(b))
}

// cut makes a fragment of what came; its last picture is shown until until.
func (f *film) cut(until int64) error {
	if len(f.pics) == 0 {
		return nil
	}
	f.no++
	b, err := fmp4.Fragment(f.no, f.pics, f.start, until)
	if err != nil {
		return err
	}
	f.write(b)
	f.pics = f.pics[:0:0]
	return nil
}

// finish ends the film at a time; why is what is missing where that is before its due end.
func (f *film) finish(at time.Time, why Code) error {
	due := f.clip.Until
	if at.Before(due) {
		f.gap(why, latest(at, f.clip.Ends))
	}
	if f.open == nil && due.Sub(f.clip.Ends) > gapSlack+silence {
		f.gap(Lost, f.clip.Ends)
	}
	if f.open != nil {
		f.open.Until = due
		f.clip.Gaps = append(f.clip.Gaps, *f.open)
		f.open = nil
	}
	if n := len(f.pics); n > 0 {
		if err := f.cut(f.pics[n-1].TS + h264.Clock/25); err != nil {
			return err
		}
	}
	f.clip.SHA256 = hex.EncodeToString(f.sum.Sum(nil))
	return nil
}

// silence is how long after the last picture a stall counts as a gap even if the camera said nothing.
const silence = time.Second

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// reader reads the film from its begin.
func (f *film) reader() io.Reader {
	readers := make([]io.Reader, 0, len(f.parts))
	for _, p := range f.parts {
		readers = append(readers, &partReader{p})
	}
	return io.MultiReader(readers...)
}

// partReader reads one part without changing it.
type partReader struct{ rest []byte }

func (r *partReader) Read(b []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
