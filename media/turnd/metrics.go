package turnd

import (
	"errors"
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

// reason is why something was refused.
type reason string

const (
	reasonGarbage   reason = "garbage"    // neither STUN nor ChannelData, or too long
	reasonMethod    reason = "method"     // a method that is not served
	reasonRate      reason = "rate"       // more requests of one address than pages send
	reasonUser      reason = "user"       // no user name of ours, or another realm
	reasonExpired   reason = "expired"    // a credential that is too old
	reasonKey       reason = "key"        // a wrong password
	reasonNonce     reason = "nonce"      // a nonce that was given to somebody else
	reasonPeer      reason = "peer"       // an address that is not our media port
	reasonStranger  reason = "stranger"   // a packet at a relayed address that is not from our media port
	reasonBandwidth reason = "bandwidth"  // over the bound of an allocation
	reasonQuota     reason = "quota"      // an allocation beyond those of a client: one that gave way, or one that was not made
	reasonFull      reason = "full"       // no room
	reasonFamily    reason = "family"     // no media address of this family
	reasonShape     reason = "shape"      // what no page asks for: ports by choice, TCP to peers
	reasonSlow      reason = "slow"       // nothing, or half of something, for too long
	reasonShut      reason = "no_streams" // more connections than there is room for
)

// metrics are this package's numbers.
type metrics struct {
	refuses  *prometheus.CounterVec
	up, down prometheus.Counter
	opened   prometheus.Counter
	missing  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, r *Relay) *metrics {
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_turn_bytes_total", Help: "Bytes relayed, by direction: up is from clients."}, []string{"direction"})
	m := &metrics{
		refuses: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_turn_refused_total", Help: "Messages, packets, connections and allocations that were refused, by reason."}, []string{"reason"}),
		up:      bytes.WithLabelValues("up"), down: bytes.WithLabelValues("down"),
		opened:  prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_turn_allocations_opened_total", Help: "Allocations made since the start."}),
		missing: prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_turn_ports_missing", Help: "Configured ports of the relay that somebody else had at the start."}),
	}
	reg.MustRegister(m.refuses, bytes, m.opened, m.missing,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "jedel_turn_allocations", Help: "Relayed addresses in use."}, func() float64 { return float64(r.book.size()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "jedel_turn_streams", Help: "Connections of clients by TCP and TLS."}, func() float64 { return float64(r.streams.size()) }))
	return m
}

func (m *metrics) refused(why reason) { m.refuses.WithLabelValues(string(why)).Inc() }

// late counts a stream that ended because its client was too slow.
func (m *metrics) late(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		m.refused(reasonSlow)
	}
}
