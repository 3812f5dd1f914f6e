package replica

import (
	"slices"
	"strings"

	"jedel/internal/blob"
)

// act is what is to be done about a file.
type act string

// What is done.
const (
	actPut     act = "put"     // it is not in the bucket
	actCompare act = "compare" // it is, and was not read back yet
	actShow    act = "show"    // somebody has put a deletion's marker in front of it
	actDiffers act = "differs" // another one is there under its name
)

// step is one act about one file.
type step struct {
	act     act
	file    file
	version blob.Version // of all but put
}

// plan says what is left to do about an archive: files that are closed here, versions of the bucket
// with their names below the archive's folder. It does no I/O. What says what the rest is comes
// first; then the segments, the oldest first.
func plan(files []file, there []blob.Version, compared map[string]bool) []step {
	var out []step
	for _, f := range files {
		var newest *blob.Version
		same := -1
		for i := range there {
			v := &there[i]
			switch {
			case v.Key != f.name:
			case v.Marker && v.Latest:
				out = append(out, step{actShow, f, *v})
			case v.Marker:
			case same < 0 && v.Size == f.size:
				same = i
			case newest == nil:
				newest = v
			}
		}
		switch {
		case same >= 0 && !compared[there[same].ID]:
			out = append(out, step{actCompare, f, there[same]})
		case same >= 0:
		case newest != nil:
			out = append(out, step{actDiffers, f, *newest})
		default:
			out = append(out, step{actPut, f, blob.Version{}})
		}
	}
	slices.SortStableFunc(out, func(a, b step) int {
		if ra, rb := rank(a.file.name), rank(b.file.name); ra != rb {
			return ra - rb
		}
		return strings.Compare(a.file.name, b.file.name)
	})
	return out
}

func rank(name string) int {
	switch name {
	case sealName:
		return 0
	case headsName:
		return 1
	}
	return 2
}
