package logcheck

import (
	"fmt"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/proof"
)

// story is what the statements of a log say of each recording, taken in order. It does no I/O.
type story struct {
	kinds  map[proof.LeafKind]int
	calls  map[part]*told
	rows   map[uint64]string // hashes of lines of the audit
	last   time.Time         // the newest time a statement of the log's own clock had
	first  time.Time
	silent []Silence
	bad    func(Problem)
}

// part is one recording: a call, and which of its folders.
type part struct {
	call ident.CallID
	n    uint64
}

// told is what the log has of a recording.
type told struct {
	begun     bool
	size      uint64 // of the last head
	root      string
	sealed    bool
	sealRoot  string
	destroyed bool
}

// Silence is a time in which the log had nothing, not even a heartbeat.
type Silence struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Bounds of what is told of silences and clocks.
const (
	quiet       = time.Minute // heartbeats come every ten seconds
	setBack     = 5 * time.Second
	maxSilences = 1000
)

func newStory(bad func(Problem)) *story {
	return &story{kinds: map[proof.LeafKind]int{}, calls: map[part]*told{}, rows: map[uint64]string{}, bad: bad}
}

// take takes the next statement.
func (s *story) take(index uint64, raw []byte) {
	leaf, err := proof.ParseLeaf(raw)
	if err != nil {
		s.bad(Problem{Code: BadStatement, Index: index, Text: fmt.Sprintf("statement %d cannot be read: %v", index, err)})
		return
	}
	s.kinds[leaf.Kind]++
	s.clock(leaf)
	switch leaf.Kind {
	case proof.LeafOpen, proof.LeafRecover:
		s.of(leaf).begun = true
	case proof.LeafHead, proof.LeafSeal:
		s.head(index, leaf)
	case proof.LeafDestroyed:
		for p, t := range s.calls {
			if p.call == leaf.Call {
				t.destroyed = true
			}
		}
	case proof.LeafAccess:
		s.rows[index] = leaf.Text("row")
	}
}

// clock looks for silences. Only statements that are made when they are told count.
func (s *story) clock(leaf proof.Leaf) {
	if leaf.Kind != proof.LeafHeartbeat && leaf.Kind != proof.LeafHead && leaf.Kind != proof.LeafAccess {
		return
	}
	if s.first.IsZero() {
		s.first = leaf.At
	}
	if !s.last.IsZero() && leaf.At.Sub(s.last) > quiet && len(s.silent) < maxSilences {
		s.silent = append(s.silent, Silence{s.last, leaf.At})
	}
	if leaf.At.After(s.last) {
		s.last = leaf.At
	}
}

func (s *story) of(leaf proof.Leaf) *told {
	n, _ := leaf.Number("part")
	p := part{leaf.Call, n}
	if s.calls[p] == nil {
		s.calls[p] = &told{}
	}
	return s.calls[p]
}

// head takes a signed state of a recording: it only grows, and has one root for each size.
func (s *story) head(index uint64, leaf proof.Leaf) {
	t := s.of(leaf)
	n, _ := leaf.Number("n")
	root := leaf.Text("root")
	say := func(code Code, text string) {
		s.bad(Problem{Code: code, Index: index, Call: string(leaf.Call), Text: fmt.Sprintf("statement %d: %s", index, text)})
	}
	switch {
	case n == t.size && t.root != "" && root != t.root:
		say(Fork, fmt.Sprintf("two roots for %d leaves of one recording", n))
	case n < t.size:
		say(Back, fmt.Sprintf("a recording of %d leaves has %d again", t.size, n))
	case t.sealed && leaf.Kind == proof.LeafHead && n > t.size:
		say(AfterSeal, "a recording grew after it was sealed")
	case t.sealed && leaf.Kind == proof.LeafSeal && t.sealRoot != root:
		say(Fork, "two seals of one recording")
	}
	if n >= t.size {
		t.size, t.root = n, root
	}
	if leaf.Kind == proof.LeafSeal {
		t.sealed, t.sealRoot = true, root
	}
}
