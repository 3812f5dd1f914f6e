//go:build linux

package batch

import (
	"slices"
	"testing"
)

func TestASetSaysWhereSomethingHasCome(t *testing.T) {
	s, err := NewSet()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	from := open(t, "127.0.0.1:0", Options{})
	var all []*Conn
	for id := range int32(3) {
		c := open(t, "127.0.0.1:0", Options{Asked: true})
		if err := s.Add(c, id); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	ids := make([]int32, 8)
	ready := func() []int32 {
		n, err := s.Ready(ids)
		if err != nil {
			t.Fatal(err)
		}
		out := slices.Clone(ids[:n])
		slices.Sort(out)
		return out
	}
	if got := ready(); len(got) != 0 {
		t.Fatal(got)
	}
	in := room(4, 1500)
	if n, err := all[0].TryRead(in); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	for _, id := range []int{0, 2} {
		if _, err := from.Write(letters(all[id].LocalAddr(), 90, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if got := ready(); !slices.Equal(got, []int32{0, 2}) {
		t.Fatal(got)
	}
	if n, err := all[2].TryRead(in); n != 2 || err != nil || in[0].N != 90 || in[1].Addr != from.LocalAddr() {
		t.Fatal(n, err, in[0].N, in[1].Addr)
	}
	if got := ready(); !slices.Equal(got, []int32{0}) {
		t.Fatal(got)
	}
	if err := all[0].Close(); err != nil {
		t.Fatal(err)
	}
	if got := ready(); len(got) != 0 {
		t.Fatal("a closed socket is still there:", got)
	}
	if _, err := all[0].TryRead(in); err == nil {
		t.Fatal("a closed socket was read")
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Ready(ids); err != nil {
			t.Fatal(err)
		}
		if _, err := all[1].TryRead(in); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Error(n, "allocations")
	}
}
