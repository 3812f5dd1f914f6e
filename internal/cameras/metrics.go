package cameras

import "github.com/prometheus/client_golang/prometheus"

// metrics are this package's numbers.
type metrics struct {
	pictures, bytes, missing, packetsDropped prometheus.Counter
	failures, clips                          *prometheus.CounterVec
	connect                                  prometheus.Histogram
}

// phaseCounts tells how many cameras are in each phase when asked.
type phaseCounts struct {
	desc *prometheus.Desc
	read func() map[Phase]int
}

// Describe implements prometheus.Collector.
func (p phaseCounts) Describe(ch chan<- *prometheus.Desc) { ch <- p.desc }

// Collect implements prometheus.Collector.
func (p phaseCounts) Collect(ch chan<- prometheus.Metric) {
	counts := p.read()
	for _, phase := range []Phase{Idle, Connecting, Live, Failed} {
		ch <- prometheus.MustNewConstMetric(p.desc, prometheus.GaugeValue, float64(counts[phase]), string(phase))
	}
}

func newMetrics(reg prometheus.Registerer, phases func() map[Phase]int) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m := &metrics{
		pictures:       counter("jedel_camera_pictures_total", "Pictures from cameras."),
		bytes:          counter("jedel_camera_bytes_total", "Bytes of pictures from cameras."),
		missing:        counter("jedel_camera_missing_total", "Times that packets of a camera were missing: the picture stood still until the next key frame."),
		packetsDropped: counter("jedel_camera_packets_dropped_total", "Packets of cameras that were not read in time, counted at the end of a connection."),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_camera_failures_total",
			Help: "Ends of connections that nobody asked for, by code."}, []string{"code"}),
		clips: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jedel_camera_clips_total", Help: "Clips that ended, by end."}, []string{"end"}),
		connect: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_camera_connect_seconds",
			Help: "From the first attempt to the first picture.", Buckets: []float64{.1, .2, .5, 1, 2, 5, 10, 15}}),
	}
	reg.MustRegister(m.failures, m.clips, m.connect, phaseCounts{
		prometheus.NewDesc("jedel_cameras", "Cameras, by phase.", []string{"phase"}, nil), phases,
	})
	return m
}
