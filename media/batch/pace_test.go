//go:build linux

package batch

import (
	"testing"
	"time"
)

// Under many datagrams the clock wakes the reader, and after them the socket again: what comes then is not late.
func TestGatheringBeginsAndEndsWithTheRate(t *testing.T) {
	o := Options{Gather: 500 * time.Microsecond, ReadBuffer: 4 << 20}
	from, to := open(t, "127.0.0.1:0", o), open(t, "127.0.0.1:0", o)
	p := &to.s.(*kernel).r.pace
	stop := make(chan struct{})
	sent := make(chan int)
	go func() {
		out := letters(to.LocalAddr(), 90, 1000, 1000, 1000, 1000, 90, 90, 90, 90, 90)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		total := 0
		for {
			select {
			case <-tick.C:
				n, err := from.Write(out)
				if err != nil {
					t.Error(err)
				}
				total += n
			case <-stop:
				sent <- total
				return
			}
		}
	}()
	in := room(64, 1500)
	got := 0
	read := func() {
		n, err := to.Read(in)
		if err != nil {
			t.Fatalf("after %d: %v", got, err)
		}
		got += n
	}
	for !p.busy || got < 3000 {
		read()
	}
	close(stop)
	total := <-sent
	for got < total {
		read()
	}
	// Nothing comes until it has found that out: then the deadline ends the read.
	_ = to.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := to.Read(in); err == nil {
		t.Fatal(n, "datagrams more than were sent")
	}
	if p.busy {
		t.Fatal("it still waits for the clock")
	}
	_ = to.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := from.Write(letters(to.LocalAddr(), 90)); err != nil {
		t.Fatal(err)
	}
	if read(); got != total+1 {
		t.Fatal(got, total)
	}
}
