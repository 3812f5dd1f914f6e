package replica

import "github.com/prometheus/client_golang/prometheus"

// metrics are what a replica tells of itself.
type metrics struct {
	waiting, oldest prometheus.Gauge
	put, compared   prometheus.Counter
	failures        *prometheus.CounterVec
	alarms          *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		waiting:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_replica_waiting_files", Help: "Closed files of recordings that have no second copy yet."}),
		oldest:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_replica_oldest_seconds", Help: "How long the oldest of them waits."}),
		put:      prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_replica_put_bytes_total", Help: "Bytes put into the bucket."}),
		compared: prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_replica_compared_total", Help: "Copies that were read back and are equal."}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_replica_failures_total", Help: "Attempts that failed, by reason."}, []string{"reason"}),
		alarms:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_replica_alarms_total", Help: "Copies that are not what they were, by kind: hidden, differs."}, []string{"kind"}),
	}
	reg.MustRegister(m.waiting, m.oldest, m.put, m.compared, m.failures, m.alarms)
	return m
}
