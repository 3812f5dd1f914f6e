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

// The kernel begins to stamp a moment after it was asked for the first time, and may put off what it does with a datagram: what it could not
// stamp on its way it stamps when it is read. So some of the first may be late; stamps made by reading would all be.
func TestStampsSayWhenDatagramsCame(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		in, out := open(t, addr, Options{Stamped: true, ReadBuffer: 1 << 20}), open(t, addr, Options{})
		msgs := room(Most, 1500)
		came := false
		for range 100 {
			last := time.Now().UnixNano()
			if _, err := out.Write(letters(in.LocalAddr(), 100, 200, 300)); err != nil {
				t.Fatal(err)
			}
			sent := time.Now().UnixNano()
			<-time.After(10 * time.Millisecond)
			for i := range 3 {
				if _, err := in.Read(msgs[:1]); err != nil {
					t.Fatal(err)
				}
				if at, now := msgs[0].At, time.Now().UnixNano(); at < last || at > now {
					t.Errorf("%s: datagram %d came at %d, after %d and before %d", addr, i, at, last, now)
				}
				last = msgs[0].At
			}
			if came = last <= sent; came {
				break
			}
		}
		if !came {
			t.Errorf("%s: every datagram is stamped when it is read", addr)
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
