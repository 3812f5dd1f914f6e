// Package pktcache keeps the newest packets of one stream by sequence number, for retransmission
// (RFC 4585 section 6.2.1, RFC 4588). Their bytes lie in one arena that is written round and round,
// so that memory is bounded whatever the packets' sizes. It is pure; one owner at a time.
package pktcache

// maxSlots is how many sequence numbers there are.
const maxSlots = 1 << 16

// Cache is a ring of packets. Its zero value keeps nothing. Memory is taken with the first packet.
type Cache struct {
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
	return Cache{size: uint64(max(0, bytes-n*entrySize)), mask: uint16(n - 1)}
}

// entrySize is that of an entry in bytes.
const entrySize = 16

// Put keeps a copy of b as the packet seq, in place of an older one. A packet that is empty or does
// not fit at all is not kept.
func (c *Cache) Put(seq uint16, b []byte) {
	n := uint64(len(b))
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
