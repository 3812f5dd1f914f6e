// Package report keeps what reports say of streams (RFC 3550 section 6.4): of received ones what was
// lost and how evenly they came, of sent ones how long the way is and which moment their timestamps
// mean. It is pure; one owner at a time. Times are nanoseconds of the wall clock since 1970.
package report

import "jedel/media/compound"

// Bounds of RFC 3550 appendix A.1.
const (
	maxDropout  = 3000 // a larger jump ahead is a new beginning
	maxMisorder = 100  // a larger one back as well
)

// Receiver keeps the statistics of one received stream. Make it with NewReceiver.
type Receiver struct {
	clock   uint32 // ticks per second
	started bool
	strange bool // bad is set

	highest uint16
	bad     uint16 // the number after one that was far from the others
	cycles  uint32 // of sequence numbers, shifted by 16
	base    uint32 // first extended number

	received   uint32
	block      mark  // the last Block
	window     mark  // the last Window
	transit    int64 // of the last packet in ticks
	jitter     int64 // in 1/16 ticks
	lastTS     uint32
	senderNTP  uint32 // middle bits of the last sender report
	senderAt   int64
	haveReport bool
}

// NewReceiver returns the statistics of a stream whose clock ticks so often per second.
func NewReceiver(clock uint32) Receiver { return Receiver{clock: clock} }

// Received notes a packet at its first transmission. Retransmitted ones are not noted: reports are
// about the path, and senders fit their redundancy to them.
func (r *Receiver) Received(seq uint16, ts uint32, at int64) {
	if !r.sequence(seq) {
		return
	}
	r.received++
	// A.8: the difference of the transit times of two packets, smoothed. Packets of one picture have
	// one timestamp and are no measure of it.
	if ts == r.lastTS && r.received > 1 {
		return
	}
	transit := ticks(at, r.clock) - int64(ts)
	if r.received > 1 {
		d := int64(int32(transit - r.transit))
		if d < 0 {
			d = -d
		}
		r.jitter += d - (r.jitter+8)>>4
	}
	r.transit, r.lastTS = transit, ts
}

// ticks is the number of ticks of a clock at a time, without overflow.
func ticks(at int64, clock uint32) int64 {
	return at/1e9*int64(clock) + at%1e9*int64(clock)/1e9
}

// sequence keeps the extended sequence number (A.1, without probation: the packet is authentic). It
// reports false for a packet that belongs to no known sequence.
func (r *Receiver) sequence(seq uint16) bool {
	delta := seq - r.highest
	switch {
	case !r.started:
		r.begin(seq)
	case delta < maxDropout:
		if seq < r.highest {
			r.cycles += 1 << 16
		}
		r.highest, r.strange = seq, false
	case delta <= 1<<16-1-maxMisorder: // far away: believed if the next one follows it
		if !r.strange || seq != r.bad {
			r.bad, r.strange = seq+1, true
			return false
		}
		r.begin(seq)
	default: // out of order, or twice
	}
	return true
}

func (r *Receiver) begin(seq uint16) {
	*r = Receiver{
		clock: r.clock, started: true, highest: seq, base: uint32(seq), jitter: r.jitter,
		senderNTP: r.senderNTP, senderAt: r.senderAt, haveReport: r.haveReport,
	}
}

// SenderReport notes a report of the stream's sender.
func (r *Receiver) SenderReport(ntp uint64, at int64) {
	r.senderNTP, r.senderAt, r.haveReport = middle(ntp), at, true
}

// Heard reports whether a packet was received.
func (r *Receiver) Heard() bool { return r.started }

// Loss is the share lost since the last Block, 0..1.
func (r *Receiver) Loss() float64 {
	sent, lost := r.since(r.block)
	if sent == 0 {
		return 0
	}
	return float64(lost) / float64(sent)
}

// Window returns how many packets were sent since the last Window, as far as their numbers tell, and how many of them were lost.
func (r *Receiver) Window() (sent, lost uint32) {
	sent, lost = r.since(r.window)
	r.window = r.now()
	return sent, lost
}

// mark is where a count began: packets that were sent and that came until then.
type mark struct{ sent, came uint32 }

func (r *Receiver) now() mark { return mark{r.expected(), r.received} }

func (r *Receiver) since(m mark) (sent, lost uint32) {
	sent = r.expected() - m.sent
	return sent, uint32(max(0, int32(sent-(r.received-m.came))))
}

func (r *Receiver) expected() uint32 {
	if !r.started {
		return 0
	}
	return r.cycles + uint32(r.highest) - r.base + 1
}

// Block returns the report block of the stream ssrc at time at and begins a new interval (A.3).
func (r *Receiver) Block(ssrc uint32, at int64) compound.Block {
	b := compound.Block{
		SSRC: ssrc, Fraction: Fraction(r.Loss()), Lost: int32(r.expected() - r.received),
		Highest: r.cycles + uint32(r.highest), Jitter: r.Jitter(),
	}
	if r.haveReport {
		b.LSR, b.DLSR = r.senderNTP, uint32(ticks(max(0, at-r.senderAt), 1<<16))
	}
	r.block = r.now()
	return b
}

// Jitter is the interarrival jitter of RFC 3550 section 6.4.1 in ticks of the stream's clock.
func (r *Receiver) Jitter() uint32 { return uint32(r.jitter >> 4) }

// Fraction turns a share into the 8 bit fraction of a report block, rounded down.
func Fraction(share float64) uint8 { return uint8(max(0, min(255, share*256))) }

// Share turns the fraction of a report block into a share.
func Share(fraction uint8) float64 { return float64(fraction) / 256 }

// NTP turns a time into 32.32 bits since 1900 (RFC 3550 section 4).
func NTP(at int64) uint64 {
	return (uint64(at/1e9)+2208988800)<<32 | uint64(at%1e9)<<32/1e9
}

// Unix turns 32.32 bits since 1900 into a time.
func Unix(ntp uint64) int64 {
	return (int64(ntp>>32)-2208988800)*1e9 + int64((ntp&0xffffffff)*1e9>>32)
}

func middle(ntp uint64) uint32 { return uint32(ntp >> 16) }
