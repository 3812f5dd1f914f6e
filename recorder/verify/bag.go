package verify

import (
	"io/fs"
	"path"
	"strings"

	"jedel/recorder/bag"
)

// Archive returns the folder of an archive: of a bag what stands in its data/original, with the
// proofs that stand in its data/proofs, else the folder itself.
func Archive(fsys fs.FS) (fs.FS, error) {
	if !bag.Is(fsys) {
		return fsys, nil
	}
	sub, err := fs.Sub(fsys, bag.Original)
	return inside{sub, fsys}, err
}

// inside is the archive of a bag as it was in its own folder.
type inside struct {
	fs.FS
	bag fs.FS
}

// Open implements fs.FS.
func (i inside) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "proofs/") {
		return i.bag.Open(path.Join(path.Dir(bag.Original), name))
	}
	return i.FS.Open(name)
}

// inBag verifies an exported bag: its archive, and all its files as part of V0.
func inBag(fsys fs.FS, opts Options) (*Report, error) {
	sub, err := Archive(fsys)
	if err != nil {
		return nil, err
	}
	report, err := Dir(sub, opts)
	if err != nil {
		return nil, err
	}
	found, err := bag.Check(fsys)
	if err != nil {
		return nil, err
	}
	l := &report.Levels[0]
	if l.State == NotChecked { // the lists of the bag are there now
		*l = Level{Level: l.Level, State: Passed}
	}
	l.say(saidBag, Args{"files": found.Files, "lists": strings.Join(found.Manifests, ", ")})
	faults := make([]Fault, 0, len(found.Faults))
	for _, f := range found.Faults {
		faults = append(faults, Fault{Name: "bag", Segment: plain(f.File)}.because(bagFault(f)))
	}
	if len(faults) > 0 {
		l.State = Failed
		if l.Fault == nil {
			l.Fault, faults = &faults[0], faults[1:]
		}
		l.More = append(l.More, faults[:min(len(faults), max(0, 20-len(l.More)))]...)
		if n := len(found.Faults); n > 1 {
			l.say(saidMoreFaults, Args{"faults": n})
		}
	}
	made, err := Derivations(fsys)
	if err != nil {
		return nil, err
	}
	report.Levels[len(report.Levels)-1] = derived(made)
	report.Exit = exit(report.Levels)
	return report, nil
}

func bagFault(f bag.Fault) (Code, Args) {
	args := Args{"file": plain(f.File)}
	switch f.Problem {
	case bag.Missing:
		return badMissing, args
	case bag.Unlisted:
		return badBagNew, args
	case bag.BadLine:
		args["line"] = f.Line
		return badListLine, args
	case bag.BadTag:
		return badBagTag, args
	case bag.BadCount:
		return badBagCount, args
	}
	return badListSum, args
}
