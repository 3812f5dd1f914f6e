package media

import "github.com/prometheus/client_golang/prometheus"

// relayMetrics are the numbers of viewers.
type relayMetrics struct {
	shown, dropped, writeErrors prometheus.Counter
	refused, late, again        prometheus.Counter
	first                       prometheus.Histogram
}

func newRelayMetrics(reg prometheus.Registerer, viewers func() float64) *relayMetrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m := &relayMetrics{
		shown:       counter("jedel_media_viewer_pictures_total", "Pictures of cameras sent to viewers."),
		dropped:     counter("jedel_media_viewer_pictures_dropped_total", "Pictures that a slow viewer missed."),
		writeErrors: counter("jedel_media_viewer_write_errors_total", "Packets to viewers that could not be written."),
		refused:     counter("jedel_media_viewers_refused_total", "Viewers refused because there were too many."),
		late:        counter("jedel_media_viewers_late_total", "Viewers whose connection did not come up in time."),
		again:       counter("jedel_media_viewer_again_total", "Times a viewer who lost something got all since the newest key frame."),
		first: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "jedel_media_viewer_first_picture_seconds",
			Help: "From a viewer's offer to the first picture sent.", Buckets: []float64{.1, .2, .3, .5, .75, 1, 2, 5, 15}}),
	}
	reg.MustRegister(m.first, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "jedel_media_viewers", Help: "Viewers of cameras."}, viewers))
	return m
}
