package gazetteer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jedel/internal/geo"
)

// Thing is something that has a name or a number, and a place.
type Thing struct {
	Name   geo.Text // of a house: empty, it has that of its street
	Also   []string // other names that people search by
	Number string   // of a house or kilometre post
	At     geo.Point
	Radius float64 // how far it reaches, metres
	Rank   int     // of a settlement: 0 capital … 4 village, 5 part of a town
	Of     int64   // a house: its street or village
	Line   []geo.Point
}

// Writer makes a gazetteer file. It belongs to one goroutine. Nothing is durable before Finish.
type Writer struct {
	db                     *sql.DB
	tx                     *sql.Tx
	thing, word, box, town *sql.Stmt
	next                   int64
	Counts                 Counts
}

// Counts are how many things of each kind there are.
type Counts struct{ Houses, Streets, Posts, Landmarks, Settlements int }

// Create begins a file that is not there yet.
func Create(ctx context.Context, path string) (*Writer, error) {
	db, err := open(path, "_pragma=journal_mode(off)&_pragma=synchronous(off)&_pragma=locking_mode(exclusive)&_pragma=cache_size(-65536)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	w := &Writer{db: db}
	if err := w.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("begin %s: %w", path, err), db.Close())
	}
	return w, nil
}

func (w *Writer) begin(ctx context.Context) error {
	if _, err := w.db.ExecContext(ctx, schema); err != nil {
		return err
	}
	var err error
	if w.tx, err = w.db.BeginTx(ctx, nil); err != nil {
		return err
	}
	for to, text := range map[**sql.Stmt]string{
		&w.thing: "INSERT INTO thing VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", &w.word: "INSERT OR IGNORE INTO word VALUES (?,?)",
		&w.box: "INSERT INTO box VALUES (?,?,?,?,?)", &w.town: "INSERT INTO town VALUES (?,?,?,?,?)",
	} {
		if *to, err = w.tx.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// NewID reserves the number of a thing that is written later.
func (w *Writer) NewID() int64 { w.next++; return w.next }

func (w *Writer) put(ctx context.Context, id int64, kind int, t Thing) error {
	t.Name = cut(t.Name)
	var shape any
	if t.Line != nil {
		shape = packShape(t.Line)
	}
	_, err := w.thing.ExecContext(ctx, id, kind, t.Name.KK, t.Name.RU, t.Name.EN, short(t.Number, 20), e7(t.At.Lat), e7(t.At.Lon), t.Radius, t.Rank, t.Of, shape)
	return err
}

// maxName bounds a name in letters; what is longer is no name.
const maxName = 160

func cut(t geo.Text) geo.Text {
	return geo.Text{KK: short(t.KK, maxName), RU: short(t.RU, maxName), EN: short(t.EN, maxName)}
}

// short is s on one line, without control characters, and so many letters at most.
func short(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return r < ' ' || r == 0x7f || r == ' ' || r == '\u2028' || r == '\u2029' }), " ")
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit])
	}
	return s
}

// words makes a thing findable by all its names.
func (w *Writer) words(ctx context.Context, id int64, t Thing) error {
	for _, key := range keysOf(append([]string{t.Name.KK, t.Name.RU, t.Name.EN}, t.Also...)) {
		if _, err := w.word.ExecContext(ctx, key, id); err != nil {
			return err
		}
	}
	return nil
}

// keysOf are the folded words of names, those left out that nearly all streets have.
func keysOf(names []string) []string {
	var keys []string
	for _, name := range names {
		all := strings.Fields(geo.Fold(name))
		for _, word := range all {
			if len(all) > 1 && slices.Contains(usualWords, word) || slices.Contains(keys, word) || len(keys) >= 40 {
				continue
			}
			keys = append(keys, word)
		}
	}
	return keys
}

// usualWords are words for kinds of streets, folded; nobody is found by them.
var usualWords = makeFolded("улица", "ул", "көшесі", "көше", "проспект", "пр", "даңғылы", "даңғыл", "переулок", "пер", "тұйығы", "тұйық", "street", "avenue", "lane", "шоссе", "проезд", "дом", "үй", "имени", "атындағы")

func makeFolded(words ...string) []string {
	for i, w := range words {
		words[i] = geo.Fold(w)
	}
	return words
}

func (w *Writer) boxed(ctx context.Context, stmt *sql.Stmt, id int64, line ...geo.Point) error {
	b := geo.Box{South: 90, West: 180, North: -90, East: -180}
	for _, p := range line {
		b = geo.Box{South: min(b.South, p.Lat), West: min(b.West, p.Lon), North: max(b.North, p.Lat), East: max(b.East, p.Lon)}
	}
	_, err := stmt.ExecContext(ctx, id, b.South, b.North, b.West, b.East)
	return err
}

// House writes a house. Of is its street or village.
func (w *Writer) House(ctx context.Context, t Thing) error {
	id := w.NewID()
	w.Counts.Houses++
	return errors.Join(w.put(ctx, id, house, t), w.boxed(ctx, w.box, id, t.At))
}

// Street writes the name of a street under a number that was reserved.
func (w *Writer) Street(ctx context.Context, id int64, t Thing) error {
	w.Counts.Streets++
	return errors.Join(w.put(ctx, id, street, t), w.words(ctx, id, t))
}

// Piece writes a part of the line of a street.
func (w *Writer) Piece(ctx context.Context, of int64, line []geo.Point) error {
	id := w.NewID()
	return errors.Join(w.put(ctx, id, piece, Thing{At: line[0], Of: of, Line: line}), w.boxed(ctx, w.box, id, line...))
}

// Post writes a kilometre post; its name is that of the road.
func (w *Writer) Post(ctx context.Context, t Thing) error {
	id := w.NewID()
	w.Counts.Posts++
	return errors.Join(w.put(ctx, id, post, t), w.boxed(ctx, w.box, id, t.At))
}

// Landmark writes something that people know by its name.
func (w *Writer) Landmark(ctx context.Context, t Thing) error {
	id := w.NewID()
	w.Counts.Landmarks++
	return errors.Join(w.put(ctx, id, landmark, t), w.boxed(ctx, w.box, id, t.At), w.words(ctx, id, t))
}

// Settlement writes a town, a village, or a part of one, under a number that was reserved.
func (w *Writer) Settlement(ctx context.Context, id int64, t Thing) error {
	w.Counts.Settlements++
	return errors.Join(w.put(ctx, id, settled, t), w.boxed(ctx, w.town, id, t.At), w.words(ctx, id, t))
}

// Finish writes what the file is about and ends it. The bytes are still to be synced.
func (w *Writer) Finish(ctx context.Context, about map[string]string) error {
	about["version"] = Version
	for key, value := range about {
		if _, err := w.tx.ExecContext(ctx, "INSERT INTO meta VALUES (?,?)", key, value); err != nil {
			return errors.Join(err, w.Abandon())
		}
	}
	_, err := w.tx.ExecContext(ctx, "CREATE INDEX thing_of ON thing (of, kind) WHERE of > 0")
	if err == nil {
		err = w.tx.Commit()
	}
	if err == nil {
		_, err = w.db.ExecContext(ctx, "ANALYZE")
	}
	return errors.Join(err, w.db.Close())
}

// Abandon gives the file up.
func (w *Writer) Abandon() error { return errors.Join(w.tx.Rollback(), w.db.Close()) }
