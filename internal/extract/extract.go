// Package extract makes of an OpenStreetMap extract what the gateway needs of it: a gazetteer
// (internal/gazetteer) and a road network (internal/roads). It goes through the file four times: once
// through all of it, then through the blocks with ways, with nodes and with ways again. What it keeps in
// memory is the places of those nodes that roads and houses are made of (16 bytes each, twice as much
// while they are collected), and the road network.
package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"jedel/internal/gazetteer"
	"jedel/internal/pbf"
	"jedel/internal/roads"
)

// Names of the files within the folder.
const (
	GazetteerFile = "gazetteer.db"
	RoadsFile     = "roads.bin"
)

// ErrIncomplete is a file whose ways lack most of their nodes.
var ErrIncomplete = errors.New("most ways lack their nodes: the file is a part of an extract")

// Job is one import.
type Job struct {
	Source string     // the .osm.pbf file
	Dir    string     // where the files go
	Tell   func(Step) // how far it is; nil: nobody listens
	Now    func() time.Time
}

// Step is how far an import is.
type Step struct {
	Pass, Passes int
	Done, All    int64 // bytes of the file, over all passes
}

// Report is what came in.
type Report struct {
	gazetteer.Counts
	Junctions, Roads int
	NoHouse          int // houses whose street and village are not told
	LostNodes        int // of ways, that are not in the file
	Bytes            int64
}

// credit is what the licence of OpenStreetMap's data asks to be shown.
const credit = "© OpenStreetMap contributors (ODbL)"

// Run makes both files and puts them into the place of the old ones.
//
//  1. Both are written beside the old ones, under names of their own.   Killed here: the old ones stay;
//     what was begun is removed by the next import.
//  2. Both are synced.                                                              Killed here: as above.
//  3. The gazetteer is renamed, then the roads, then the folder synced. Killed between: each is whole; the
//     roads are those of the import before.
func (j Job) Run(ctx context.Context) (Report, error) {
	in, err := os.Open(j.Source)
	if err != nil {
		return Report{}, err
	}
	defer in.Close()
	stat, err := in.Stat()
	if err != nil {
		return Report{}, err
	}
	// A map is no secret, and whoever imports may be another account than the gateway's.
	if err := os.MkdirAll(j.Dir, 0o755); err != nil {
		return Report{}, err
	}
	gazetteerNew, roadsNew := filepath.Join(j.Dir, GazetteerFile+".new"), filepath.Join(j.Dir, RoadsFile+".new")
	drop := func() { _, _ = os.Remove(gazetteerNew), os.Remove(roadsNew) } // of an import that was killed, or of this one
	drop()
	defer drop()
	w, err := gazetteer.Create(ctx, gazetteerNew)
	if err != nil {
		return Report{}, err
	}
	m := &maker{job: j, file: pbf.Open(in, stat.Size()), out: w, streets: map[streetKey]*streetOf{}, towns: towns{}}
	if err := m.run(ctx); err != nil {
		return Report{}, errors.Join(err, w.Abandon())
	}
	about := map[string]string{"credit": credit, "source": filepath.Base(j.Source), "bytes": fmt.Sprint(stat.Size()), "made": j.Now().UTC().Format(time.RFC3339)}
	if err := w.Finish(ctx, about); err != nil {
		return Report{}, err
	}
	network := m.roads.Build()
	if err := writeRoads(network, roadsNew); err != nil {
		return Report{}, err
	}
	m.report.Counts, m.report.Bytes = w.Counts, stat.Size()
	m.report.Junctions, m.report.Roads = network.Size()
	return m.report, j.replace(ctx, gazetteerNew, roadsNew)
}

func writeRoads(n *roads.Network, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(n.Write(f), f.Close())
}

// replace puts the new files where the old ones are.
func (j Job) replace(ctx context.Context, gazetteerNew, roadsNew string) error {
	for _, path := range []string{gazetteerNew, roadsNew} {
		if err := sync(path); err != nil {
			return err
		}
	}
	// What cannot be read is not put into the place of what can.
	g, err := gazetteer.Open(ctx, gazetteerNew)
	if err != nil {
		return err
	}
	if err := g.Close(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Rename(gazetteerNew, filepath.Join(j.Dir, GazetteerFile)); err != nil {
		return err
	}
	if err := os.Rename(roadsNew, filepath.Join(j.Dir, RoadsFile)); err != nil {
		return err
	}
	return sync(j.Dir)
}

func sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// OpenRoads reads the road network of a folder; nil where there is none.
func OpenRoads(dir string) (*roads.Network, error) {
	f, err := os.Open(filepath.Join(dir, RoadsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxRoads))
	if err != nil {
		return nil, err
	}
	n, err := roads.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return n, nil
}

// maxRoads bounds the file of a road network, in bytes.
const maxRoads = 4 << 30
