package signaling

import "github.com/prometheus/client_golang/prometheus"

// metrics are this package's numbers.
type metrics struct {
	sockets           prometheus.Gauge
	panics, previews  prometheus.Counter
	messages, refused *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		sockets:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_edge_sockets", Help: "Clients with a socket."}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_edge_panics_total", Help: "Panics caught in a request."}),
		previews: prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_edge_pictures_decoded_total", Help: "Pictures decoded to make a preview."}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_edge_messages_total", Help: "Requests taken, by type."},
			[]string{"type"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_edge_refused_total", Help: "Refusals, by code."}, []string{"code"}),
	}
	reg.MustRegister(m.sockets, m.panics, m.previews, m.messages, m.refused)
	return m
}
