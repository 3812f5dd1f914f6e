// Package pktcache keeps the newest packets of one stream by sequence number, for retransmission
// (RFC 4585 section 6.2.1, RFC 4588). Their bytes lie in one arena that is written round and round,
// so that memory is bounded whatever the packets' sizes. It is pure; one owner at a time.
package pktcache

import (
	"cmp"
	"slices"
)

// maxSlots is how many sequence numbers there are.
const maxSlots = 1 << 16

// Cache is a ring of packets. Its zero value keeps nothing. A part of the memory is taken with the first
// packet, the rest as Grow asks for it.
type Cache struct {
	most    uint64 // bytes of the arena when it is grown
	size    uint64 // of the arena in bytes
	mask    uint16 // number of slots - 1
	arena   []byte
	entries []entry
	head    uint64 // bytes written since the beginning, those skipped at the end of a round too
}

// entry says where a packet lies: at arena[pos%size], as long as head has not come round to it.
type entry struct {
	pos uint64
	seq uint16
	n   uint16 // length; 0: nothing here
}

// New returns a cache of at most so many bytes, those of its index included, and of the newest
// slots sequence numbers; slots is rounded up to a power of two, and halved while the index would
// take more than half of the bytes.
func New(bytes, slots int) Cache {
	n := 1
	for n < slots && n < maxSlots {
		n <<= 1
	}
	for n > 1 && n*entrySize > bytes/2 {
		n >>= 1
	}
	most := uint64(max(0, bytes-n*entrySize))
	return Cache{most: most, size: max(min(most, leastSize), most/firstShare), mask: uint16(n - 1)}
}

// What is taken at first: a share of the arena, and what a large packet needs.
const (
	firstShare = 8
	leastSize  = 2 << 10
)

// entrySize is that of an entry in bytes.
const entrySize = 16

// Put keeps a copy of b as the packet seq, in place of an older one. A packet that is empty or does
// not fit at all is not kept.
func (c *Cache) Put(seq uint16, b []byte) {
	n := uint64(len(b))
	for n > c.size && c.size < c.most {
		c.Grow()
	}
	if n == 0 || n > c.size || n > 1<<16-1 {
		return
	}
	if c.arena == nil {
		c.arena, c.entries = make([]byte, c.size), make([]entry, int(c.mask)+1)
	}
	at := c.head % c.size
	if at+n > c.size { // a packet lies in one piece
		c.head += c.size - at
		at = 0
	}
	copy(c.arena[at:], b)
	c.entries[seq&c.mask] = entry{pos: c.head, seq: seq, n: uint16(n)}
	c.head += n
}

// Grow doubles the arena, up to what New said, and keeps what is in it. Whoever is asked for a packet
// that is no longer there calls it.
func (c *Cache) Grow() {
	if c.size >= c.most {
		return
	}
	old := *c
	c.size = min(2*c.size, c.most)
	if old.arena == nil {
		return
	}
	c.arena, c.head = make([]byte, c.size), 0
	c.entries = make([]entry, len(old.entries))
	from := uint64(0)
	if old.head > old.size {
		from = old.head - old.size
	}
	kept := slices.DeleteFunc(slices.Clone(old.entries), func(e entry) bool { return e.n == 0 || e.pos < from })
	slices.SortFunc(kept, func(a, b entry) int { return cmp.Compare(a.pos, b.pos) })
	for _, e := range kept {
		at := e.pos % old.size
		c.Put(e.seq, old.arena[at:at+uint64(e.n)])
	}
}

// Get returns the packet seq, or nil where it is not kept or no longer. The slice belongs to the
// cache and is good until the next Put.
func (c *Cache) Get(seq uint16) []byte {
	if c.arena == nil {
		return nil
	}
	e := &c.entries[seq&c.mask]
	if e.n == 0 || e.seq != seq || c.head-e.pos > c.size {
		return nil
	}
	at := e.pos % c.size
	return c.arena[at : at+uint64(e.n) : at+uint64(e.n)]
}

// Bytes is how much memory the cache has taken.
func (c *Cache) Bytes() int { return cap(c.arena) + entrySize*cap(c.entries) }
