package batch

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

var kinds = map[string]Options{
	"batched":  {NoSegments: true, ReadBuffer: 1 << 20},
	"segments": {ReadBuffer: 1 << 20},
	"gathered": {Gather: 500 * time.Microsecond, ReadBuffer: 4 << 20, WriteBuffer: 4 << 20, Expedited: true},
	"plain":    {Plain: true, ReadBuffer: 1 << 20},
}

func each(t *testing.T, f func(*testing.T, Options)) {
	for name, o := range kinds {
		t.Run(name, func(t *testing.T) { f(t, o) })
	}
}

func open(t testing.TB, addr string, o Options) *Conn {
	t.Helper()
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Listen(a, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func room(n, size int) []Message {
	out := make([]Message, n)
	for i := range out {
		out[i].B = make([]byte, size)
	}
	return out
}

// letters are datagrams of the sizes to one receiver, each filled with its number.
func letters(to netip.AddrPort, sizes ...int) []Message {
	out := room(len(sizes), 1500)
	for i, n := range sizes {
		out[i].N, out[i].Addr = n, to
		for j := range n {
			out[i].B[j] = byte(i + 1)
		}
	}
	return out
}

// collect reads n datagrams.
func collect(t *testing.T, c *Conn, n int) []Message {
	t.Helper()
	var out []Message
	for len(out) < n {
		in := room(16, 2000)
		got, err := c.Read(in)
		if err != nil {
			t.Fatalf("after %d of %d: %v", len(out), n, err)
		}
		out = append(out, in[:got]...)
	}
	return out
}

func TestWhatIsWrittenIsReadInItsOrder(t *testing.T) {
	each(t, func(t *testing.T, o Options) {
		for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
			a, b := open(t, addr, o), open(t, addr, o)
			out := letters(b.LocalAddr(), 1000, 1000, 1000, 300, 90, 90, 1200, 7, 1, 1000, 1000)
			n, err := a.Write(out)
			if n != len(out) || err != nil {
				t.Fatal(n, err)
			}
			for i, m := range collect(t, b, len(out)) {
				if m.N != out[i].N || !bytes.Equal(m.B[:m.N], out[i].B[:out[i].N]) {
					t.Errorf("%s: %d: %d bytes for %d", addr, i, m.N, out[i].N)
				}
				if m.Addr != a.LocalAddr() {
					t.Errorf("%s: from %v, not %v", addr, m.Addr, a.LocalAddr())
				}
			}
		}
	})
}

func TestAnUnspecifiedAddressTakesBothFamilies(t *testing.T) {
	each(t, func(t *testing.T, o Options) {
		c, err := Listen(netip.AddrPort{}, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		for _, host := range []string{"127.0.0.1", "::1"} {
			a := open(t, net.JoinHostPort(host, "0"), o)
			to := netip.AddrPortFrom(netip.MustParseAddr(host), c.LocalAddr().Port())
			if n, err := a.Write(letters(to, 100)); n != 1 || err != nil {
				t.Fatal(host, n, err)
			}
			m := collect(t, c, 1)[0]
			if m.Addr != a.LocalAddr() || m.Addr.Addr().Is4In6() {
				t.Errorf("from %v, not %v", m.Addr, a.LocalAddr())
			}
			if n, err := c.Write(letters(m.Addr, 50)); n != 1 || err != nil {
				t.Fatal(host, n, err)
			}
			if back := collect(t, a, 1)[0]; back.N != 50 || back.Addr.Addr() != to.Addr() {
				t.Errorf("%d bytes from %v", back.N, back.Addr)
			}
		}
	})
}

func TestOneRefusalDoesNotStopTheOthers(t *testing.T) {
	each(t, func(t *testing.T, o Options) {
		a, b := open(t, "127.0.0.1:0", o), open(t, "127.0.0.1:0", o)
		out := letters(b.LocalAddr(), 500, 500, 500, 500, 500, 500)
		out[1].Addr = netip.AddrPort{}
		out[3].Addr = netip.MustParseAddrPort("[2001:db8::1]:9")
		n, err := a.Write(out)
		if n != 4 || err == nil {
			t.Fatal(n, err)
		}
		got := collect(t, b, 4)
		for i, want := range []byte{1, 3, 5, 6} {
			if got[i].B[0] != want {
				t.Errorf("%d: %d, not %d", i, got[i].B[0], want)
			}
		}
	})
}

func TestALongDatagramReadsAsEmpty(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems do not tell")
	}
	each(t, func(t *testing.T, o Options) {
		a, b := open(t, "127.0.0.1:0", o), open(t, "127.0.0.1:0", o)
		if n, err := a.Write(letters(b.LocalAddr(), 1400, 900)); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		var got []int
		for len(got) < 2 {
			in := room(4, 1000)
			n, err := b.Read(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range in[:n] {
				got = append(got, m.N)
			}
		}
		if got[0] != 0 || got[1] != 900 {
			t.Fatal(got)
		}
	})
}

func TestAReaderEndsWithItsTimeAndItsSocket(t *testing.T) {
	each(t, func(t *testing.T, o Options) {
		c := open(t, "127.0.0.1:0", o)
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, err := c.Read(room(1, 100)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(n, err)
		}
		_ = c.SetReadDeadline(time.Time{})
		done := make(chan error)
		go func() {
			_, err := c.Read(room(1, 100))
			done <- err
		}()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal("closed twice:", err)
		}
		if n, err := c.Write(letters(c.LocalAddr(), 10)); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Fatal(n, err)
		}
		if _, err := c.Read(room(1, 100)); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	})
}

func TestManyWriteAtOnce(t *testing.T) {
	each(t, func(t *testing.T, o Options) {
		a, b := open(t, "127.0.0.1:0", o), open(t, "127.0.0.1:0", o)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					if n, err := a.Write(letters(b.LocalAddr(), 800, 800, 70)); n != 3 || err != nil {
						t.Error(n, err)
					}
				}
			})
		}
		sizes := map[int]int{}
		for _, m := range collect(t, b, 120) {
			sizes[m.N]++
		}
		wg.Wait()
		if sizes[800] != 80 || sizes[70] != 40 {
			t.Fatal(sizes)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	each(t, func(t *testing.T, o Options) {
		for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
			a, b := open(t, addr, o), open(t, addr, o)
			_ = b.SetReadDeadline(time.Time{})
			out, in := letters(b.LocalAddr(), 1000, 1000, 1000, 90), room(16, 1500)
			if n := testing.AllocsPerRun(200, func() {
				if n, err := a.Write(out); n != 4 || err != nil {
					t.Fatal(n, err)
				}
				for got := 0; got < 4; {
					n, err := b.Read(in)
					if err != nil {
						t.Fatal(err)
					}
					got += n
				}
			}); n != 0 {
				t.Errorf("%s: %v", addr, n)
			}
		}
	})
}

func TestSocketsShareAPortWhereAsked(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux only")
	}
	a := open(t, "127.0.0.1:0", Options{ReusePort: true})
	b, err := Listen(a.LocalAddr(), Options{ReusePort: true})
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Close()
	if c, err := Listen(a.LocalAddr(), Options{}); err == nil {
		_ = c.Close()
		t.Fatal("taken twice without having been asked")
	}
}

func BenchmarkDatagram(b *testing.B) {
	for _, v := range []struct {
		name  string
		o     Options
		batch int
	}{
		{"plain/1", Options{Plain: true}, 1}, {"batched/1", Options{NoSegments: true}, 1}, {"batched/4", Options{NoSegments: true}, 4},
		{"batched/32", Options{NoSegments: true}, 32}, {"segments/4", Options{}, 4}, {"segments/32", Options{}, 32},
	} {
		for _, size := range []int{100, 1000} {
			b.Run(fmt.Sprintf("%s/%dB", v.name, size), func(b *testing.B) {
				from, to := open(b, "127.0.0.1:0", v.o), open(b, "127.0.0.1:0", v.o)
				_ = to.SetReadDeadline(time.Time{})
				sizes := make([]int, v.batch)
				for i := range sizes {
					sizes[i] = size
				}
				out, in := letters(to.LocalAddr(), sizes...), room(64, 1500)
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; done += v.batch {
					if _, err := from.Write(out); err != nil {
						b.Fatal(err)
					}
					for got := 0; got < v.batch; {
						n, err := to.Read(in)
						if err != nil {
							b.Fatal(err)
						}
						got += n
					}
				}
			})
		}
	}
}
