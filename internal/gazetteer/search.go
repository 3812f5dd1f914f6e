package gazetteer

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"jedel/internal/geo"
)

// asked is what somebody types: names, and perhaps the number of a house.
type asked struct {
	names []string // folded words
	house string   // folded; empty: none
	open  bool     // the last name may go on
}

// read takes typed words apart. A word that begins with a digit after a name is a house.
func read(words string) asked {
	var q asked
	for _, w := range strings.Fields(geo.Fold(words)) {
		switch {
		case w[0] >= '0' && w[0] <= '9' && len(q.names) > 0 && q.house == "":
			q.house = w
		case !slices.Contains(usualWords, w):
			q.names = append(q.names, w)
		}
	}
	q.open = q.house == "" && !strings.HasSuffix(words, " ")
	if len(q.names) > 8 {
		q.names = q.names[:8]
	}
	return q
}

// maxRows bounds what one search reads.
const maxRows = 3000

// maxNumbered bounds the streets and villages in which one search looks for a house, the best first: a
// letter and a number fit thousands, and anybody may ask.
const maxNumbered = 200

// numbered is where a house is looked for.
type numbered struct {
	row
	geo.Found
}

// Search finds streets, houses, landmarks and settlements by words of their names, the last of which may
// be a beginning; those near a point first.
func (f *File) Search(ctx context.Context, words string, near *geo.Point, limit int) ([]geo.Found, error) {
	q := read(words)
	if len(q.names) == 0 {
		return nil, nil
	}
	longest := slices.MaxFunc(q.names, func(a, b string) int { return len(a) - len(b) })
	list, err := f.rows(ctx, "SELECT DISTINCT "+columns+" FROM word w JOIN thing t ON t.id = w.thing WHERE w.key >= ? AND w.key < ? LIMIT ?", longest, longest+"~", maxRows)
	if err != nil {
		return nil, err
	}
	var out []geo.Found
	var streets []numbered
	for _, r := range list {
		match := q.match(r)
		if match == 0 {
			continue
		}
		found := geo.Found{Words: r.Name, Kind: kindOf(r.kind), At: r.At, Metres: -1, Score: match + weight(r), Source: "gazetteer", Credit: f.credit}
		if near != nil {
			found.Metres = geo.Metres(*near, r.At)
			found.Score += 2 * nearness(found.Metres)
		}
		out = append(out, found)
		if q.house != "" && (r.kind == street || r.kind == settled) {
			streets = append(streets, numbered{r, found})
		}
	}
	slices.SortStableFunc(streets, func(a, b numbered) int { return cmp.Compare(b.Score, a.Score) })
	for _, x := range streets[:min(len(streets), maxNumbered)] {
		houses, err := f.houses(ctx, q, x.row, x.Found, near)
		if err != nil {
			return nil, err
		}
		out = append(out, houses...)
	}
	return f.placed(ctx, ranked(out, limit))
}

// match is how well a thing fits: every word must begin one of its own; whole words count more.
func (q asked) match(r row) float64 {
	best := 0.0
	for _, name := range []string{r.Name.KK, r.Name.RU, r.Name.EN} {
		own := strings.Fields(geo.Fold(name))
		score := 0.0
		for i, w := range q.names {
			at := slices.IndexFunc(own, func(o string) bool { return o == w || strings.HasPrefix(o, w) })
			if at < 0 {
				score = 0
				break
			}
			score += 0.6 / float64(len(q.names))
			if own[at] == w && (i < len(q.names)-1 || !q.open) {
				score += 0.2 / float64(len(q.names))
			}
		}
		if score > 0 {
			score += 0.2 * float64(len(q.names)) / float64(max(1, len(own)))
		}
		best = max(best, score)
	}
	if best == 0 {
		return 0.3
	} // by another name that it has or had
	return best
}

// weight puts towns before villages, and streets before landmarks of the same name.
func weight(r row) float64 {
	switch r.kind {
	case settled:
		return 0.4 - 0.08*float64(r.Rank)
	case street:
		return 0.2
	}
	return 0
}

func kindOf(kind int) geo.Kind {
	switch kind {
	case house:
		return geo.House
	case street, piece:
		return geo.StreetKind
	case post:
		return geo.PostKind
	case landmark:
		return geo.Landmark
	}
	return geo.Settlement
}

// houses are those of a street or village whose number begins with the one that was typed.
func (f *File) houses(ctx context.Context, q asked, of row, base geo.Found, near *geo.Point) ([]geo.Found, error) {
	list, err := f.rows(ctx, "SELECT "+columns+" FROM thing t WHERE t.of = ? AND t.kind = ? LIMIT ?", of.id, house, maxRows)
	if err != nil {
		return nil, err
	}
	var out []geo.Found
	for _, h := range list {
		number := geo.Fold(h.Number)
		if !strings.HasPrefix(number, q.house) {
			continue
		}
		x := base
		x.Words, x.Kind, x.At, x.Score = geo.Address(of.Name, h.Number), geo.House, h.At, base.Score+0.3
		if number == q.house {
			x.Score += 0.3
		}
		if near != nil {
			x.Metres = geo.Metres(*near, h.At)
		}
		out = append(out, x)
	}
	return out, nil
}

// placed tells of findings in which settlement they are.
func (f *File) placed(ctx context.Context, list []geo.Found) ([]geo.Found, error) {
	for i, x := range list {
		if x.Kind == geo.Settlement {
			continue
		}
		towns, err := f.in(ctx, "town", x.At, townM/3)
		if err != nil {
			return nil, err
		}
		_, list[i].Words = view{at: x.At, town: bestTown(towns)}.within(x.Words)
	}
	return list, nil
}
