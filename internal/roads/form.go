package roads

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// The file: magic, then the numbers of vertices, edges and points of shapes (uint32 each), the vertices
// (two int32 each), the edges (five numbers of 32 bits each), the beginnings of their shapes (uint32, and
// one more), the points, and the SHA-256 of all before it. Everything is little-endian.
const magic = "JEDELRD1"

// ErrBroken is a file that is not a whole network of this version.
var ErrBroken = errors.New("not a whole road network of this version")

const (
	headBytes = len(magic) + 12
	edgeBytes = 20
	spotBytes = 8
)

// Write writes the network. The same network gives the same bytes.
func (n *Network) Write(to io.Writer) error {
	sum := sha256.New()
	w := &stick{to: io.MultiWriter(to, sum)}
	w.put([]byte(magic))
	for _, count := range []int{len(n.vertices), len(n.edges), len(n.shape)} {
		w.u32(uint32(count))
	}
	w.spots(n.vertices)
	for _, e := range n.edges {
		for _, v := range []uint32{e.From, e.To, math.Float32bits(e.Metres), e.Forth, e.Back} {
			w.u32(v)
		}
	}
	for _, v := range n.first {
		w.u32(v)
	}
	w.spots(n.shape)
	w.flush()
	if w.err != nil {
		return w.err
	}
	_, err := to.Write(sum.Sum(nil))
	return err
}

// stick writes and remembers the first error.
type stick struct {
	to  io.Writer
	buf []byte
	err error
}

func (s *stick) put(b []byte) {
	s.buf = append(s.buf, b...)
	if len(s.buf) > 1<<16 {
		s.flush()
	}
}

func (s *stick) u32(v uint32) { s.put(binary.LittleEndian.AppendUint32(nil, v)) }

func (s *stick) spots(list []spot) {
	for _, p := range list {
		s.u32(uint32(p.lat))
		s.u32(uint32(p.lon))
	}
}

func (s *stick) flush() {
	if s.err == nil {
		_, s.err = s.to.Write(s.buf)
	}
	s.buf = s.buf[:0]
}

// Parse reads a file whole. Whatever raw is, it returns a network that can be searched, or ErrBroken.
func Parse(raw []byte) (*Network, error) {
	if len(raw) < headBytes+sha256.Size || string(raw[:len(magic)]) != magic {
		return nil, ErrBroken
	}
	body, end := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	var counts [3]int
	for i := range counts {
		counts[i] = int(binary.LittleEndian.Uint32(raw[len(magic)+4*i:]))
	}
	want := headBytes + spotBytes*(counts[0]+counts[2]) + edgeBytes*counts[1] + 4*(counts[1]+1)
	if len(body) != want {
		return nil, fmt.Errorf("%w: %d bytes, want %d", ErrBroken, len(body), want)
	}
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], end) {
		return nil, fmt.Errorf("%w: its checksum does not fit", ErrBroken)
	}
	r := reader{body[headBytes:]}
	n := &Network{vertices: r.spots(counts[0]), edges: make([]Edge, counts[1])}
	for i := range n.edges {
		n.edges[i] = Edge{From: r.u32(), To: r.u32(), Metres: math.Float32frombits(r.u32()), Forth: r.u32(), Back: r.u32()}
	}
	n.first = make([]uint32, counts[1]+1)
	for i := range n.first {
		n.first[i] = r.u32()
	}
	n.shape = r.spots(counts[2])
	if err := n.check(); err != nil {
		return nil, err
	}
	n.link()
	return n, nil
}

// check refuses numbers that lead out of the network.
func (n *Network) check() error {
	for _, list := range [][]spot{n.vertices, n.shape} {
		for _, s := range list {
			if !s.valid() {
				return fmt.Errorf("%w: a point that is not on earth", ErrBroken)
			}
		}
	}
	for i, e := range n.edges {
		if int(e.From) >= len(n.vertices) || int(e.To) >= len(n.vertices) || !(e.Metres >= 0) || n.first[i] > n.first[i+1] {
			return fmt.Errorf("%w: edge %d", ErrBroken, i)
		}
	}
	if n.first[0] != 0 || int(n.first[len(n.edges)]) != len(n.shape) || len(n.edges) >= 1<<31 {
		return fmt.Errorf("%w: shapes", ErrBroken)
	}
	return nil
}

type reader struct{ rest []byte }

func (r *reader) u32() uint32 {
	v := binary.LittleEndian.Uint32(r.rest)
	r.rest = r.rest[4:]
	return v
}

func (r *reader) spots(n int) []spot {
	out := make([]spot, n)
	for i := range out {
		out[i] = spot{int32(r.u32()), int32(r.u32())}
	}
	return out
}
