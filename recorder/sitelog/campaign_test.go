package sitelog

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"jedel/recorder/evr"
	"jedel/recorder/proof"
	"jedel/recorder/verify"
)

// campaign returns how many trials a test makes: few by default, JEDEL_TEST_PROOFS for a release.
func campaign(t *testing.T, few int) int {
	t.Helper()
	s := os.Getenv("JEDEL_TEST_PROOFS")
	if s == "" && testing.Short() {
		return few / 4
	}
	if s == "" {
		return few
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// How a change is found.
const (
	byAlarm = "a level fails"
	byError = "it cannot be opened"
	byLog   = "the site's log has more of it"
	bySaid  = "a level that passed no longer does"
)

// What cannot be found from the archive alone, and why that is no loss.
const (
	// Heads of a running call are not counted until the seal. One that is missing takes nothing away:
	// the next one signs the same leaves; the leaves after the last are reported as not signed yet.
	// A last head without the form of one is what a cut of the power leaves, and said to be torn.
	fewerHeads = "a running call has fewer heads"
	// Bytes after the last signed leaf of a running call are what a crash may leave: V1 names the tail.
	unsignedTail = "after the last signed leaf of a running call"
	// The verifier brings the log's key along; the copy beside the proofs is for those who have none.
	keyBeside = "the copy of the log's key is not used"
	// A time stamp carries certificates and attributes that its signature leaves out; what it says,
	// and by whom, stays.
	stampExtra = "what the time stamp's signature does not cover"
	// The authority was asked more than once about one checkpoint; each answer holds.
	stampAlike = "another time stamp of the same checkpoint"
	// Without its token the report no longer names an authority; witnesses have signed all the same.
	noStamp = "the time stamp is gone, and the report is without it"
	// RFC 8493 section 2.4: the hexadecimal digits of a checksum may be of either case.
	sameDigits = "a digit of a checksum in the other case"
)

var rank = map[verify.State]int{verify.Failed: 0, verify.NotChecked: 1, verify.Partial: 2, verify.Passed: 3}

// found tells how a mutant was found; empty where it was not.
func (m *mutant) found(r *verify.Report, err error) string {
	switch {
	case err != nil:
		return byError
	case r.Exit >= verify.ExitV0 || r.Exit == verify.ExitUnreadable:
		return byAlarm
	}
	honest := m.of.honest
	for i, l := range r.Levels {
		if rank[l.State] < rank[honest.Levels[i].State] {
			return bySaid
		}
	}
	if m.of.sealed && !r.Sealed || r.Leaves < m.of.logged {
		return byLog
	}
	same := r.Leaves == honest.Leaves && r.Root == honest.Root
	switch {
	case m.file == "heads" && !m.of.sealed && same && m.sameHeads():
		return fewerHeads
	case m.of.below != "" && strings.HasPrefix(m.file, "tagmanifest-") && strings.EqualFold(string(m.files[m.file].Data), string(m.of.files[m.file].Data)):
		return sameDigits
	case strings.HasSuffix(m.file, ".evr") && !m.of.sealed && same && torn(r):
		return unsignedTail
	case m.file == verify.LogKeyFile && m.of.below == "":
		return keyBeside
	case m.file == verify.SealToken && r.Levels[3].Text == honest.Levels[3].Text:
		return stampExtra
	case m.file == verify.SealToken && m.files[verify.SealToken] != nil && strings.Contains(r.Levels[3].Text, "testTSA") && r.Levels[3].State == verify.Passed:
		return stampAlike
	case m.file == verify.SealToken && m.files[verify.SealToken] == nil && !strings.Contains(r.Levels[3].Text, "testTSA"):
		return noStamp
	}
	return ""
}

// sameHeads tells whether all heads of a mutant are heads of its specimen, perhaps the last one torn.
func (m *mutant) sameHeads() bool {
	if m.files["heads"] == nil {
		return true
	}
	honest := string(m.of.files["heads"].Data)
	heads, _ := proof.SplitHeads(m.files["heads"].Data)
	for _, h := range heads {
		if !strings.Contains(honest, string(h)) {
			return false
		}
	}
	return true
}

// torn tells whether the report names a torn tail.
func torn(r *verify.Report) bool {
	return slices.ContainsFunc(r.Levels[1].Notes, func(n verify.Note) bool { return n.Code == "v1.torn" })
}

// placed tells whether some fault of the report stands where the change was made.
func (m *mutant) placed(r *verify.Report) bool {
	const bit = 1e-6
	for _, l := range r.Levels {
		if l.Fault == nil {
			continue
		}
		for _, f := range append([]verify.Fault{*l.Fault}, l.More...) {
			at := m.spot
			if (at.segment == "" || f.Segment == at.segment) && (at.stream < 0 || int(f.Stream) == at.stream) && f.Second >= at.from-bit && f.Second <= at.to+bit {
				return true
			}
		}
	}
	return false
}

func places(r *verify.Report) string {
	var out []string
	for _, l := range r.Levels {
		if l.Fault != nil {
			for _, f := range append([]verify.Fault{*l.Fault}, l.More...) {
				out = append(out, fmt.Sprintf("%s %s stream %d second %.6f: %s", l.Level, f.Segment, f.Stream, f.Second, f.What))
			}
		}
	}
	return strings.Join(out, "\n  ")
}

// TestEveryChangeIsFoundAndPlaced changes archives and bags of every kind in every way: each change is
// found, and placed where it was made. JEDEL_TEST_PROOFS says how many changes.
func TestEveryChangeIsFoundAndPlaced(t *testing.T) {
	t.Parallel()
	all := corpus(t)
	for _, c := range knownChanges() {
		t.Run(c.name, func(t *testing.T) { c.check(t, all) })
	}
	seed := rand.Uint64()
	m := mutator{rand.New(rand.NewPCG(seed, 1)), all}
	kinds := slices.Sorted(maps.Keys(changes()))
	how := map[string]int{}
	for n, want := 0, campaign(t, 600); n < want; {
		kind := kinds[n%len(kinds)]
		if n%3 == 0 {
			kind = "flip"
		}
		mutant := m.mutate(kind)
		if mutant == nil {
			continue
		}
		n++
		r, err := mutant.of.verify(mutant.files)
		found := mutant.found(r, err)
		how[found]++
		switch {
		case found == "":
			t.Errorf("seed %d: %s goes unseen: exit %d", seed, mutant.what, r.Exit)
		case found == byAlarm && mutant.spot != nil && !mutant.placed(r):
			t.Errorf("seed %d: %s is placed elsewhere than %+v:\n  %s", seed, mutant.what, *mutant.spot, places(r))
		}
	}
	for _, h := range slices.Sorted(maps.Keys(how)) {
		t.Logf("%6d %s", how[h], h)
	}
}

// knownChange is one that went unseen once, or was placed elsewhere.
type knownChange struct {
	name    string
	of      string // name of the specimen
	change  func(s *specimen) map[string][]byte
	code    verify.Code
	segment string // where the fault must be; empty: anywhere
}

func knownChanges() []knownChange {
	lastOf := func(s *specimen, i int) string { return s.segments()[len(s.segments())-1-i] }
	return []knownChange{
		{"bytes after a full segment", "plain running", func(s *specimen) map[string][]byte {
			return map[string][]byte{"00001.evr": append(s.data("00001.evr"), 0)}
		}, "file.tail", "00001.evr"},
		{"the torn tail of a crash", "encrypted recovered running", func(s *specimen) map[string][]byte {
			for _, name := range s.segments() {
				if data := s.data(name); bytes.HasSuffix(data, []byte("the light went out")) {
					data[len(data)-1] ^= 1
					return map[string][]byte{name: data}
				}
			}
			return nil
		}, "file.recovered", ""},
		{"a segment under another number", "plain running", func(s *specimen) map[string][]byte {
			return map[string][]byte{evr.SegmentName(len(s.segments())): s.data(lastOf(s, 0))}
		}, "segment.number", ""},
		{"a head in the place of the one before", "encrypted sealed", func(s *specimen) map[string][]byte {
			_, list := s.heads()
			list[2] = list[1]
			return map[string][]byte{"heads": joined(list)}
		}, "head.twice", ""},
		{"a seal that is gone, its proof not", "plain sealed", func(*specimen) map[string][]byte {
			return map[string][]byte{"seal.note": nil}
		}, "log.seal", ""},
		{"a change before the next segment's header", "plain running", func(s *specimen) map[string][]byte {
			data, blocks := s.data("00002.evr"), s.blocks["00002.evr"]
			b := blocks[len(blocks)-1]
			data[len(data)-1] ^= 1
			mend(data[b.Offset:])
			return map[string][]byte{"00002.evr": data}
		}, "segment.root", "00002.evr"},
		{"the first segment of another call", "plain running", func(s *specimen) map[string][]byte {
			data := s.data("00000.evr")
			h, n, _ := evr.DecodeSegmentHeader(data)
			h.Call = "7rzbf3z61d7djnkzy6bxxc66j8"
			raw, _ := evr.EncodeSegmentHeader(h)
			return map[string][]byte{"00000.evr": append(raw, data[n:]...)}
		}, "segment.call", "00000.evr"},
	}
}

func (c knownChange) check(t *testing.T, all []*specimen) {
	s := all[slices.IndexFunc(all, func(s *specimen) bool { return s.name == c.of })]
	files := maps.Clone(s.files)
	changed := c.change(s)
	if len(changed) == 0 {
		t.Fatal("nothing to change")
	}
	for name, data := range changed {
		if files[name] = (&fstest.MapFile{Data: data}); data == nil {
			delete(files, name)
		}
	}
	r, err := s.verify(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Levels {
		if l.Fault == nil {
			continue
		}
		for _, f := range append([]verify.Fault{*l.Fault}, l.More...) {
			if f.Code == c.code && (c.segment == "" || f.Segment == c.segment) {
				return
			}
		}
	}
	t.Errorf("no %s:\n  %s", c.code, places(r))
}
