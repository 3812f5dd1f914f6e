package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"jedel/internal/app"
	"jedel/internal/extract"
	"jedel/internal/geo"
	"jedel/internal/geocode"

	"github.com/prometheus/client_golang/prometheus"
)

type geoCmd struct {
	Import geoImportCmd `cmd:"" help:"Make the gazetteer and the road network of an OpenStreetMap extract. A running gateway takes them into use by itself."`
	Where  geoWhereCmd  `cmd:"" help:"Say in words where a position is."`
	Search geoSearchCmd `cmd:"" help:"Find places by words."`
}

type geoImportCmd struct {
	File string `arg:"" help:"The extract, FILE.osm.pbf." type:"existingfile"`
	Data string `help:"Folder of everything the gateway keeps." default:"data"`
}

// Run imports.
func (c geoImportCmd) Run(ctx context.Context) error {
	begin := time.Now()
	p := progress{to: os.Stderr, begin: begin}
	job := extract.Job{Source: c.File, Dir: app.GeoDir(c.Data), Tell: p.tell, Now: time.Now}
	r, err := job.Run(ctx)
	p.end()
	if err != nil {
		return fmt.Errorf("import %s: %w (what was there before is still in use)", c.File, err)
	}
	fmt.Printf("houses      %9d\nstreets     %9d\nkm posts    %9d\nlandmarks   %9d\nsettlements %9d\njunctions   %9d\nroads       %9d\n", r.Houses, r.Streets, r.Posts, r.Landmarks, r.Settlements, r.Junctions, r.Roads)
	if r.NoHouse > 0 {
		fmt.Printf("%d house numbers have no street and no place, and were left out\n", r.NoHouse)
	}
	if r.LostNodes > 0 {
		fmt.Printf("%d nodes of ways are not in the file; roads with such nodes were left out\n", r.LostNodes)
	}
	fmt.Printf("%.1f MB in %v\n", float64(r.Bytes)/1e6, time.Since(begin).Round(100*time.Millisecond))
	return nil
}

// progress writes one line that changes.
type progress struct {
	to    io.Writer
	begin time.Time
	last  time.Time
}

func (p *progress) tell(s extract.Step) {
	now := time.Now()
	if s.All == 0 || now.Sub(p.last) < 500*time.Millisecond {
		return
	}
	p.last = now
	spent := now.Sub(p.begin)
	rate := float64(s.Done) / 1e6 / spent.Seconds()
	left := time.Duration(float64(spent) * (float64(s.All)/float64(max(1, s.Done)) - 1)).Round(time.Second)
	_, _ = fmt.Fprintf(p.to, "\r%3d %%  pass %d of %d  %.1f MB/s  %v left   ", s.Done*100/s.All, s.Pass, s.Passes, rate, left)
}

func (p *progress) end() {
	if !p.last.IsZero() {
		_, _ = fmt.Fprintln(p.to)
	}
}

type geoWhereCmd struct {
	Lat      float64 `arg:"" help:"Degrees north."`
	Lon      float64 `arg:"" help:"Degrees east."`
	Accuracy float64 `help:"Radius in metres at 95 %; 0: not known."`
	Data     string  `help:"Folder of everything the gateway keeps." default:"data"`
}

func openGeo(ctx context.Context, data string) *geocode.Geocoder {
	return geocode.New(ctx, geocode.Config{Dir: app.GeoDir(data)}, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

// Run says it.
func (c geoWhereCmd) Run(ctx context.Context) error {
	at := geo.Point{Lat: c.Lat, Lon: c.Lon}
	if !at.Valid() || !(c.Accuracy >= 0) {
		return fmt.Errorf("%v, %v is not on earth", c.Lat, c.Lon)
	}
	g := openGeo(ctx, c.Data)
	defer func() { _ = g.Close() }()
	a, ok := g.Reverse(ctx, at, c.Accuracy)
	if !ok {
		return fmt.Errorf("nothing is known within 500 km")
	}
	fmt.Printf("kk  %s\nru  %s\nen  %s\n%s, %s from it", a.Words.KK, a.Words.RU, a.Words.EN, a.Kind, geo.Far(a.Metres).EN)
	if a.Confidence > 0 {
		fmt.Printf(", within %s of it with a confidence of %.0f %%", geo.Far(a.ReachM).EN, 100*a.Confidence)
	}
	fmt.Printf("\n%s, %s\n", a.Source, a.Credit)
	return nil
}

type geoSearchCmd struct {
	Words []string `arg:"" help:"A name, or its beginning, and perhaps the number of a house."`
	Near  string   `help:"Findings near this point come first: LAT,LON."`
	Data  string   `help:"Folder of everything the gateway keeps." default:"data"`
}

// Run finds.
func (c geoSearchCmd) Run(ctx context.Context) error {
	var near *geo.Point
	if c.Near != "" {
		var p geo.Point
		if n, err := fmt.Sscanf(c.Near, "%f,%f", &p.Lat, &p.Lon); n != 2 || err != nil || !p.Valid() {
			return fmt.Errorf("%q is not LAT,LON", c.Near)
		}
		near = &p
	}
	g := openGeo(ctx, c.Data)
	defer func() { _ = g.Close() }()
	found := g.Search(ctx, strings.Join(c.Words, " "), near, 20)
	if len(found) == 0 {
		return fmt.Errorf("nothing is found")
	}
	for _, f := range found {
		far := ""
		if f.Metres >= 0 {
			far = geo.Far(f.Metres).EN
		}
		fmt.Printf("%-10s %9.5f %9.5f  %-8s %s | %s\n", f.Kind, f.At.Lat, f.At.Lon, far, f.Words.KK, f.Words.RU)
	}
	return nil
}
