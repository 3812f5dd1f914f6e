package pktcache

import (
	"bytes"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

func packet(seq uint16, n int) []byte {
	b := bytes.Repeat([]byte{byte(seq), byte(seq >> 8), byte(n)}, n/3+1)
	return b[:n]
}

// grown is a cache that has all its memory.
func grown(bytes, slots int) Cache {
	c := New(bytes, slots)
	for c.size < c.most {
		c.Grow()
	}
	return c
}

func TestNewestPacketsAreKeptAcrossTheWrap(t *testing.T) {
	for _, first := range []uint16{0, 1, 32767, 32768, 65534, 65535} {
		c := grown(24<<10, 128)
		for i := range uint16(500) {
			c.Put(first+i, packet(first+i, 100+int(i%7)))
		}
		for i := uint16(500 - 128); i < 500; i++ {
			if got := c.Get(first + i); !bytes.Equal(got, packet(first+i, 100+int(i%7))) {
				t.Fatalf("%d: packet %d is gone or wrong", first, first+i)
			}
		}
		if c.Get(first+500-129) != nil || c.Get(first+500) != nil {
			t.Fatal("there is what cannot be there")
		}
	}
}

func TestMemoryIsTakenWithTheFirstPacketAndBounded(t *testing.T) {
	if unsafe.Sizeof(entry{}) != entrySize {
		t.Fatal(unsafe.Sizeof(entry{}))
	}
	for _, size := range []int{24 << 10, 128 << 10} {
		c := New(size, 256)
		if c.Get(1) != nil || c.Bytes() != 0 {
			t.Fatal("memory before the first packet")
		}
		for i := range 5000 {
			c.Put(uint16(i), packet(uint16(i), 1200))
		}
		if c.Bytes() > size/2 || c.Get(uint16(4999)) == nil {
			t.Fatal("nobody has asked for so much", c.Bytes(), size)
		}
		for range 10 {
			c.Grow()
		}
		if c.Bytes() > size || c.Bytes() < size*9/10 || c.Get(uint16(4999)) == nil {
			t.Fatal(c.Bytes(), size)
		}
	}
}

func TestWhatDoesNotFitIsNotKept(t *testing.T) {
	c := New(1000, 4)
	c.Put(1, nil)
	c.Put(2, make([]byte, 2000))
	var zero Cache
	zero.Put(3, []byte{1})
	if c.Bytes() != 0 || zero.Bytes() != 0 || zero.Get(3) != nil {
		t.Fatal(c.Bytes())
	}
}

// TestWhatIsFoundIsWhatWasPut holds a cache of random size against a map, for any packets in any
// order, and that what is newest and fits is there.
func TestWhatIsFoundIsWhatWasPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size, slots := rapid.IntRange(64, 4096).Draw(t, "bytes"), rapid.IntRange(1, 64).Draw(t, "slots")
		c := New(size, slots)
		put := map[uint16][]byte{}
		var order []uint16
		seq := rapid.Uint16().Draw(t, "seq")
		for i := range rapid.IntRange(1, 200).Draw(t, "packets") {
			seq += uint16(rapid.IntRange(-3, 5).Draw(t, "step"))
			b := packet(uint16(i), rapid.IntRange(1, 300).Draw(t, "length"))
			c.Put(seq, b)
			if rapid.IntRange(0, 20).Draw(t, "grow") == 0 {
				kept := map[uint16]bool{}
				for s := seq - 80; s != seq+80; s++ {
					kept[s] = c.Get(s) != nil
				}
				c.Grow()
				for s, was := range kept {
					if was && c.Get(s) == nil {
						t.Fatalf("%d was lost by growing", s)
					}
				}
			}
			if len(b) <= int(c.size) {
				put[seq] = b
				order = append(order, seq)
			}
			for s := seq - 80; s != seq+80; s++ {
				if got := c.Get(s); got != nil && !bytes.Equal(got, put[s]) {
					t.Fatalf("%d is not what was put", s)
				}
			}
		}
		// The newest are there as long as they fit: at the end of a round less than one packet is
		// left free.
		total, seen := 300, map[uint16]bool{}
		for i := len(order) - 1; i >= 0; i-- {
			if total += len(put[order[i]]); total > int(c.size) || seen[order[i]&c.mask] {
				break
			}
			seen[order[i]&c.mask] = true
			if c.Get(order[i]) == nil {
				t.Fatalf("packet %d, put as number %d of %d, is gone", order[i], i, len(order))
			}
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	c, b, seq := New(128<<10, 256), make([]byte, 1000), uint16(0)
	c.Put(0, b)
	if n := testing.AllocsPerRun(1000, func() { seq++; c.Put(seq, b); c.Get(seq - 10) }); n != 0 {
		t.Fatal(n)
	}
}

func BenchmarkPutGet(b *testing.B) {
	c, p, seq := New(128<<10, 256), make([]byte, 1000), uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		c.Put(seq, p)
		c.Get(seq - 20)
	}
}
