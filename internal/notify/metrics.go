package notify

import "github.com/prometheus/client_golang/prometheus"

// metrics are the figures of this package.
type metrics struct {
	queued   prometheus.Counter
	waiting  prometheus.Gauge
	oldest   prometheus.Gauge
	attempts *prometheus.CounterVec
	ended    *prometheus.CounterVec
	repeated prometheus.Counter
	reports  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		queued:   prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_messages_queued_total", Help: "Messages to citizens that this node has queued."}),
		waiting:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_messages_waiting", Help: "Messages to citizens that no carrier has taken yet, of all nodes."}),
		oldest:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_messages_oldest_seconds", Help: "Age of the oldest message that waits; 0: none does."}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_messages_attempts_total", Help: "Attempts by their outcome: accepted, refused, later, unknown."}, []string{"channel", "outcome"}),
		ended:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_messages_ended_total", Help: "Messages that ended: delivered, accepted (no report is to be expected), refused, given_up."}, []string{"how"}),
		repeated: prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_messages_repeated_total", Help: "Attempts after one of unknown outcome: the citizen may have read the message twice."}),
		reports:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_messages_reports_total", Help: "Reports of carriers: delivered, failed, or early, before the answer they belong to."}, []string{"report"}),
	}
	reg.MustRegister(m.queued, m.waiting, m.oldest, m.attempts, m.ended, m.repeated, m.reports)
	return m
}
