package extract

import (
	"context"

	"jedel/internal/gazetteer"
	"jedel/internal/geo"
	"jedel/internal/pbf"
	"jedel/internal/roads"
)

// maker is one import under way. It belongs to one goroutine.
type maker struct {
	job     Job
	file    *pbf.File
	out     *gazetteer.Writer
	refs    []pbf.Ref
	towns   towns
	streets map[streetKey]*streetOf

	rels   []relation
	ofWay  map[int64][]int           // which relations a way is part of
	posts  map[int64]gazetteer.Thing // by the node that they are
	nodes  *nodes
	roads  roads.Builder
	report Report

	points []geo.Point // reused
	at     []int
}

// relation is an outline of several ways with an address or a name.
type relation struct {
	finding
	box geo.Box
	set bool
}

const passes = 4

func (m *maker) run(ctx context.Context) error {
	m.ofWay, m.posts = map[int64][]int{}, map[int64]gazetteer.Thing{}
	if err := m.file.Index(func(ref pbf.Ref, b *pbf.Block) error {
		m.refs = append(m.refs, ref)
		if err := m.tell(ctx, 1, ref); err != nil {
			return err
		}
		if err := b.Nodes(func(n pbf.Node) error { return m.settlement(ctx, n) }); err != nil {
			return err
		}
		return b.Relations(m.relation)
	}); err != nil {
		return err
	}
	var want wanted
	if err := m.pass(ctx, 2, pbf.Ways, func(b *pbf.Block) error {
		return b.Ways(func(w pbf.Way) error { m.want(w, &want); return nil })
	}); err != nil {
		return err
	}
	m.nodes = want.nodes()
	if err := m.pass(ctx, 3, pbf.Nodes, func(b *pbf.Block) error {
		return b.Nodes(func(n pbf.Node) error { return m.node(ctx, n) })
	}); err != nil {
		return err
	}
	ways, broken := 0, 0
	if err := m.pass(ctx, 4, pbf.Ways, func(b *pbf.Block) error {
		return b.Ways(func(w pbf.Way) error {
			ways++
			whole, err := m.way(ctx, w)
			if !whole {
				broken++
			}
			return err
		})
	}); err != nil {
		return err
	}
	if broken*2 > ways {
		return ErrIncomplete
	}
	return m.rest(ctx)
}

// pass goes through the blocks that have something.
func (m *maker) pass(ctx context.Context, n int, has pbf.Has, each func(*pbf.Block) error) error {
	for _, ref := range m.refs {
		if err := m.tell(ctx, n, ref); err != nil {
			return err
		}
		if ref.Has&has == 0 {
			continue
		}
		b, err := m.file.Block(ref)
		if err == nil {
			err = each(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tell says how far it is, and whether to go on.
func (m *maker) tell(ctx context.Context, pass int, ref pbf.Ref) error {
	if m.job.Tell != nil {
		m.job.Tell(Step{Pass: pass, Passes: passes, Done: int64(pass-1)*m.file.Size() + ref.Off + int64(ref.Size), All: passes * m.file.Size()})
	}
	return ctx.Err()
}

func (m *maker) settlement(ctx context.Context, n pbf.Node) error {
	if n.Tags.Len() == 0 {
		return nil
	}
	p, ok := placeOf(n.Tags)
	name, also := named(n.Tags)
	if !ok || name.Empty() {
		return nil
	}
	t := town{id: m.out.NewID(), name: name, at: geo.Point{Lat: n.Lat, Lon: n.Lon}, rank: p.rank}
	m.towns.add(t, also)
	return m.out.Settlement(ctx, t.id, gazetteer.Thing{Name: name, Also: also, At: t.at, Radius: p.metres, Rank: p.rank})
}

func (m *maker) relation(r pbf.Relation) error {
	f := find(r.Tags)
	if !f.anything() {
		return nil
	}
	for _, x := range r.Members {
		if x.Kind == pbf.Ways && (x.Role == "outer" || x.Role == "" || x.Role == "outline") {
			m.ofWay[x.ID] = append(m.ofWay[x.ID], len(m.rels))
		}
	}
	m.rels = append(m.rels, relation{finding: f})
	return nil
}

// want notes the nodes of ways that matter.
func (m *maker) want(w pbf.Way, to *wanted) {
	if len(w.Nodes) == 0 {
		return
	}
	if forth, back := drive(w.Tags); forth+back > 0 && len(w.Nodes) > 1 {
		to.road(w.Nodes)
		return
	}
	if m.ofWay[w.ID] != nil || streetWay(w) || find(w.Tags).anything() {
		to.add(w.Nodes)
	}
}

// streetWay reports whether a way is a street with a name, be it for cars or not.
func streetWay(w pbf.Way) bool {
	return len(w.Nodes) > 1 && w.Tags.Get("highway") != "" && (w.Tags.Get("name") != "" || w.Tags.Get("name:kk") != "" || w.Tags.Get("name:ru") != "")
}

func (m *maker) node(ctx context.Context, n pbf.Node) error {
	m.nodes.put(n.ID, n.Lat, n.Lon)
	if n.Tags.Len() == 0 {
		return nil
	}
	at := geo.Point{Lat: n.Lat, Lon: n.Lon}
	if number, ok := postOf(n.Tags); ok {
		road := roadOf(n.Tags)
		if n.Tags.Get("ref") == number {
			road = geo.Text{}
		} // the number itself
		m.posts[n.ID] = gazetteer.Thing{Name: road, Number: number, At: at}
		return nil
	}
	return m.put(ctx, find(n.Tags), at, 0)
}

// way writes what a way is; whole is false where most of its nodes are lost.
func (m *maker) way(ctx context.Context, w pbf.Way) (whole bool, err error) {
	forth, back := drive(w.Tags)
	isRoad, isStreet, of := forth+back > 0 && len(w.Nodes) > 1, streetWay(w), m.ofWay[w.ID]
	f := find(w.Tags)
	if !isRoad && !isStreet && of == nil && !f.anything() {
		return true, nil
	}
	var lost int
	m.points, m.at, lost = m.nodes.line(w.Nodes, m.points[:0], m.at[:0])
	m.report.LostNodes += lost
	if len(m.points) == 0 {
		return false, nil
	}
	whole = lost*2 < len(w.Nodes)
	for _, i := range of {
		m.rels[i].grow(m.points)
	}
	if w.Tags.Get("highway") != "" {
		m.atPosts(w)
	}
	if isStreet {
		if err := m.street(ctx, w, m.points); err != nil {
			return whole, err
		}
	}
	if isRoad && lost == 0 {
		m.road(forth, back)
	}
	if isStreet || isRoad {
		return whole, nil
	}
	var r relation
	r.grow(m.points)
	at, reach := r.middle()
	return whole, m.put(ctx, f, at, reach)
}

func (r *relation) grow(points []geo.Point) {
	for _, p := range points {
		if !r.set {
			r.box, r.set = geo.Box{South: p.Lat, North: p.Lat, West: p.Lon, East: p.Lon}, true
		}
		r.box = geo.Box{South: min(r.box.South, p.Lat), West: min(r.box.West, p.Lon), North: max(r.box.North, p.Lat), East: max(r.box.East, p.Lon)}
	}
}

func (r *relation) middle() (geo.Point, float64) {
	at := geo.Point{Lat: (r.box.South + r.box.North) / 2, Lon: (r.box.West + r.box.East) / 2}
	return at, geo.Metres(at, geo.Point{Lat: r.box.South, Lon: r.box.West})
}

// atPosts tells the kilometre posts on a way which road it is.
func (m *maker) atPosts(w pbf.Way) {
	for _, id := range w.Nodes {
		if t, ok := m.posts[id]; ok && t.Name.Empty() {
			t.Name = roadOf(w.Tags)
			m.posts[id] = t
		}
	}
}

// road adds what lies between the junctions of a way to the network.
func (m *maker) road(forth, back float64) {
	from := 0
	for i := 1; i < len(m.at); i++ {
		if !m.nodes.joins[m.at[i]] {
			continue
		}
		metres := 0.0
		for k := from; k < i; k++ {
			metres += geo.Metres(m.points[k], m.points[k+1])
		}
		e := roads.Edge{From: m.vertex(from), To: m.vertex(i), Metres: float32(metres), Forth: driven(metres, forth), Back: driven(metres, back)}
		m.roads.Edge(e, m.points[from+1:i])
		from = i
	}
}

func driven(metres, speed float64) uint32 {
	if speed == 0 {
		return roads.Closed
	}
	return uint32(min(metres/speed*100, roads.Closed-1))
}

func (m *maker) vertex(i int) uint32 {
	v := &m.nodes.vertex[m.at[i]]
	if *v == none {
		*v = m.roads.Vertex(m.points[i])
	}
	return *v
}

// rest writes what waited for the end: relations, posts and the names of streets.
func (m *maker) rest(ctx context.Context) error {
	for _, r := range m.rels {
		if !r.set {
			continue
		}
		at, reach := r.middle()
		if err := m.put(ctx, r.finding, at, reach); err != nil {
			return err
		}
	}
	for _, id := range sortedKeys(m.posts) {
		if err := m.out.Post(ctx, m.posts[id]); err != nil {
			return err
		}
	}
	return m.putStreets(ctx)
}
