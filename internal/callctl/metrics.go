package callctl

import (
	"time"

	"jedel/internal/call"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are this package's numbers. Their names are listed in docs/OPERATIONS.md.
type metrics struct {
	created, panics, unknown prometheus.Counter
	ended                    *prometheus.CounterVec
	append, answer, talk     prometheus.Histogram
	waiting, oldest          prometheus.Gauge
	operators                *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		created: prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_calls_created_total", Help: "Calls made durable."}),
		panics:  prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_calls_panics_total", Help: "Broken invariants caught in the loop of one call."}),
		unknown: prometheus.NewCounter(prometheus.CounterOpts{Name: "jedel_calls_append_unknown_total", Help: "Appends whose outcome had to be read back from the store."}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_calls_ended_total", Help: "Calls that ended, by reason."},
			[]string{"reason"}),
		append: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_calls_append_seconds", Help: "Time until a decision was durable.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}}),
		answer: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_calls_answer_seconds", Help: "From the tap to the operator's answer.",
			Buckets: []float64{1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600}}),
		talk: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_calls_talk_seconds", Help: "From the answer to the end of the talk.",
			Buckets: []float64{10, 30, 60, 120, 180, 240, 300, 600, 1200, 3600}}),
		waiting:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_queue_waiting_calls", Help: "Calls that wait for an operator."}),
		oldest:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_queue_oldest_seconds", Help: "Age of the longest waiting call."}),
		operators: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jedel_queue_operators", Help: "Operators by state."}, []string{"state"}),
	}
	reg.MustRegister(m.created, m.panics, m.unknown, m.ended, m.append, m.answer, m.talk, m.waiting, m.oldest, m.operators)
	return m
}

// observe counts what a record tells.
func (m *metrics) observe(s call.State, rec call.Record) {
	switch f := rec.Fact.(type) {
	case call.Accepted:
		if s.AnsweredAt.Equal(rec.At) {
			m.answer.Observe(rec.At.Sub(s.QueuedAt).Seconds())
		}
	case call.HungUp:
		m.ended.WithLabelValues(f.Reason).Inc()
		if !s.AnsweredAt.IsZero() {
			m.talk.Observe(rec.At.Sub(s.AnsweredAt).Seconds())
		}
	}
}

// queue sets the gauges of the queue.
func (m *metrics) queue(s *Snapshot, now time.Time) {
	m.waiting.Set(float64(len(s.Waiting)))
	oldest := 0.0
	for _, c := range s.Waiting {
		oldest = max(oldest, now.Sub(c.QueuedAt).Seconds())
	}
	m.oldest.Set(oldest)
	m.operators.Reset()
	for _, o := range s.Operators {
		m.operators.WithLabelValues(string(o.State)).Inc()
	}
}
