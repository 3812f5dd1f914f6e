package tipline

import "github.com/prometheus/client_golang/prometheus"

// measure registers all that metrics tell of tips. Neither changes with a request: a counter read
// every few seconds would tell when a tip came.
func (l *Line) measure(reg prometheus.Registerer) {
	l.fill = prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_tips_fill_ratio", Help: "Part of tips.max_bytes that is used, in tenths, as of the last midnight or start."})
	l.serving = prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_tips_serving", Help: "1 while tips are listened for."})
	reg.MustRegister(l.fill, l.serving)
}
