package media

import (
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"jedel/media/batch"
	"jedel/media/srtpio"

	"github.com/pion/rtp"
	"golang.org/x/sys/unix"
)

// floorSources is how many send in BenchmarkFloor: both parties of 30 calls.
const floorSources = 60

// floorTarget is set to the address of the benchmark in the process that feeds it.
const floorTarget = "JEDEL_FLOOR_TARGET"

// BenchmarkFloor is the least that relaying costs on this machine, for comparison: the packets of 30 calls of two
// parties (50 of sound of 160 bytes and 30 pictures of 4 packets of 1000 bytes a second each) are read as the node
// reads them, opened, sealed and sent, and nothing else: no routes, no numbers, no repetitions, no records. Another
// process, on another core where there is one, sends and reads them. It prints processor time for each packet.
func BenchmarkFloor(b *testing.B) {
	if at := os.Getenv(floorTarget); at != "" {
		floorFeed(b, netip.MustParseAddrPort(at))
		return
	}
	c, err := batch.Listen(netip.MustParseAddrPort("127.0.0.1:0"), batch.Options{ReadBuffer: 4 << 20, Gather: time.Millisecond})
	must(b, err)
	self, err := os.Executable()
	must(b, err)
	feeder := exec.CommandContext(b.Context(), self, "-test.run=^$", "-test.bench=^BenchmarkFloor$", "-test.benchtime=1x")
	feeder.Env = append(os.Environ(), floorTarget+"="+c.LocalAddr().String())
	must(b, feeder.Start())
	defer func() {
		_ = feeder.Process.Kill()
		_ = feeder.Wait()
		must(b, c.Close())
	}()
	if runtime.NumCPU() > 1 {
		var other unix.CPUSet
		other.Set(1)
		must(b, unix.SchedSetaffinity(feeder.Process.Pid, &other))
	}
	sessions := floorSessions(b)
	msgs, send := floorMessages(batch.Most), floorMessages(batch.Most)
	used, packets := time.Duration(0), 0
	relay := func(until time.Time) {
		begin := floorUsed(b)
		must(b, c.SetReadDeadline(until.Add(bound)))
		for time.Now().Before(until) {
			n, err := c.Read(msgs)
			must(b, err)
			for i := range msgs[:n] {
				ssrc := binary.BigEndian.Uint32(msgs[i].B[8:])
				plain, _, err := sessions[ssrc].OpenRTP(msgs[i].B[:msgs[i].N])
				must(b, err)
				sealed, err := sessions[ssrc^1].SealRTP(send[i].B[:copy(send[i].B, plain)])
				must(b, err)
				send[i].N, send[i].Addr = len(sealed), msgs[i].Addr
			}
			_, err = c.Write(send[:n])
			must(b, err)
			packets += n
		}
		used += floorUsed(b) - begin
	}
	relay(time.Now().Add(time.Second)) // until caches are warm
	used, packets = 0, 0
	for b.Loop() {
		relay(time.Now().Add(3 * time.Second))
	}
	b.ReportMetric(float64(used.Nanoseconds())/1e3/float64(packets), "us/packet")
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}

func floorUsed(t testing.TB) time.Duration {
	var u unix.Rusage
	must(t, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func floorMessages(n int) []batch.Message {
	out := make([]batch.Message, n)
	for i := range out {
		out[i].B = make([]byte, outSize)
	}
	return out
}

// floorSessions are those of the parties, by SSRC. The other party's has the number that differs in the last bit.
func floorSessions(t testing.TB) []*srtpio.Session {
	out := make([]*srtpio.Session, floorSources)
	for i := range out {
		var err error
		out[i], err = srtpio.Fixed([16]byte{byte(i)}, [12]byte{2})
		must(t, err)
	}
	return out
}

// floorFeed sends to an address until it is killed, and reads what comes back.
func floorFeed(t testing.TB, to netip.AddrPort) {
	sessions, next := floorSessions(t), make([]uint16, floorSources)
	var conns []*batch.Conn
	for range floorSources {
		c, err := batch.Listen(netip.MustParseAddrPort("127.0.0.1:0"), batch.Options{ReadBuffer: 1 << 20, Asked: true})
		must(t, err)
		conns = append(conns, c)
	}
	in, out := floorMessages(batch.Most), floorMessages(4)
	send := func(source, packets, size int) {
		for i := range out[:packets] {
			h := rtp.Header{Version: 2, PayloadType: 96, SSRC: uint32(source), SequenceNumber: next[source]}
			next[source]++
			n, err := h.MarshalTo(out[i].B)
			must(t, err)
			sealed, err := sessions[source].SealRTP(out[i].B[:n+size])
			must(t, err)
			out[i].N, out[i].Addr = len(sealed), to
		}
		_, err := conns[source].Write(out[:packets])
		must(t, err)
	}
	begin, tick := time.Now(), time.NewTicker(time.Millisecond/2)
	for sounds, pictures := 0, 0; ; <-tick.C {
		passed := time.Since(begin)
		for ; sounds < int(passed.Seconds()*50*floorSources); sounds++ {
			send(sounds%floorSources, 1, 160)
		}
		for ; pictures < int(passed.Seconds()*30*floorSources); pictures++ {
			send(pictures%floorSources, 4, 1000)
		}
		for _, c := range conns {
			_, err := c.TryRead(in)
			must(t, err)
		}
	}
}
