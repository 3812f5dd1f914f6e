package media

import "github.com/prometheus/client_golang/prometheus"

// metrics are this package's numbers.
type metrics struct {
	peers, idle                    prometheus.Gauge
	received, forwarded, bytes     prometheus.Counter
	queueDrops, stale, waitKey     prometheus.Counter
	writeErrors, eventsDropped     prometheus.Counter
	refused, keyframes, reconnects prometheus.Counter
	setup                          prometheus.Histogram
	refusedPackets, unknown        prometheus.Counter
	signalDrops, readErrors        prometheus.Counter
	overflow                       prometheus.Counter
	direct, plain                  prometheus.Counter
	asked, repeated, unanswered    prometheus.Counter
	restored                       prometheus.Counter
	singlesDropped, streamsRefused prometheus.Counter
	lost                           *prometheus.CounterVec
	rate                           rateMetrics
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	dropped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jedel_media_packets_dropped_total", Help: "Packets that were not forwarded, by reason."}, []string{"reason"})
	m := &metrics{
		peers:          prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_media_peers", Help: "Peers."}),
		idle:           prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_media_idle_peers", Help: "Warmed connections of pages without a call."}),
		received:       counter("jedel_media_packets_received_total", "RTP packets from peers."),
		forwarded:      counter("jedel_media_packets_forwarded_total", "RTP packets sent to peers."),
		bytes:          counter("jedel_media_sent_bytes_total", "Bytes of RTP payload sent to peers."),
		queueDrops:     dropped.WithLabelValues("queue"),
		stale:          dropped.WithLabelValues("stale"),
		waitKey:        dropped.WithLabelValues("keyframe"),
		writeErrors:    dropped.WithLabelValues("write"),
		unknown:        dropped.WithLabelValues("unknown"),
		singlesDropped: dropped.WithLabelValues("single"),
		refusedPackets: dropped.WithLabelValues("refused"),
		asked:          counter("jedel_media_packets_asked_total", "Missing packets asked of peers, each time it was asked for."),
		repeated:       counter("jedel_media_packets_repeated_total", "Packets sent again to peers that asked for them."),
		unanswered:     counter("jedel_media_packets_unanswered_total", "Packets that peers asked for and did not get again: too old, too soon or too many."),
		restored:       counter("jedel_media_frames_restored_total", "Frames of lost packets of sound that came as copies with later ones."),
		streamsRefused: counter("jedel_media_streams_refused_total", "TCP connections refused at the port of ICE over TCP: too many, or too many of one address."),
		signalDrops:    dropped.WithLabelValues("signals"),
		readErrors:     counter("jedel_media_read_errors_total", "Errors of reading from a UDP socket."),
		overflow:       dropped.WithLabelValues("overflow"),
		eventsDropped:  counter("jedel_media_events_dropped_total", "Events the app did not take in time."),
		refused:        counter("jedel_media_refused_total", "Peers refused because there were too many."),
		keyframes:      counter("jedel_media_keyframe_requests_total", "Keyframes asked of sources."),
		reconnects:     counter("jedel_media_reconnects_total", "Connections that replaced one of the same client."),
		setup: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_media_setup_seconds", Help: "From the offer to a connected transport.",
			Buckets: []float64{.05, .1, .2, .3, .5, .75, 1, 2, 5, 15}}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_media_packets_lost_total",
			Help: "Packets that never arrived from peers, by kind."}, []string{"kind"}),
	}
	m.rate = newRateMetrics(reg)
	ways := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jedel_media_connections_total", Help: "Connections that came up, by the way of their media."}, []string{"way"})
	m.direct, m.plain = ways.WithLabelValues("direct"), ways.WithLabelValues("plain")
	reg.MustRegister(ways, m.peers, m.idle, m.setup, m.lost, dropped)
	return m
}

// note counts what became of a packet for one receiver.
func (m *metrics) note(f fate, bytes int) {
	switch f {
	case fateSent:
		m.forwarded.Inc()
		m.bytes.Add(float64(bytes))
	case fateStale:
		m.stale.Inc()
	case fateKey:
		m.waitKey.Inc()
	case fateError:
		m.writeErrors.Inc()
	case fateSend, fateUnbound:
	}
}
