package gazetteer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"jedel/internal/geo"
)

// File is a gazetteer that was made of a map. It may be used by many goroutines.
type File struct {
	db     *sql.DB
	credit string
	about  map[string]string
}

// Open opens a gazetteer for reading and refuses what is none.
func Open(ctx context.Context, path string) (*File, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := open(path, "mode=ro&immutable=1&_pragma=query_only(1)&_pragma=mmap_size(1073741824)&_pragma=trusted_schema(0)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	about, err := readMeta(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return &File{db: db, about: about, credit: short(about["credit"], maxName)}, nil
}

// About is what the file says of itself: where it comes from, and when.
func (f *File) About() map[string]string { return f.about }

// Close ends the use of the file.
func (f *File) Close() error { return f.db.Close() }

// row is a thing as it is read.
type row struct {
	id   int64
	kind int
	Thing
	metres float64 // from the point asked for to the thing's edge or line
	near   geo.Point
}

const columns = "t.id, t.kind, t.kk, t.ru, t.en, t.number, t.lat, t.lon, t.radius, t.rank, t.of, t.shape"

func (f *File) rows(ctx context.Context, query string, args ...any) ([]row, error) {
	list, err := f.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer list.Close()
	var out []row
	for list.Next() {
		var r row
		var lat, lon int64
		var shape []byte
		if err := list.Scan(&r.id, &r.kind, &r.Name.KK, &r.Name.RU, &r.Name.EN, &r.Number, &lat, &lon, &r.Radius, &r.Rank, &r.Of, &shape); err != nil {
			return nil, err
		}
		r.At, r.Line = point(lat, lon), unpackShape(shape)
		if r.At.Valid() {
			out = append(out, r)
		}
	}
	return out, list.Err()
}

// in returns what has its box in the one around a point.
func (f *File) in(ctx context.Context, table string, p geo.Point, metres float64) ([]row, error) {
	b := geo.Around(p, metres)
	list, err := f.rows(ctx, "SELECT "+columns+" FROM "+table+" b JOIN thing t ON t.id = b.id WHERE b.north >= ? AND b.south <= ? AND b.east >= ? AND b.west <= ? LIMIT 20000", b.South, b.North, b.West, b.East)
	for i := range list {
		list[i].measure(p)
	}
	return list, err
}

// measure notes how far a thing is from p.
func (r *row) measure(p geo.Point) {
	r.near = r.At
	r.metres = geo.Metres(p, r.At)
	for i := 0; i+1 < len(r.Line); i++ {
		if at, m, _ := geo.Nearest(p, r.Line[i], r.Line[i+1]); m < r.metres {
			r.metres, r.near = m, at
		}
	}
}

// byID returns one thing.
func (f *File) byID(ctx context.Context, id int64) (row, bool, error) {
	list, err := f.rows(ctx, "SELECT "+columns+" FROM thing t WHERE t.id = ?", id)
	if err != nil || len(list) == 0 {
		return row{}, false, err
	}
	return list[0], true, nil
}

// How far things may be to say where something is, in metres; looking for them goes no farther.
const (
	lookM     = 700
	houseM    = 40
	landmarkM = 60
	streetM   = 60
	postM     = 700
	townM     = 60_000
)

// Reverse says where a position is, by the most exact thing that its accuracy allows: a house, a
// landmark, a street, a kilometre post, else the nearest settlement. ok is false where the file has
// nothing near.
func (f *File) Reverse(ctx context.Context, p geo.Point, accuracyM float64) (geo.Answer, bool, error) {
	around, err := f.in(ctx, "box", p, lookM)
	if err != nil {
		return geo.Answer{}, false, err
	}
	towns, err := f.in(ctx, "town", p, townM)
	if err != nil {
		return geo.Answer{}, false, err
	}
	v := view{at: p, accuracyM: accuracyM, town: bestTown(towns)}
	best, found := v.choose(around)
	if !found {
		return f.byTown(v)
	}
	a, err := f.answer(ctx, v, best)
	return a, err == nil, err
}

// view is what is looked at from a position.
type view struct {
	at        geo.Point
	accuracyM float64
	town      *row
}

// candidate is a thing and how probable it is that the position is there.
type candidate struct {
	row
	sure, reach float64
}

// choose returns the first kind, from the most exact, of which it is more probable than not that the
// position is at it; else the most probable, where that is worth saying.
func (v view) choose(around []row) (candidate, bool) {
	var likely candidate
	for _, kind := range []int{house, landmark, piece, post} {
		c, ok := v.nearest(around, kind)
		switch {
		case !ok:
		case c.sure >= 0.5 || v.accuracyM <= 0:
			return c, true
		case c.sure > likely.sure:
			likely = c
		}
	}
	return likely, likely.sure >= 0.2
}

// nearest is the nearest thing of a kind, if it is near enough to be spoken of.
func (v view) nearest(around []row, kind int) (candidate, bool) {
	limit := map[int]float64{house: houseM, landmark: landmarkM, piece: streetM, post: postM}[kind]
	best, found := candidate{}, false
	for _, r := range around {
		edge := max(0, r.metres-r.Radius)
		if r.kind != kind || edge > limit+min(v.accuracyM, 200) || found && edge >= max(0, best.metres-best.Radius) {
			continue
		}
		best, found = candidate{row: r}, true
	}
	if !found {
		return best, false
	}
	switch kind {
	case house:
		best.reach = best.Radius + 25
		best.sure = geo.Within(best.metres, v.accuracyM, best.reach)
	case landmark:
		best.reach = best.Radius + 50
		best.sure = geo.Within(best.metres, v.accuracyM, best.reach)
	case piece:
		best.reach = 40
		best.sure = geo.Beside(best.metres, v.accuracyM, best.reach)
	case post:
		best.reach = 500
		best.sure = geo.Within(max(0, best.metres-500), v.accuracyM, best.reach)
	}
	return best, true
}

// answer words what was chosen.
func (f *File) answer(ctx context.Context, v view, c candidate) (geo.Answer, error) {
	a := geo.Answer{At: c.near, Metres: c.metres, Bearing: geo.Bearing(c.near, v.at), ReachM: c.reach, Source: "gazetteer", Credit: f.credit}
	if v.accuracyM > 0 {
		a.Confidence = c.sure
	}
	of := row{}
	if c.Of > 0 {
		r, ok, err := f.byID(ctx, c.Of)
		if err != nil {
			return a, err
		}
		if ok {
			of = r
		}
	}
	what := geo.Text{}
	switch c.kind {
	case house:
		a.Kind, a.Parts.House, a.Parts.Street = geo.House, c.Number, of.Name
		what = geo.Address(of.Name, c.Number)
	case landmark:
		a.Kind, a.Parts.Landmark = geo.Landmark, c.Name
		what = geo.Near(c.Name)
	case piece:
		a.Kind, a.Parts.Street = geo.StreetKind, of.Name
		what = geo.Street(of.Name)
	case post:
		a.Kind, a.Parts.Road, a.Parts.Km = geo.PostKind, c.Name, c.Number
		what = geo.Post(c.Name, c.Number)
	}
	if c.metres-c.Radius > 150 {
		what = geo.From(what, c.metres, geo.WindOf(a.Bearing))
	}
	if of.kind == settled {
		a.Parts.Settlement, a.Words = of.Name, what // a house of a village without streets names it already
	} else {
		a.Parts.Settlement, a.Words = v.within(what)
	}
	if near := c.metres-c.Radius <= limitSure(c.kind); !near || v.accuracyM <= 0 && c.metres > c.Radius || v.accuracyM > 0 && c.sure < geo.Sure {
		a.Words = geo.About(a.Words)
	}
	return a, nil
}

// limitSure is how far from a thing one may be and still be said to be at it.
func limitSure(kind int) float64 {
	if kind == post {
		return postM
	}
	return 30
}

// within puts the settlement before what lies in it, or how far it is from one.
func (v view) within(what geo.Text) (settlement, words geo.Text) {
	if v.town == nil {
		return geo.Text{}, what
	}
	if v.town.metres <= 1.5*v.town.Radius {
		return v.town.Name, geo.Join(v.town.Name, what)
	}
	from := geo.FromSettlement(v.town.Name, v.town.metres, geo.WindOf(geo.Bearing(v.town.At, v.at)))
	return v.town.Name, geo.Join(from, what)
}

// bestTown is the settlement that tells best where one is, as in Settled.Reverse. Parts of towns do not
// count.
func bestTown(towns []row) *row {
	var best *row
	least := 0.0
	for i, t := range towns {
		if t.Rank > 4 {
			continue
		}
		cost := max(0, t.metres-t.Radius) * (1 + float64(t.Rank)*0.15)
		if cost == 0 {
			cost = t.metres/t.Radius - 1
		}
		if best == nil || cost < least {
			best, least = &towns[i], cost
		}
	}
	return best
}

// byTown answers by the settlement alone.
func (f *File) byTown(v view) (geo.Answer, bool, error) {
	if v.town == nil {
		return geo.Answer{}, false, nil
	}
	t := *v.town
	a := geo.Answer{Kind: geo.Settlement, At: t.At, Metres: t.metres, Bearing: geo.Bearing(t.At, v.at), Parts: geo.Parts{Settlement: t.Name}, Source: "gazetteer", Credit: f.credit}
	a.Words, a.ReachM = aroundSettlement(t.Name, t.Radius, a)
	return settle(a, v.accuracyM), true, nil
}
