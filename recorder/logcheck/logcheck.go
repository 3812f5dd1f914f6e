// Package logcheck reads a whole site log as a stranger would: it builds the tree anew, holds it
// against what was signed and seen before, and asks of each recording whether it is still there.
package logcheck

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/proof"
	"jedel/recorder/verify"

	"github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
)

// Code is a kind of problem; codes are never renamed.
type Code string

// Kinds of problems.
const (
	BadStatement Code = "statement"   // a statement cannot be read
	Rewritten    Code = "rewritten"   // the statements are not what was signed or seen
	BadTile      Code = "tile"        // a stored tile is not that of the statements
	Fork         Code = "fork"        // two histories of one recording
	Back         Code = "back"        // a recording went back
	AfterSeal    Code = "after_seal"  // a recording grew after its seal
	Gone         Code = "gone"        // a recording of the log is not there
	Unknown      Code = "unknown"     // a recording the log knows nothing of
	Shorter      Code = "shorter"     // a recording has less than the log has a head of
	OtherSeal    Code = "other_seal"  // a recording has another seal than the log
	Unsaid       Code = "unsaid"      // a seal the log has not
	RowChanged   Code = "row_changed" // a line of the audit is not what the log has a hash of
	RowGone      Code = "row_gone"    // the log has a line that the audit has not
	RowUnsaid    Code = "row_unsaid"  // a line says it is in the log and is not
)

// Problem is something wrong.
type Problem struct {
	Code  Code   `json:"code"`
	Index uint64 `json:"index,omitempty"` // of the statement
	Call  string `json:"call,omitempty"`
	Text  string `json:"text"`
}

// Reasons why a log cannot be checked at all.
var (
	ErrGone = errors.New("the log is not whole")
	ErrKey  = errors.New("not a key")
)

// Config says what is checked, against what.
type Config struct {
	Dir      fs.FS             // of the log
	Archives fs.FS             // with calls/YYYY/MM/DD/ID below it; nil: recordings are not looked at
	Keys     []string          // of the log (C2SP form), got from elsewhere than the log
	Policy   string            // of its witnesses; empty: they are not asked for
	Older    [][]byte          // checkpoints that were seen before
	Rows     map[uint64]string // of the audit, by their place in the log; nil: the audit is not looked at
	Progress func(done, of uint64)
}

// Report is what was found.
type Report struct {
	Origin     string                 `json:"origin"`
	Size       uint64                 `json:"size"`
	Root       string                 `json:"root"`
	From       time.Time              `json:"from"`
	To         time.Time              `json:"to"`
	Kinds      map[proof.LeafKind]int `json:"kinds"`
	Recordings int                    `json:"recordings"` // looked at
	Compared   int                    `json:"compared"`   // earlier checkpoints
	Rows       int                    `json:"rows"`       // lines of the audit
	Witnessed  bool                   `json:"witnessed"`
	Policy     bool                   `json:"policy"` // one was given
	Silent     []Silence              `json:"silent"`
	Problems   []Problem              `json:"problems"`
	More       int                    `json:"more"` // problems beyond those listed
}

// maxProblems bounds the list.
const maxProblems = 1000

// checker is one run.
type checker struct {
	Config
	report *Report
	keys   note.Verifiers
	seen   map[uint64][]seen // earlier roots by size
}

// seen is a root that the log had at some size, by somebody's account.
type seen struct {
	root []byte
	by   string
}

// Check reads the whole log. It changes nothing, and the gateway may run meanwhile.
func Check(ctx context.Context, cfg Config) (*Report, error) {
	c := &checker{Config: cfg, report: &Report{Silent: []Silence{}, Problems: []Problem{}}, seen: map[uint64][]seen{}}
	if err := c.useKeys(); err != nil {
		return nil, err
	}
	raw, err := fs.ReadFile(cfg.Dir, "checkpoint")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	text, err := proof.OpenAny(raw, c.keys)
	if err != nil {
		return nil, fmt.Errorf("%w: checkpoint: %w", ErrGone, err)
	}
	now, err := proof.ParseCheckpoint(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	c.report.Origin, c.report.Size, c.report.Root = now.Origin, now.Size, base64.StdEncoding.EncodeToString(now.Root)
	if err := c.gather(now); err != nil {
		return nil, err
	}
	s, err := c.walk(ctx, now)
	if err != nil {
		return nil, err
	}
	if c.Archives != nil {
		if err := c.recordings(ctx, s); err != nil {
			return nil, err
		}
	}
	c.audit(s)
	c.report.Kinds, c.report.From, c.report.To, c.report.Silent = s.kinds, s.first, s.last, append(c.report.Silent, s.silent...)
	return c.report, nil
}

func (c *checker) useKeys() error {
	var list []note.Verifier
	for _, k := range c.Keys {
		v, err := note.NewVerifier(strings.TrimSpace(k))
		if err != nil {
			return fmt.Errorf("%w: %q: %w", ErrKey, k, err)
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		return fmt.Errorf("%w: none was given", ErrKey)
	}
	c.keys = note.VerifierList(list...)
	return nil
}

func (c *checker) bad(p Problem) {
	if len(c.report.Problems) == maxProblems {
		c.report.More++
		return
	}
	c.report.Problems = append(c.report.Problems, p)
}

// gather collects what the log said of itself before: checkpoints given, the last one that witnesses
// signed, and those in the proofs of each recording.
func (c *checker) gather(now proof.Checkpoint) error {
	c.remember(now.Size, now.Root, "the checkpoint")
	for i, raw := range c.Older {
		if err := c.earlier(raw, "checkpoint "+strconv.Itoa(i+1)+" given"); err != nil {
			return err
		}
	}
	if raw, err := fs.ReadFile(c.Dir, "witnessed"); err == nil {
		if err := c.earlier(raw, "the last witnessed checkpoint"); err != nil {
			return err
		}
		if c.Policy != "" {
			g, err := witness.ParsePolicy([]byte(c.Policy))
			if err != nil {
				return fmt.Errorf("witness policy: %w", err)
			}
			c.report.Policy, c.report.Witnessed = true, g.Satisfied(raw)
		}
	}
	if c.Archives == nil {
		return nil
	}
	dirs, err := fs.Glob(c.Archives, "calls/*/*/*/*")
	if err != nil {
		return fmt.Errorf("archives: %w", err)
	}
	for _, d := range dirs {
		for _, name := range []string{verify.SealProof, verify.OpenProof} {
			raw, err := fs.ReadFile(c.Archives, d+"/"+name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("archives: %w", err)
			}
			p, err := proof.ParseLogged(raw)
			if err != nil {
				c.bad(Problem{Code: Rewritten, Call: path.Base(d), Text: d + "/" + name + " cannot be read"})
				continue
			}
			if err := c.earlier(p.Checkpoint, d+"/"+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// earlier takes a checkpoint that was seen before. One that the log's key has not signed says nothing.
func (c *checker) earlier(raw []byte, by string) error {
	text, err := proof.OpenAny(raw, c.keys)
	if err != nil {
		c.bad(Problem{Code: Rewritten, Text: by + " is not signed by the log: " + err.Error()})
		return nil
	}
	cp, err := proof.ParseCheckpoint(text)
	if err != nil {
		c.bad(Problem{Code: Rewritten, Text: by + ": " + err.Error()})
		return nil
	}
	c.remember(cp.Size, cp.Root, by)
	c.report.Compared++
	return nil
}

func (c *checker) remember(size uint64, root []byte, by string) {
	for _, s := range c.seen[size] {
		if bytes.Equal(s.root, root) {
			return
		}
	}
	c.seen[size] = append(c.seen[size], seen{root, by})
}

// walk builds the tree anew and takes in the statements.
func (c *checker) walk(ctx context.Context, now proof.Checkpoint) (*story, error) {
	wanted := map[uint64]bool{}
	for size := range c.seen {
		wanted[size] = true
	}
	s := newStory(c.bad)
	t := newTree(c.Dir, wanted, func(what string) { c.bad(Problem{Code: BadTile, Text: what}) })
	err := entries(c.Dir, now.Size, func(index uint64, raw []byte) error {
		if c.Progress != nil && index%(1<<16) == 0 {
			c.Progress(index, now.Size)
		}
		s.take(index, raw)
		return errors.Join(ctx.Err(), t.add(raw))
	})
	switch {
	case errors.Is(err, ErrGone):
		c.bad(Problem{Code: Rewritten, Text: err.Error()})
	case err != nil:
		return nil, err
	default:
		if err := t.end(); err != nil {
			return nil, err
		}
	}
	for _, size := range slices.Sorted(func(yield func(uint64) bool) {
		for size := range c.seen {
			if !yield(size) {
				return
			}
		}
	}) {
		for _, was := range c.seen[size] {
			switch root, ok := t.roots[size]; {
			case size > now.Size:
				c.bad(Problem{Code: Rewritten, Text: fmt.Sprintf("%s has seen %d statements, the log has %d", was.by, size, now.Size)})
			case size > 0 && (!ok || !bytes.Equal(root, was.root)):
				c.bad(Problem{Code: Rewritten, Text: fmt.Sprintf("the first %d statements are not those of which %s has the root", size, was.by)})
			}
		}
	}
	return s, nil
}

// audit holds the lines of the audit against their hashes.
func (c *checker) audit(s *story) {
	if c.Rows == nil {
		return
	}
	c.report.Rows = len(c.Rows)
	for index, row := range c.Rows {
		switch said, ok := s.rows[index]; {
		case !ok && index < c.report.Size:
			c.bad(Problem{Code: RowUnsaid, Index: index, Text: fmt.Sprintf("a line of the audit says it is statement %d, which is about something else", index)})
		case ok && said != row:
			c.bad(Problem{Code: RowChanged, Index: index, Text: fmt.Sprintf("the line of the audit at statement %d was changed", index)})
		}
	}
	for index := range s.rows {
		if _, ok := c.Rows[index]; !ok {
			c.bad(Problem{Code: RowGone, Index: index, Text: fmt.Sprintf("the line of the audit at statement %d is gone", index)})
		}
	}
}

// recordings asks of each recording whether what the log says of it is there, and of each folder
// whether the log knows it.
func (c *checker) recordings(ctx context.Context, s *story) error {
	dirs, err := fs.Glob(c.Archives, "calls/*/*/*/*")
	if err != nil {
		return fmt.Errorf("archives: %w", err)
	}
	there := map[part]bool{}
	for _, d := range dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, ok := partOf(path.Base(d))
		if !ok {
			continue
		}
		there[p] = true
		c.report.Recordings++
		if err := c.recording(d, p, s.calls[p]); err != nil {
			return err
		}
	}
	for p, t := range s.calls {
		if !there[p] && !t.destroyed && (t.begun || t.size > 0) {
			c.bad(Problem{Code: Gone, Call: string(p.call), Text: fmt.Sprintf("the recording of call %s is gone: the log has %d leaves of it and no destruction", p.call, t.size)})
		}
	}
	return nil
}

// partOf reads the name of an archive's folder: the call, and a number from its second part on.
func partOf(name string) (part, bool) {
	id, rest, more := strings.Cut(name, ".")
	call, err := ident.Parse[ident.CallID](id)
	if err != nil {
		return part{}, false
	}
	if !more {
		return part{call, 1}, true
	}
	n, err := strconv.ParseUint(rest, 10, 31)
	return part{call, n}, err == nil
}

func (c *checker) recording(dir string, p part, t *told) error {
	bad := func(code Code, text string) {
		c.bad(Problem{Code: code, Call: string(p.call), Text: dir + ": " + text})
	}
	if t == nil {
		bad(Unknown, "the log knows nothing of this recording")
		return nil
	}
	raw, err := fs.ReadFile(c.Archives, dir+"/seal.note")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if t.sealed {
			bad(OtherSeal, "its seal is gone: the log has one")
		}
		return nil
	case err != nil:
		return fmt.Errorf("archives: %w", err)
	}
	text, _, _ := bytes.Cut(raw, []byte("\n\n"))
	var m proof.Manifest
	if json.Unmarshal(bytes.TrimPrefix(text, []byte(proof.SealPrefix)), &m) != nil {
		bad(OtherSeal, "its seal cannot be read")
		return nil
	}
	switch {
	case !t.sealed:
		bad(Unsaid, "its seal is not in the log, or not yet")
	case m.Root != t.sealRoot:
		bad(OtherSeal, "its seal is not the one that the log has")
	case m.Leaves < t.size:
		bad(Shorter, fmt.Sprintf("the log has a head of %d leaves, its seal %d", t.size, m.Leaves))
	}
	return nil
}

// Text writes the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Log        %s, %d statements, root %s\n", r.Origin, r.Size, r.Root)
	fmt.Fprintf(&b, "Told       from %s to %s\n", r.From.UTC().Format(time.RFC3339), r.To.UTC().Format(time.RFC3339))
	kinds := []string{}
	for k, n := range r.Kinds {
		kinds = append(kinds, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(kinds)
	fmt.Fprintf(&b, "Of kind    %s\n", strings.Join(kinds, ", "))
	fmt.Fprintf(&b, "Compared   with %d checkpoints seen before, %d recordings, %d lines of the audit\n", r.Compared, r.Recordings, r.Rows)
	switch {
	case !r.Policy:
		b.WriteString("Witnesses  not asked: no policy was given\n")
	case r.Witnessed:
		b.WriteString("Witnesses  enough have signed\n")
	default:
		b.WriteString("Witnesses  NOT enough have signed\n")
	}
	for _, s := range r.Silent {
		fmt.Fprintf(&b, "Silent     from %s to %s\n", s.From.UTC().Format(time.RFC3339), s.To.UTC().Format(time.RFC3339))
	}
	b.WriteString("\n")
	if len(r.Problems) == 0 {
		b.WriteString("Nothing wrong was found.\n")
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "WRONG      %s: %s\n", p.Code, p.Text)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "           and %d more\n", r.More)
	}
	return b.String()
}
