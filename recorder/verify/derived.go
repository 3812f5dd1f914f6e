package verify

import (
	"encoding/json"
	"io/fs"
	"strings"

	"jedel/recorder/bag"
)

// Derived is a file made from an archive, and how it compares with one made again. Name and Tool are
// what stands in its derivation.
type Derived struct {
	Name  string
	Tool  string
	Found string // what is there, as SHA-256 in hex
	Made  string // what the archive gives, likewise; empty: it could not be made
}

// maxDerivation bounds a derivation in bytes.
const maxDerivation = 1 << 20

// Derivations lists the derived files of a bag; Made is empty. Of anything else there are none.
func Derivations(fsys fs.FS) ([]Derived, error) {
	names, err := fs.Glob(fsys, strings.TrimSuffix(bag.Original, "original")+"playable/*.derivation.json")
	if err != nil || !bag.Is(fsys) {
		return nil, err
	}
	var out []Derived
	for _, n := range names {
		raw, err := readBounded(fsys, n, maxDerivation)
		if err != nil {
			return nil, err
		}
		var d struct {
			Tool   string `json:"tool"`
			Output struct {
				Name   string `json:"name"`
				SHA256 string `json:"sha256"`
			} `json:"output"`
		}
		if json.Unmarshal(raw, &d) != nil {
			d.Output.Name = n // what it says cannot be made
		}
		out = append(out, Derived{Name: d.Output.Name, Tool: d.Tool, Found: d.Output.SHA256})
	}
	return out, nil
}

// derived is level V5 before anything was made again.
func derived(list []Derived) Level {
	l := Level{Level: "V5", State: Absent}
	if len(list) == 0 {
		l.say(saidNoDerived, nil)
		return l
	}
	l.State = NotChecked
	l.say(saidUnmade, Args{"files": len(list)})
	return l
}

// Remade sets level V5 by files that were made again with the program tool.
func (r *Report) Remade(list []Derived, tool string) {
	l := derived(list)
	if len(list) > 0 {
		l = compare(list, tool)
	}
	for i := range r.Levels {
		if r.Levels[i].Level == l.Level {
			r.Levels[i] = l
		}
	}
	r.Exit = exit(r.Levels)
}

func compare(list []Derived, tool string) Level {
	l := Level{Level: "V5", State: Passed}
	same, others, by := 0, 0, ""
	var faults []Fault
	for _, d := range list {
		switch {
		case d.Made == "":
			faults = append(faults, Fault{Name: "derived", Segment: plain(d.Name)}.because(badRemake, Args{"file": plain(d.Name)}))
		case d.Made == d.Found:
			same++
		case d.Tool != tool:
			others, by = others+1, plain(d.Tool)
		default:
			faults = append(faults, Fault{Name: "derived", Segment: plain(d.Name)}.because(badDerived, Args{"file": plain(d.Name)}))
		}
	}
	if same > 0 {
		l.say(saidRemade, Args{"files": same})
	}
	if others > 0 {
		l.State = Partial
		l.say(saidOtherTool, Args{"tool": by, "files": others})
	}
	if len(faults) > 0 {
		l.State, l.Fault, l.More = Failed, &faults[0], faults[1:]
	}
	return l
}
