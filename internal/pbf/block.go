package pbf

import "math"

// Tags are the keys and values of an element. They are valid as long as its block.
type Tags struct {
	strings []string
	pairs   []uint32 // indexes, key and value in turn
}

// Get is the value of a key; empty where there is none.
func (t Tags) Get(key string) string {
	for i := 0; i+1 < len(t.pairs); i += 2 {
		if t.strings[t.pairs[i]] == key {
			return t.strings[t.pairs[i+1]]
		}
	}
	return ""
}

// Len is how many there are.
func (t Tags) Len() int { return len(t.pairs) / 2 }

// Node is a point.
type Node struct {
	ID       int64
	Lat, Lon float64
	Tags     Tags
}

// Way is a line through nodes. Nodes are valid until the next way.
type Way struct {
	ID    int64
	Nodes []int64
	Tags  Tags
}

// Member is a member of a relation.
type Member struct {
	ID   int64
	Kind Has
	Role string
}

// Relation is a group of elements. Members are valid until the next relation.
type Relation struct {
	ID      int64
	Members []Member
	Tags    Tags
}

// Block is some thousand elements.
type Block struct {
	off                  int64
	has                  Has
	strings              []string
	groups               [][]byte
	granularity          int64
	latOffset, lonOffset int64
	pairs                []uint32
}

// Block reads one block, which is valid until the next.
func (f *File) Block(ref Ref) (*Block, error) {
	raw, err := f.inflate(ref)
	if err != nil {
		return nil, err
	}
	b := &Block{off: ref.Off, granularity: 100}
	whole := true
	fs := fields{rest: raw}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		switch x.num {
		case 1:
			whole = b.table(x.data) && whole
		case 2:
			whole = b.group(x.data) && whole
		case 17:
			b.granularity = int64(x.n)
		case 19:
			b.latOffset = int64(x.n)
		case 20:
			b.lonOffset = int64(x.n)
		}
	}
	if fs.bad || !whole || b.granularity <= 0 || b.granularity > math.MaxInt32 {
		return nil, corrupt(ref.Off, "a broken block")
	}
	return b, nil
}

// table reads the strings of a block.
func (b *Block) table(data []byte) bool {
	fs := fields{rest: data}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		if x.num == 1 && len(b.strings) <= maxStrings {
			b.strings = append(b.strings, string(x.data))
		}
	}
	return !fs.bad && len(b.strings) <= maxStrings
}

// group notes a group and what is in it.
func (b *Block) group(data []byte) bool {
	if len(b.groups) == maxGroups {
		return false
	}
	b.groups = append(b.groups, data)
	fs := fields{rest: data}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		switch x.num {
		case 1, 2:
			b.has |= Nodes
		case 3:
			b.has |= Ways
		case 4:
			b.has |= Relations
		}
	}
	return !fs.bad
}

// each calls fn for every element of one kind; its error ends it.
func (b *Block) each(kind uint64, fn func(data []byte) error) error {
	for _, g := range b.groups {
		fs := fields{rest: g}
		for x, ok := fs.next(); ok; x, ok = fs.next() {
			if x.num != kind {
				continue
			}
			if err := fn(x.data); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Block) corrupt(what string) error { return corrupt(b.off, "a broken %s", what) }

// tags makes tags of two lists; false where they do not fit each other or the block.
func (b *Block) tags(keys, values []byte) (Tags, bool) {
	k, v := numbers{rest: keys}, numbers{rest: values}
	b.pairs = b.pairs[:0]
	for k.more() && v.more() {
		if !b.pair(k.unsigned(), v.unsigned()) {
			return Tags{}, false
		}
	}
	return Tags{b.strings, b.pairs}, !k.bad && !v.bad && !k.more() && !v.more()
}

func (b *Block) pair(key, value uint64) bool {
	n := uint64(len(b.strings))
	if key >= n || value >= n {
		return false
	}
	b.pairs = append(b.pairs, uint32(key), uint32(value))
	return true
}

// message is an element as its message has it: numbers and lists by field.
type message struct {
	n    [16]uint64
	data [16][]byte
}

// element reads a message whose fields are all below 16; false where it is broken.
func element(data []byte) (m message, whole bool) {
	fs := fields{rest: data}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		if x.num < uint64(len(m.n)) {
			m.n[x.num], m.data[x.num] = x.n, x.data
		}
	}
	return m, !fs.bad
}

// visible reads whether an element is there still; files with history have others.
func visible(info []byte) bool {
	fs := fields{rest: info}
	for x, ok := fs.next(); ok; x, ok = fs.next() {
		if x.num == 6 {
			return x.n != 0
		}
	}
	return true
}

// place puts a node where it is; false: not on earth.
func (b *Block) place(n *Node, lat, lon int64) bool {
	var north, east bool
	n.Lat, north = degrees(b.latOffset, b.granularity, lat, 90)
	n.Lon, east = degrees(b.lonOffset, b.granularity, lon, 180)
	return north && east
}

// Nodes calls fn for every node that is visible and on earth.
func (b *Block) Nodes(fn func(Node) error) error {
	if err := b.each(1, func(data []byte) error { return b.plain(data, fn) }); err != nil {
		return err
	}
	return b.each(2, func(data []byte) error { return b.dense(data, fn) })
}

func (b *Block) plain(data []byte, fn func(Node) error) error {
	m, whole := element(data)
	tags, ok := b.tags(m.data[2], m.data[3])
	if !whole || !ok {
		return b.corrupt("node")
	}
	n := Node{ID: zigzag(m.n[1]), Tags: tags}
	if !visible(m.data[4]) || !b.place(&n, zigzag(m.n[8]), zigzag(m.n[9])) {
		return nil
	}
	return fn(n)
}

func (b *Block) dense(data []byte, fn func(Node) error) error {
	m, whole := element(data)
	info, infoWhole := element(m.data[5])
	if !whole || !infoWhole {
		return b.corrupt("list of nodes")
	}
	ids, lats, lons, keys, seen := numbers{rest: m.data[1]}, numbers{rest: m.data[8]}, numbers{rest: m.data[9]}, numbers{rest: m.data[10]}, numbers{rest: info.data[6]}
	all := len(seen.rest) == 0
	id, lat, lon := int64(0), int64(0), int64(0)
	for ids.more() {
		id, lat, lon = id+ids.signed(), lat+lats.signed(), lon+lons.signed()
		n := Node{ID: id}
		ok := b.denseTags(&n, &keys)
		shown := all || seen.unsigned() != 0
		if !ok || ids.bad || lats.bad || lons.bad || keys.bad || seen.bad {
			return b.corrupt("list of nodes")
		}
		if !shown || !b.place(&n, lat, lon) {
			continue
		}
		if err := fn(n); err != nil {
			return err
		}
	}
	return nil
}

// denseTags reads the tags of the next node, up to the zero that ends them.
func (b *Block) denseTags(n *Node, keys *numbers) bool {
	b.pairs = b.pairs[:0]
	for keys.more() {
		key := keys.unsigned()
		if key == 0 || keys.bad {
			break
		}
		if !b.pair(key, keys.unsigned()) {
			return false
		}
	}
	n.Tags = Tags{b.strings, b.pairs}
	return true
}

// Ways calls fn for every way that is visible.
func (b *Block) Ways(fn func(Way) error) error {
	var nodes []int64
	return b.each(3, func(data []byte) error {
		m, whole := element(data)
		refs := numbers{rest: m.data[8]}
		nodes = nodes[:0]
		for id := int64(0); refs.more(); {
			id += refs.signed()
			nodes = append(nodes, id)
		}
		tags, ok := b.tags(m.data[2], m.data[3])
		if !whole || !ok || refs.bad {
			return b.corrupt("way")
		}
		if !visible(m.data[4]) {
			return nil
		}
		return fn(Way{ID: int64(m.n[1]), Nodes: nodes, Tags: tags})
	})
}

// Relations calls fn for every relation that is visible.
func (b *Block) Relations(fn func(Relation) error) error {
	var members []Member
	return b.each(4, func(data []byte) error {
		m, whole := element(data)
		roles, refs, kinds := numbers{rest: m.data[8]}, numbers{rest: m.data[9]}, numbers{rest: m.data[10]}
		members = members[:0]
		for id := int64(0); refs.more(); {
			id += refs.signed()
			role, kind := roles.unsigned(), kinds.unsigned()
			if role >= uint64(len(b.strings)) || kind > 2 {
				return b.corrupt("relation")
			}
			members = append(members, Member{id, Nodes << kind, b.strings[role]})
		}
		tags, ok := b.tags(m.data[2], m.data[3])
		if !whole || !ok || refs.bad || roles.bad || kinds.bad {
			return b.corrupt("relation")
		}
		if !visible(m.data[4]) {
			return nil
		}
		return fn(Relation{ID: int64(m.n[1]), Members: members, Tags: tags})
	})
}
