package batch

import (
	"testing"
	"time"
)

func TestABacklogIsSeenAndCounted(t *testing.T) {
	in, out := open(t, "127.0.0.1:0", Options{ReadBuffer: 4096}), open(t, "127.0.0.1:0", Options{})
	look := func() Backlog {
		t.Helper()
		b, err := in.Backlog()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if b := look(); b != (Backlog{}) {
		t.Errorf("%+v before anything has come", b)
	}
	const many = 200
	for range many {
		if _, err := out.WriteTo(make([]byte, 1000), in.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	b := look()
	if !b.Waits || b.Dropped == 0 || b.Dropped >= many {
		t.Errorf("%+v of %d", b, many)
	}
	got, msgs := 0, room(Most, 1500)
	for look().Waits {
		n, err := in.Read(msgs)
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	if got+int(look().Dropped) != many {
		t.Errorf("%d read and %d dropped of %d", got, look().Dropped, many)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Backlog(); err == nil {
		t.Error("a closed socket has a backlog")
	}
}

func TestStampsSayWhenDatagramsCame(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		in, out := open(t, addr, Options{Stamped: true, ReadBuffer: 1 << 20}), open(t, addr, Options{})
		begin := time.Now().UnixNano()
		send := func() {
			if _, err := out.Write(letters(in.LocalAddr(), 100, 200, 300)); err != nil {
				t.Fatal(err)
			}
		}
		send()
		between := time.Now().UnixNano()
		var at []int64
		msgs := room(Most, 1500)
		for len(at) < 6 {
			if len(at) == 3 { // it is when they came, and not when they were read, that counts
				send()
				<-time.After(30 * time.Millisecond)
			}
			if _, err := in.Read(msgs[:1]); err != nil {
				t.Fatal(err)
			}
			at = append(at, msgs[0].At)
		}
		read := time.Now().UnixNano()
		last := begin
		for i, x := range at {
			if x < last || x > read {
				t.Errorf("%s: datagram %d came at %d, after %d and before %d", addr, i, x, last, read)
			}
			last = x
		}
		if at[2] > between || read-at[5] < int64(30*time.Millisecond) {
			t.Errorf("%s: stamps %d and %d of datagrams sent before %d and 30 ms before %d", addr, at[2], at[5], between, read)
		}
	}
	in, out := open(t, "127.0.0.1:0", Options{}), open(t, "127.0.0.1:0", Options{})
	if _, err := out.Write(letters(in.LocalAddr(), 10)); err != nil {
		t.Fatal(err)
	}
	msgs := room(1, 1500)
	if _, err := in.Read(msgs); err != nil || msgs[0].At != 0 {
		t.Errorf("a stamp of %d that was not asked for, %v", msgs[0].At, err)
	}
}
