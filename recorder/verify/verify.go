package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"jedel/recorder/bag"
	"jedel/recorder/keys"
	plainly "jedel/recorder/plain"
	"jedel/recorder/proof"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/note"
)

// Options are what a verifier brings along.
type Options struct {
	// Keys are the recorder's verifier keys (C2SP form), got from elsewhere than the archive. Without
	// any, signatures are checked with the key the archive itself names, and the report says so.
	Keys []string
	// Ring has keys to the content, all or some. Without any, V4 is not checked.
	Ring *keys.Ring
	// Log is about the site's log and those who signed it.
	Log Log
}

// State is how a level ended.
type State string

// States of a level. Partial means that everything looked at was right, and that not all could be
// looked at.
const (
	Passed     State = "passed"
	Failed     State = "failed"
	Partial    State = "partial"
	NotChecked State = "not_checked"
	Absent     State = "absent" // there is nothing that could be checked
)

// Level is one level of verification (docs/EVIDENCE.md section 5).
type Level struct {
	Level string  `json:"level"` // V0 to V5
	State State   `json:"state"`
	Text  string  `json:"text"` // what was checked, with which key, what was not; in English
	Notes []Note  `json:"notes"`
	Fault *Fault  `json:"fault,omitempty"`
	More  []Fault `json:"more,omitempty"` // further faults, the first of them
}

// say adds a note to the level, and its words to the text.
func (l *Level) say(code Code, args Args) {
	n := say(code, args)
	l.Notes = append(l.Notes, n)
	l.Text = strings.TrimSpace(l.Text + " " + n.Text)
}

// Exit codes: 0 all levels passed, 1 nothing could be read, 2 nothing wrong but not all checked;
// else the sum of the failed levels.
const (
	ExitUnreadable = 1
	ExitPartial    = 2
	ExitV0         = 4
	ExitV1         = 8
	ExitV2         = 16
	ExitV3         = 32
	ExitV4         = 64
	ExitV5         = 128
)

// Report is what was found.
type Report struct {
	Call     string          `json:"call"`
	Number   string          `json:"number"`
	Opened   string          `json:"opened"`
	Seconds  float64         `json:"seconds"` // until the last record
	Sealed   bool            `json:"sealed"`
	Leaves   uint64          `json:"leaves"`
	Root     string          `json:"root"`
	Heads    int             `json:"heads"`
	Keys     []string        `json:"keys"` // used for signatures
	KeyGiven bool            `json:"keyGiven"`
	Levels   []Level         `json:"levels"`
	Findings []Note          `json:"findings"` // true of the call, no fault of the archive
	Manifest *proof.Manifest `json:"manifest,omitempty"`
	Arrivals []Arrival       `json:"arrivals,omitempty"` // what came of each stream; nil where nobody counted
	Exit     int             `json:"exit"`

	streams []proof.ManifestStream // as the archive itself tells
	closed  map[uint16]bool        // streams of which some blocks did not open
	broken  bool                   // some blocks cannot be read
}

// ErrNoArchive means that there is not one segment in the folder.
var ErrNoArchive = errors.New("no archive here")

// Dir verifies the archive in a folder, or that in an exported bag and the bag. It changes nothing and needs no secret. Errors are those of
// the file system, of malformed keys, and ErrNoArchive; what is wrong with the archive is in the
// report.
func Dir(fsys fs.FS, opts Options) (*Report, error) {
	fsys = plainly.Regular(fsys)
	if bag.Is(fsys) {
		return inBag(fsys, opts)
	}
	s, err := Read(fsys, opts.Ring)
	if err != nil {
		return nil, err
	}
	if len(s.Segments) == 0 && !s.sealed {
		return nil, ErrNoArchive
	}
	c := &checker{Survey: s, fsys: fsys, report: &Report{
		Call: plain(s.Content.Call), Number: plain(s.Number), Seconds: float64(s.LastT) / 1e9, Leaves: s.Content.Leaves, Root: s.Content.Root, Heads: len(s.Heads), Findings: []Note{},
	}}
	c.report.streams, c.report.closed, c.report.broken = s.Content.Streams, map[uint16]bool{}, len(s.Breaks)+len(s.Foreign) > 0
	for _, w := range s.Withheld {
		c.report.closed[w.Stream] = true
	}
	if !s.Opened.IsZero() {
		c.report.Opened = s.Opened.UTC().Format(time.RFC3339Nano)
	}
	if err := c.useKeys(opts.Keys); err != nil {
		return nil, err
	}
	if err := c.readSeal(); err != nil {
		return nil, err
	}
	if err := (remains{c}).read(opts.Log); err != nil {
		return nil, err
	}
	if len(s.Segments) == 0 && !c.end.erased {
		return nil, ErrNoArchive
	}
	v0, err := c.files()
	if err != nil {
		return nil, err
	}
	v1, v2 := c.structure(), c.signatures()
	v3, err := c.logged(opts.Log)
	if err != nil {
		return nil, err
	}
	c.report.Levels = []Level{v0, v1, v2, v3, c.content(!opts.Ring.Empty()), derived(nil)}
	c.findings()
	c.report.Exit = exit(c.report.Levels)
	return c.report, nil
}

func exit(levels []Level) int {
	sum, partial := 0, false
	codes := map[string]int{"V0": ExitV0, "V1": ExitV1, "V2": ExitV2, "V3": ExitV3, "V4": ExitV4, "V5": ExitV5}
	for _, l := range levels {
		switch l.State {
		case Failed:
			sum += codes[l.Level]
		case Passed, Absent:
		default:
			partial = true
		}
	}
	if sum == 0 && partial {
		return ExitPartial
	}
	return sum
}

// checker judges one survey.
type checker struct {
	*Survey
	fsys      fs.FS
	report    *Report
	verifiers note.Verifiers
	keys      []string
	given     bool

	end      ending          // by whose word keys, and perhaps segments, are gone
	keysGone []string        // files of keys that are not there any more
	seal     *proof.Manifest // nil where it cannot be read
	sealErr  error
}

func (c *checker) useKeys(keys []string) error {
	c.given = len(keys) > 0
	if !c.given {
		keys = c.Signers
		if len(c.Segments) == 0 {
			var err error
			if keys, err = (remains{c}).signers(); err != nil {
				return err
			}
		}
	}
	var list []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(strings.TrimSpace(k))
		if err != nil && c.given {
			return fmt.Errorf("key %q: %w", k, err)
		}
		if err == nil {
			list = append(list, v)
			c.keys = append(c.keys, fmt.Sprintf("%s+%08x", v.Name(), v.KeyHash()))
		}
	}
	c.verifiers = note.VerifierList(list...)
	c.report.Keys, c.report.KeyGiven = c.keys, c.given
	return nil
}

// open checks a signed note with the keys in use.
func (c *checker) open(raw []byte) (string, error) { return proof.OpenAny(raw, c.verifiers) }

// maxSeal bounds a seal in bytes.
const maxSeal = 64 << 20

var errSeal = errors.New("not a seal")

// parseSeal reads a seal's note text. Text in any but its one canonical form is refused.
func parseSeal(text string) (proof.Manifest, error) {
	var m proof.Manifest
	body, ok := strings.CutPrefix(text, proof.SealPrefix)
	if !ok {
		return m, errSeal
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("%w: %w", errSeal, err)
	}
	raw, err := jcs.Transform([]byte(strings.TrimSuffix(body, "\n")))
	if err != nil || string(raw)+"\n" != body {
		return m, fmt.Errorf("%w: not in canonical form", errSeal)
	}
	return m, nil
}

// readSeal reads the manifest. Whether its signature holds is judged by signatures.
func (c *checker) readSeal() error {
	raw, err := readBounded(c.fsys, "seal.note", maxSeal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c.report.Sealed = true
	text, ok := noteText(raw)
	if !ok {
		c.sealErr = errSeal
		return nil
	}
	m, err := parseSeal(text)
	if err != nil {
		c.sealErr = err
		return nil
	}
	c.seal, c.report.Manifest = &m, &m
	if _, err := c.open(raw); err != nil {
		c.sealErr = err
	}
	return nil
}

// fault names the stream of a fault.
func (c *checker) fault(f Fault) *Fault {
	f.Name = c.StreamName(f.Stream)
	return &f
}

// list makes a level of faults, of which the first is the one reported.
func (c *checker) list(l Level, faults []Fault) Level {
	if len(faults) == 0 {
		return l
	}
	l.State, l.Fault = Failed, c.fault(faults[0])
	for _, f := range faults[1:min(len(faults), 20)] {
		l.More = append(l.More, *c.fault(f))
	}
	if n := len(faults); n > 1 {
		l.say(saidMoreFaults, Args{"faults": n})
	}
	return l
}

// signatures is V2: every head and the seal are signed and say what the tree says.
func (c *checker) signatures() Level {
	l := Level{Level: "V2", State: Passed}
	var faults []Fault
	good, covered := 0, uint64(0)
	var last proof.Head
	var lastSecond float64
	roots := map[uint64][]byte{}
	for i, h := range c.Heads {
		here := Fault{Second: lastSecond}
		complain := func(code Code, args Args) {
			args["head"] = h.No
			faults = append(faults, here.because(code, args))
		}
		if _, err := c.open(h.Raw); err != nil || h.Err != nil {
			complain(badHead, Args{"cause": cause(errors.Join(err, h.Err))})
			continue
		}
		here.Second = float64(h.Mono) / 1e9
		root, reached := c.Root(i)
		if c.end.erased && !reached {
			root, reached = h.Root, true
		}
		switch {
		case !strings.HasSuffix(h.Origin, "/call/"+c.Content.Call):
			complain(badHeadOrigin, Args{"origin": plain(h.Origin)})
		case h.Mono < last.Mono || h.Size < last.Size:
			complain(badHeadBack, Args{"leaves": h.Size, "at": float64(h.Mono) / 1e9, "leavesBefore": last.Size, "before": float64(last.Mono) / 1e9})
		case i > 0 && bytes.Equal(h.Raw, c.Heads[i-1].Raw):
			complain(badHeadTwice, Args{})
		case roots[h.Size] != nil && !bytes.Equal(roots[h.Size], h.Root):
			complain(badHeadFork, Args{"leaves": h.Size})
		case c.end.erased && remains{c}.head(h) == badHeadFork:
			complain(badHeadFork, Args{"leaves": h.Size})
		case c.end.erased && remains{c}.head(h) == badHeadGone:
			complain(badHeadGone, Args{"leaves": h.Size, "size": c.seal.Leaves})
		case !reached && c.Tree.Size() < h.Size && len(c.Breaks) > 0:
			here = c.told.last.put(here)
			complain(badHeadBroken, Args{"leaf": c.Tree.Size(), "from": here.Second})
		case !reached && c.Tail != nil:
			here = *c.Tail
			complain(badHeadTorn, Args{"leaves": h.Size, "size": c.Tree.Size(), "file": c.Tail.Segment, "offset": c.Tail.Offset, "cause": c.Tail.Args["cause"]})
		case !reached:
			here.Segment = c.lastSegment()
			complain(badHeadGone, Args{"leaves": h.Size, "size": c.Tree.Size()})
		case !bytes.Equal(root, h.Root):
			here = h.span.put(here)
			complain(badHeadRoot, Args{"leaves": h.Size, "from": here.Second, "to": float64(h.Mono) / 1e9, "span": h.span.leaves, "streams": c.names4(h.span.streams)})
		default:
			good++
			covered = max(covered, h.Size)
		}
		roots[h.Size], last, lastSecond = h.Root, h.Head, float64(h.Mono)/1e9
	}
	var seal []Fault
	if c.sealed {
		if c.TornHeads > 0 {
			faults = append(faults, Fault{Second: lastSecond}.because(badHeadsTail, Args{"bytes": c.TornHeads}))
		}
		seal = c.checkSeal(Fault{Second: c.report.Seconds})
	}
	said := saidHeads
	if c.end.erased {
		l.State, said = Partial, saidErasedHeads
	}
	l.say(said, Args{"good": good, "heads": len(c.Heads)})
	c.describe(&l, len(seal) == 0, covered)
	return c.list(l, append(faults, seal...))
}

// put gives a fault the place of a span.
func (s span) put(f Fault) Fault {
	f.Stream, f.Second = s.place()
	f.Segment, f.Offset = s.segment, s.offset
	return f
}

// place tells where a span begins; the stream only where there is one.
func (s span) place() (uint16, float64) {
	stream := uint16(0)
	if len(s.streams) == 1 {
		stream = s.streams[0]
	}
	return stream, float64(s.from) / 1e9
}

func (c *checker) names4(ids []uint16) []string {
	var names []string
	for _, id := range ids[:min(len(ids), 4)] {
		names = append(names, c.StreamName(id))
	}
	return names
}

// describe says what V2 covered and what it did not, and with which key.
func (c *checker) describe(l *Level, seal bool, covered uint64) {
	switch {
	case !c.sealed:
		l.State = Partial
		l.say(saidUnsealed, Args{"covered": covered, "leaves": c.Content.Leaves})
		if c.TornHeads > 0 {
			l.say(saidTornHead, Args{"bytes": c.TornHeads})
		}
	case seal:
		l.say(saidSealSigns, nil)
	}
	switch {
	case c.given:
		l.say(saidKeyGiven, Args{"keys": c.keys})
	case len(c.keys) > 0:
		l.State = Partial
		l.say(saidKeyOwn, Args{"keys": c.keys})
	default:
		l.State = Partial
		l.say(saidKeyNone, nil)
	}
}

// checkSeal compares the seal with the tree. Its one fault, if there is one, stands at end.
func (c *checker) checkSeal(end Fault) []Fault {
	say := func(code Code, args Args) []Fault { return []Fault{end.because(code, args)} }
	switch {
	case c.sealErr != nil:
		return say(badSeal, Args{"cause": cause(c.sealErr)})
	case c.seal.Call != c.Content.Call:
		return say(badSealCall, Args{"call": plain(c.seal.Call)})
	case len(c.Breaks) > 0:
		end = c.Breaks[0]
		return say(badSealBroken, Args{"leaf": c.Tree.Size(), "leaves": c.seal.Leaves})
	case c.seal.Leaves != c.Content.Leaves:
		return say(badSealLeaves, Args{"sealed": c.seal.Leaves, "leaves": c.Content.Leaves})
	case c.seal.Root != c.Content.Root:
		return say(badSealRoot, nil)
	case c.seal.Heads != len(c.Heads):
		return say(badSealHeadCount, Args{"sealed": c.seal.Heads, "heads": len(c.Heads)})
	}
	return nil
}
