// Package bwe estimates how many bits a second a way has room for, from what arrives and when
// (draft-ietf-rmcat-gcc-02): a delay that grows tells of a queue before packets are lost, and loss
// tells of a way without one. Estimator looks at what we send, from the receiver's transport-wide
// feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01); Arrivals looks at what we are sent.
//
// Both know no clock: times are durations since any one moment, the same for all calls. Nothing
// allocates after New. Sent alone may run beside the other methods of its Estimator.
//
// The figures are the draft's where it has some. Three things differ, each because calls here are
// small: the rate grows faster while nothing has ever been too much, since a call cannot wait half
// a minute for its picture; a queue that stands is drained even where its delay no longer grows;
// loss that does not fall with the rate is the radio's, not ours, and takes no room away.
package bwe

import "time"

// Rates in bits per second, with all headers down to IP.
const (
	// StartBps is what is assumed before anything is known: a small picture. More floods a thin way
	// at every start, less keeps a good way waiting.
	StartBps = 150_000
	// MinBps is the least that is ever estimated. From here it must find back up.
	MinBps = 20_000
	// MaxBps is the most: nothing here needs more.
	MaxBps = 8_000_000
)

// Overhead is what IPv4, UDP and the SRTP tag add to an RTP packet, in bytes.
const Overhead = 20 + 8 + 16

// State is what an estimator thinks of its way.
type State struct {
	Bps   int           // room; StartBps before anything is known
	Full  bool          // the way was seen to have no more; else Bps is how far it was tried
	Acked int           // bits per second that arrived lately
	Queue time.Duration // how much longer packets wait than the quickest of the last minute
	Loss  float64       // 0..1, of the last second
	Own   float64       // how much of it is taken for the way's own, which no restraint would end
	Known bool          // something was measured within the last seconds
}

// stale is after which silence a measurement is none any more.
const stale = 4 * time.Second

// Estimator follows one way out.
type Estimator struct {
	sent  history
	trend trend
	rate  control
	loss  lossy
	acked meter
	voice float64 // bits per second beside what is reported on

	newest   uint16 // highest sequence number that was reported
	reported bool
	newestAt time.Duration // when the newest packet arrived, by the receiver's clock
	last     time.Duration // when a report last came
	limited  time.Duration // when the receiver's own word last came
	said     time.Duration // when that was an estimate
	state    State
}

// New returns an estimator of a way of which nothing is known.
func New() *Estimator {
	e := &Estimator{rate: newControl(), loss: newLossy(), trend: newTrend(heldOut)}
	e.state.Bps = StartBps
	return e
}

// Sent notes that the packet with a transport-wide sequence number left at a time; size is its
// length in bytes with Overhead. It may run beside the other methods, from one goroutine at a time.
func (e *Estimator) Sent(seq uint16, size int, at time.Duration) { e.sent.put(seq, size, at) }

// Feedback takes one RTCP packet of transport-wide feedback that came at a time. Errors are of the
// packet: it tells nothing then.
func (e *Estimator) Feedback(raw []byte, at time.Duration) error {
	r, err := readReport(raw)
	if err != nil {
		return err
	}
	if !e.reported || at-e.last > stale {
		e.trend.restart()
		e.acked.reset()
		e.newestAt = 0
		e.rate.restart(e.voice)
		e.loss = newLossy()
	}
	use, gap := normal, e.reported
	for {
		seq, arrived, got, more := r.next()
		if !more {
			break
		}
		if e.reported && int16(seq-e.newest) <= 0 {
			continue // told before
		}
		if got && gap {
			e.untold(seq, arrived, at)
		}
		gap = gap && !got
		e.newest, e.reported = seq, true
		sent, size, known := e.sent.get(seq, at)
		if !known {
			continue
		}
		e.loss.count(got)
		if got {
			e.acked.add(arrived, size)
			e.newestAt = max(e.newestAt, arrived)
			use = e.trend.add(sent, arrived)
		}
	}
	e.last = at
	e.update(use, at)
	return nil
}

// untold counts the packets between the last report and the one that begins now as arrived, up to
// the first that did: reports are lost too, and the rate that comes through is not less for it.
func (e *Estimator) untold(until uint16, arrived, at time.Duration) {
	for seq := e.newest + 1; int16(until-seq) > 0; seq++ {
		if _, size, known := e.sent.get(seq, at); known {
			e.acked.add(arrived, size)
		}
	}
}

// Voice says how many bits a second, with Overhead, go the same way without being reported on. They
// have their room before anything is left.
func (e *Estimator) Voice(bps int) { e.voice = float64(bps) }

func (e *Estimator) update(use usage, at time.Duration) {
	acked, queue := e.acked.bps(e.newestAt), e.trend.queue()
	all := acked + e.voice*(1-e.loss.last)
	total := e.rate.next(at, use, all, queue)
	e.loss.next(at, all, use == over)
	total = min(total, e.loss.cap)
	e.rate.rate = total // neither part runs ahead of the other
	full := e.rate.tested() || e.loss.cap <= total
	e.state = State{Bps: room(total, e.voice), Full: full, Acked: int(acked), Queue: queue, Loss: e.loss.last, Known: true}
}

// room is what the voice leaves.
func room(total, voice float64) int { return int(min(max(total-voice, MinBps), MaxBps)) }

// State returns what is thought of the way at a time.
func (e *Estimator) State(at time.Duration) State {
	s := e.state
	if at-max(e.last, e.limited) > stale {
		s.Known, s.Queue, s.Acked = false, 0, 0
	}
	return s
}

// Limit takes the receiver's own estimate (REMB, draft-alvestrand-rmcat-remb-03) or, with 0, nothing
// but the loss of its reports (RFC 3550 section 6.4.1), where it sends no transport-wide feedback.
// sent is how many bits a second of pictures go to it.
func (e *Estimator) Limit(remb int, lost float64, sent int, at time.Duration) {
	if e.reported && at-e.last < stale || remb <= 0 && e.said > 0 && at-e.said < stale {
		return // what is known is better
	}
	e.state = State{Bps: remb, Full: true, Loss: lost, Known: true}
	if remb > 0 {
		e.said = at
	} else {
		e.state.Bps = room(e.loss.only(float64(sent)+e.voice, lost, at), e.voice)
		e.state.Full = e.loss.cap < MaxBps
	}
	e.state.Bps = min(max(e.state.Bps, MinBps), MaxBps)
	e.limited = at
}
