package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"jedel/recorder/proof"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/note"
)

// Options are what a verifier brings along.
type Options struct {
	// Keys are the recorder's verifier keys (C2SP form), got from elsewhere than the archive. Without
	// any, signatures are checked with the key the archive itself names, and the report says so.
	Keys []string
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
)

// Level is one level of verification (docs/EVIDENCE.md section 5).
type Level struct {
	Level string  `json:"level"` // V0, V1, V2
	State State   `json:"state"`
	Text  string  `json:"text"` // what was checked, with which key, what was not
	Fault *Fault  `json:"fault,omitempty"`
	More  []Fault `json:"more,omitempty"` // further faults, the first of them
}

// Exit codes: 0 all levels passed, 1 nothing could be read, 2 nothing wrong but not all checked;
// else the sum of the failed levels.
const (
	ExitUnreadable = 1
	ExitPartial    = 2
	ExitV0         = 4
	ExitV1         = 8
	ExitV2         = 16
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
	Findings []string        `json:"findings"` // true of the call, no fault of the archive
	Manifest *proof.Manifest `json:"manifest,omitempty"`
	Exit     int             `json:"exit"`
}

// ErrNoArchive means that there is not one segment in the folder.
var ErrNoArchive = errors.New("no archive here")

// Dir verifies the archive in a folder. It changes nothing and needs no secret. Errors are those of
// the file system, of malformed keys, and ErrNoArchive; what is wrong with the archive is in the
// report.
func Dir(fsys fs.FS, opts Options) (*Report, error) {
	s, err := Read(fsys)
	if err != nil {
		return nil, err
	}
	if len(s.Segments) == 0 {
		return nil, ErrNoArchive
	}
	c := &checker{Survey: s, fsys: fsys, report: &Report{
		Call: plain(s.Content.Call), Number: plain(s.Number), Seconds: float64(s.LastT) / 1e9, Leaves: s.Content.Leaves, Root: s.Content.Root, Heads: len(s.Heads),
	}}
	if !s.Opened.IsZero() {
		c.report.Opened = s.Opened.UTC().Format(time.RFC3339Nano)
	}
	if err := c.useKeys(opts.Keys); err != nil {
		return nil, err
	}
	if err := c.readSeal(); err != nil {
		return nil, err
	}
	v0, err := c.files()
	if err != nil {
		return nil, err
	}
	c.report.Levels = []Level{v0, c.structure(), c.signatures()}
	c.findings()
	c.report.Exit = exit(c.report.Levels)
	return c.report, nil
}

func exit(levels []Level) int {
	sum, partial := 0, false
	for i, l := range levels {
		switch l.State {
		case Failed:
			sum += ExitV0 << i
		case Passed:
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

	seal    *proof.Manifest // nil where it cannot be read
	sealErr error
}

func (c *checker) useKeys(keys []string) error {
	c.given = len(keys) > 0
	if !c.given {
		keys = c.Signers
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
		l.Text += fmt.Sprintf(" %d faults.", n)
	}
	return l
}

// signatures is V2: every head and the seal are signed and say what the tree says.
func (c *checker) signatures() Level {
	l := Level{Level: "V2", State: Passed}
	var faults []Fault
	end := Fault{Second: c.report.Seconds}
	good, covered := 0, uint64(0)
	var last proof.Head
	var lastSecond float64
	roots := map[uint64][]byte{}
	for i, h := range c.Heads {
		here := Fault{Second: lastSecond}
		complain := func(format string, args ...any) {
			here.What = fmt.Sprintf("head %d: ", h.No) + fmt.Sprintf(format, args...)
			faults = append(faults, here)
		}
		if _, err := c.open(h.Raw); err != nil || h.Err != nil {
			complain("%v", errors.Join(err, h.Err))
			continue
		}
		here.Second = float64(h.Mono) / 1e9
		root, reached := c.Root(i)
		switch {
		case !strings.HasSuffix(h.Origin, "/call/"+c.Content.Call):
			complain("signed for %s", plain(h.Origin))
		case h.Mono < last.Mono || h.Size < last.Size:
			complain("goes back: %d leaves at %.3f s after %d at %.3f s", h.Size, float64(h.Mono)/1e9, last.Size, float64(last.Mono)/1e9)
		case roots[h.Size] != nil && !bytes.Equal(roots[h.Size], h.Root):
			complain("another root for %d leaves: two histories of one call", h.Size)
		case !reached && c.Tree.Size() < h.Size && len(c.Breaks) > 0:
			here = c.Breaks[0]
			complain("cannot be compared: the tree breaks off at leaf %d", c.Tree.Size())
		case !reached && c.Tail != nil:
			here = *c.Tail
			complain("signs %d leaves, the archive can be read up to %d: %s", h.Size, c.Tree.Size(), c.Tail.What)
		case !reached:
			complain("signs %d leaves, the archive has %d: durable bytes are gone", h.Size, c.Tree.Size())
		case !bytes.Equal(root, h.Root):
			here.Stream, here.Second = h.span.place()
			complain("another root for %d leaves: changed between %.3f s and %.3f s, in one of %d leaves of %s",
				h.Size, here.Second, float64(h.Mono)/1e9, h.span.leaves, c.names4(h.span.streams))
		default:
			good++
			covered = max(covered, h.Size)
		}
		roots[h.Size], last, lastSecond = h.Root, h.Head, float64(h.Mono)/1e9
	}
	if c.sealed {
		if c.TornHeads > 0 {
			faults = append(faults, Fault{Second: lastSecond, What: fmt.Sprintf("heads: %d bytes after the last head", c.TornHeads)})
		}
		faults = append(faults, c.checkSeal(end)...)
	}
	c.describe(&l, good, covered)
	return c.list(l, faults)
}

// place tells where the first leaf of a span stands; the stream only where there is one.
func (s span) place() (uint16, float64) {
	stream := uint16(0)
	if len(s.streams) == 1 {
		stream = s.streams[0]
	}
	return stream, float64(s.from) / 1e9
}

func (c *checker) names4(ids []uint16) string {
	var names []string
	for _, id := range ids[:min(len(ids), 4)] {
		names = append(names, c.StreamName(id))
	}
	return strings.Join(names, ", ")
}

// describe says what V2 covered and what it did not.
func (c *checker) describe(l *Level, good int, covered uint64) {
	l.Text = fmt.Sprintf("%d of %d heads signed and equal to the tree", good, len(c.Heads))
	if c.sealed {
		l.Text += "; the seal signs all leaves"
	} else {
		l.State = Partial
		l.Text += fmt.Sprintf("; not sealed: %d of %d leaves are covered by a signature", covered, c.Content.Leaves)
	}
	with := strings.Join(c.keys, ", ")
	if with == "" {
		with = "no key at all"
	}
	if c.given {
		l.Text += ". Checked with the given key " + with + "."
		return
	}
	l.State = Partial
	l.Text += ". Checked only with the key found in the archive itself (" + with + "): give the recorder's key to know who signed."
}

// checkSeal compares the seal with the tree.
func (c *checker) checkSeal(end Fault) []Fault {
	say := func(format string, args ...any) []Fault {
		end.What = "seal.note: " + fmt.Sprintf(format, args...)
		return []Fault{end}
	}
	switch {
	case c.sealErr != nil:
		return say("%v", c.sealErr)
	case c.seal.Call != c.Content.Call:
		return say("seals call %s", plain(c.seal.Call))
	case len(c.Breaks) > 0:
		end = c.Breaks[0]
		return say("cannot be compared: the tree breaks off at leaf %d of %d", c.Tree.Size(), c.seal.Leaves)
	case c.seal.Leaves != c.Content.Leaves:
		return say("seals %d leaves, the archive has %d", c.seal.Leaves, c.Content.Leaves)
	case c.seal.Root != c.Content.Root:
		return say("seals another root")
	case c.seal.Heads != len(c.Heads):
		return say("seals %d heads, there are %d", c.seal.Heads, len(c.Heads))
	}
	return nil
}
