// Package geocode answers where a position is and where a name is, from whatever this gateway has: a
// server that is configured, the gazetteer that was imported, or the settlements that are built in. One
// that fails or is slow is passed over, so that there is always an answer. It also has the roads.
package geocode

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"jedel/internal/extract"
	"jedel/internal/gazetteer"
	"jedel/internal/geo"
	"jedel/internal/roads"

	"github.com/prometheus/client_golang/prometheus"
)

// Config is what a Geocoder needs to know.
type Config struct {
	Dir    string // with the files of an import
	Remote RemoteConfig
}

// Geocoder answers. Make it with New; Run looks for new imports.
type Geocoder struct {
	cfg     Config
	log     *slog.Logger
	settled *gazetteer.Settled
	file    atomic.Pointer[gazetteer.File]
	roads   atomic.Pointer[roads.Network]
	remote  *remote        // nil: none is configured
	seen    [2]os.FileInfo // owned by whoever loads: New, then Run
}

// New opens what there is. A file that cannot be read is passed over and told of: callers come first.
func New(ctx context.Context, cfg Config, reg prometheus.Registerer, log *slog.Logger) *Geocoder {
	g := &Geocoder{cfg: cfg, log: log, settled: gazetteer.NewSettled()}
	if cfg.Remote.Source != "" {
		g.remote = newRemote(cfg.Remote, reg)
	}
	g.load(ctx)
	return g
}

// lookEvery is how often the folder is looked at: an import needs no restart.
const lookEvery = 5 * time.Second

// Run takes new imports into use until ctx ends.
func (g *Geocoder) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.load(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Close ends the use of the gazetteer.
func (g *Geocoder) Close() error {
	if old := g.file.Swap(nil); old != nil {
		return old.Close()
	}
	return nil
}

// load opens what changed since it was looked at.
func (g *Geocoder) load(ctx context.Context) {
	if g.changed(0, extract.GazetteerFile) {
		file, err := gazetteer.Open(ctx, filepath.Join(g.cfg.Dir, extract.GazetteerFile))
		if err != nil {
			g.log.Warn("the gazetteer cannot be read; settlements are told instead", "err", err)
		} else {
			if old := g.file.Swap(file); old != nil {
				_ = old.Close()
			} // who still reads it gets the settlements
			g.log.Info("gazetteer in use", "made", file.About()["made"])
		}
	}
	if g.changed(1, extract.RoadsFile) {
		network, err := extract.OpenRoads(g.cfg.Dir)
		if err != nil {
			g.log.Warn("the road network cannot be read; patrols are proposed by distance", "err", err)
			return
		}
		g.roads.Store(network)
		vertices, edges := network.Size()
		g.log.Info("road network in use", "junctions", vertices, "roads", edges)
	}
}

// changed reports whether there is a file that is not the one seen before.
func (g *Geocoder) changed(i int, name string) bool {
	stat, err := os.Stat(filepath.Join(g.cfg.Dir, name))
	if err != nil || g.seen[i] != nil && os.SameFile(stat, g.seen[i]) && stat.ModTime().Equal(g.seen[i].ModTime()) {
		return false
	}
	g.seen[i] = stat
	return true
}

// Roads is the road network; nil where none was imported.
func (g *Geocoder) Roads() *roads.Network { return g.roads.Load() }

// Reverse says where a position is. accuracyM is its radius at 95 %, 0 where it is not known. ok is false
// far from everything that is known.
func (g *Geocoder) Reverse(ctx context.Context, p geo.Point, accuracyM float64) (geo.Answer, bool) {
	if g.remote != nil {
		if a, ok := g.remote.reverse(ctx, p, accuracyM); ok {
			return a, true
		}
	}
	if file := g.file.Load(); file != nil {
		a, ok, err := file.Reverse(ctx, p, accuracyM)
		if err != nil && ctx.Err() == nil {
			g.log.Warn("the gazetteer does not answer", "err", err)
		}
		if ok {
			return a, true
		}
	}
	return g.settled.Reverse(p, accuracyM)
}

// Search finds places by words; those near a point first, where it is given.
func (g *Geocoder) Search(ctx context.Context, words string, near *geo.Point, limit int) []geo.Found {
	if g.remote != nil {
		if list, ok := g.remote.search(ctx, words, near, limit); ok && len(list) > 0 {
			return list
		}
	}
	if file := g.file.Load(); file != nil {
		list, err := file.Search(ctx, words, near, limit)
		if err != nil && ctx.Err() == nil {
			g.log.Warn("the gazetteer does not answer", "err", err)
		}
		if len(list) > 0 {
			return list
		}
	}
	return g.settled.Search(words, near, limit)
}
