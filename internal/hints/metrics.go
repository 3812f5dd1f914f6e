package hints

import "github.com/prometheus/client_golang/prometheus"

// metrics are the figures of this package.
type metrics struct {
	up      prometheus.Gauge
	alone   *prometheus.CounterVec
	dropped *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		up: prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_hints_up", Help: "1 while hints are shared as configured, 0 while this node answers alone."}),
		alone: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_hints_alone_total",
			Help: "Questions that this node answered alone because Redis did not."}, []string{"what"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_hints_dropped_total",
			Help: "Wake-ups and counters given up: reader too slow, foreign message, table full."}, []string{"reason"}),
	}
	reg.MustRegister(m.up, m.alone, m.dropped)
	return m
}
