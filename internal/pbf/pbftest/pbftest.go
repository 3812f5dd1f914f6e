// Package pbftest writes small OpenStreetMap PBF files for tests. The same map gives the same bytes.
package pbftest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"slices"
)

// Map is what goes into a file.
type Map struct {
	Nodes     []Node
	Ways      []Way
	Relations []Relation
}

// Node is a point with tags, key and value in turn.
type Node struct {
	ID       int64
	Lat, Lon float64
	Tags     []string
}

// Way is a line through nodes.
type Way struct {
	ID    int64
	Nodes []int64
	Tags  []string
}

// Relation is a group of ways, all in the role "outer".
type Relation struct {
	ID   int64
	Ways []int64
	Tags []string
}

// message is a protobuf message that is being written.
type message []byte

func (m *message) number(field int, v uint64) {
	*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3), v)
}

func (m *message) bytes(field int, b []byte) {
	*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3|2), uint64(len(b)))
	*m = append(*m, b...)
}

// packed is a list of varints.
type packed []byte

func (p *packed) add(v uint64)   { *p = binary.AppendUvarint(*p, v) }
func (p *packed) signed(v int64) { *p = binary.AppendVarint(*p, v) }

// strings is the table of a block; nothing has the index 0.
type strings struct {
	index map[string]uint64
	list  []string
}

func (s *strings) of(text string) uint64 {
	if s.index == nil {
		s.index, s.list = map[string]uint64{}, []string{""}
	}
	i, ok := s.index[text]
	if !ok {
		i = uint64(len(s.list))
		s.index[text], s.list = i, append(s.list, text)
	}
	return i
}

func (s *strings) message() message {
	s.of("outer")
	var m message
	for _, text := range s.list {
		m.bytes(1, []byte(text))
	}
	return m
}

// Block is one block of a file: its kind and what is in it before packing.
func Block(kind string, raw []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write(raw)
	_ = w.Close()
	var blob message
	blob.number(2, uint64(len(raw)))
	blob.bytes(3, z.Bytes())
	return Blob(kind, blob)
}

// Blob is one block of a file with a blob that is packed already.
func Blob(kind string, blob []byte) []byte {
	var head message
	head.bytes(1, []byte(kind))
	head.number(3, uint64(len(blob)))
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(head))), head...), blob...)
}

// Header is the first block of a file that needs features.
func Header(features ...string) []byte {
	var m message
	for _, f := range features {
		m.bytes(4, []byte(f))
	}
	m.bytes(16, []byte("jedel test"))
	return Block("OSMHeader", m)
}

// chunk is how many elements writers put into one block.
const chunk = 8000

// Bytes is the file: a header, then blocks of nodes, of ways and of relations.
func (m Map) Bytes() []byte {
	out := Header("OsmSchema-V0.6", "DenseNodes")
	add := func(group func(*strings) message) {
		var s strings
		data := group(&s)
		var block message
		block.bytes(1, s.message())
		block.bytes(2, data)
		out = append(out, Block("OSMData", block)...)
	}
	for part := range slices.Chunk(m.Nodes, chunk) {
		add(Map{Nodes: part}.nodes)
	}
	for part := range slices.Chunk(m.Ways, chunk) {
		add(Map{Ways: part}.ways)
	}
	for part := range slices.Chunk(m.Relations, chunk) {
		add(Map{Relations: part}.relations)
	}
	return out
}

func units(deg float64) int64 { return int64(math.Round(deg * 1e7)) }

func (m Map) nodes(s *strings) message {
	var ids, lats, lons, keys packed
	id, lat, lon := int64(0), int64(0), int64(0)
	for _, n := range m.Nodes {
		ids.signed(n.ID - id)
		lats.signed(units(n.Lat) - lat)
		lons.signed(units(n.Lon) - lon)
		id, lat, lon = n.ID, units(n.Lat), units(n.Lon)
		for _, t := range n.Tags {
			keys.add(s.of(t))
		}
		keys.add(0)
	}
	var dense, group message
	dense.bytes(1, ids)
	dense.bytes(8, lats)
	dense.bytes(9, lons)
	dense.bytes(10, keys)
	group.bytes(2, dense)
	return group
}

func tagsOf(s *strings, tags []string) (keys, values packed) {
	for i := 0; i+1 < len(tags); i += 2 {
		keys.add(s.of(tags[i]))
		values.add(s.of(tags[i+1]))
	}
	return keys, values
}

func (m Map) ways(s *strings) message {
	var group message
	for _, w := range m.Ways {
		var refs packed
		last := int64(0)
		for _, id := range w.Nodes {
			refs.signed(id - last)
			last = id
		}
		keys, values := tagsOf(s, w.Tags)
		var way message
		way.number(1, uint64(w.ID))
		way.bytes(2, keys)
		way.bytes(3, values)
		way.bytes(8, refs)
		group.bytes(3, way)
	}
	return group
}

func (m Map) relations(s *strings) message {
	var group message
	for _, r := range m.Relations {
		var roles, refs, kinds packed
		last := int64(0)
		for _, id := range r.Ways {
			roles.add(s.of("outer"))
			refs.signed(id - last)
			kinds.add(1)
			last = id
		}
		keys, values := tagsOf(s, r.Tags)
		var rel message
		rel.number(1, uint64(r.ID))
		rel.bytes(2, keys)
		rel.bytes(3, values)
		rel.bytes(8, roles)
		rel.bytes(9, refs)
		rel.bytes(10, kinds)
		group.bytes(4, rel)
	}
	return group
}
