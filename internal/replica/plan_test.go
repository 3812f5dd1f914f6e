package replica

import (
	"fmt"
	"strings"
	"testing"

	"jedel/internal/blob"

	"pgregory.net/rapid"
)

// TestNothingIsForgottenOrOverwritten: each closed file has exactly one place in the plan unless it is
// there and was compared; what differs is never put; what says what the rest is comes first.
func TestNothingIsForgottenOrOverwritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"00000.evr", "00001.evr", "00002.evr", "heads", "proofs/seal.tlog-proof", "seal.note"}
		var files []file
		var there []blob.Version
		compared := map[string]bool{}
		want := map[string]act{}
		for _, n := range names {
			size := rapid.Int64Range(0, 5).Draw(t, "size")
			if rapid.Bool().Draw(t, "local") {
				files = append(files, file{n, size})
			}
			versions := rapid.SliceOfN(rapid.SampledFrom([]string{"same", "other", "marker"}), 0, 3).Draw(t, "versions")
			state := actPut
			for i, v := range versions {
				x := blob.Version{Key: n, ID: fmt.Sprint(n, i), Size: size, Latest: i == 0, Marker: v == "marker"}
				if v == "other" {
					x.Size = size + 1
				}
				there = append(there, x)
				switch {
				case v == "same" && (state == actPut || state == actDiffers):
					if state = actCompare; rapid.Bool().Draw(t, "compared") {
						compared[x.ID] = true
						state = ""
					}
				case v == "other" && state == actPut:
					state = actDiffers
				}
			}
			want[n] = state
		}
		steps := plan(files, there, compared)
		got := map[string]act{}
		shown := map[string]bool{}
		last := -1
		for _, s := range steps {
			if r := rank(s.file.name); r < last {
				t.Fatalf("%s comes too late", s.file.name)
			} else {
				last = r
			}
			if s.act == actShow {
				shown[s.file.name] = true
				continue
			}
			if got[s.file.name] != "" {
				t.Fatalf("%s twice", s.file.name)
			}
			got[s.file.name] = s.act
		}
		for _, f := range files {
			if got[f.name] != want[f.name] {
				t.Fatalf("%s: %q, want %q", f.name, got[f.name], want[f.name])
			}
			hidden := false
			for _, v := range there {
				hidden = hidden || v.Key == f.name && v.Marker && v.Latest
			}
			if hidden != shown[f.name] {
				t.Fatalf("%s: shown %v", f.name, shown[f.name])
			}
		}
		for n := range got {
			if !strings.Contains(fmt.Sprint(files), n) {
				t.Fatalf("%s is not closed here", n)
			}
		}
	})
}
