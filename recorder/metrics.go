package recorder

import "github.com/prometheus/client_golang/prometheus"

// metrics are this package's numbers.
type metrics struct {
	open, free, rung            prometheus.Gauge
	bytes, heads, records       prometheus.Counter
	errors, recoveries, damaged prometheus.Counter
	sync, lag                   prometheus.Histogram
	dropped                     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m := &metrics{
		open:       prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_recorder_open_archives", Help: "Archives being written."}),
		rung:       prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_recorder_space_rung", Help: "What is given up because the disk fills: 0 nothing, 1 warn, 2 no extras, 3 new calls elsewhere, 4 no pictures, 5 the last."}),
		free:       prometheus.NewGauge(prometheus.GaugeOpts{Name: "jedel_recorder_free_ratio", Help: "Share of free bytes where archives are kept."}),
		bytes:      counter("jedel_recorder_durable_bytes_total", "Bytes made durable."),
		heads:      counter("jedel_recorder_heads_total", "Heads signed."),
		records:    counter("jedel_recorder_blocks_total", "Blocks made durable."),
		errors:     counter("jedel_recorder_write_errors_total", "Writes or fdatasyncs that failed; each began a new segment."),
		damaged:    counter("jedel_recorder_damaged_total", "Archives of earlier lives that do not agree with their own signed heads: bytes are lost, rotten or changed."),
		recoveries: counter("jedel_recorder_recoveries_total", "Archives continued after a crash."),
		sync: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_recorder_fdatasync_seconds", Help: "Time of one fdatasync.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_recorder_durable_lag_seconds", Help: "From the first record of a flush to its durability.",
			Buckets: []float64{.1, .2, .3, .4, .5, .75, 1, 2, 3, 5, 10, 30}}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_recorder_dropped_records_total",
			Help: "Records not kept, by cause. Each is declared in the archive."}, []string{"cause"}),
	}
	reg.MustRegister(m.open, m.free, m.rung, m.sync, m.lag, m.dropped)
	return m
}
