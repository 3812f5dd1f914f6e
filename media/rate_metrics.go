package media

import (
	"jedel/media/tune"

	"github.com/prometheus/client_golang/prometheus"
)

// rateMetrics are the numbers of the ways' room and of what was made of it.
type rateMetrics struct {
	up, down  prometheus.Observer
	thin, off prometheus.Gauge
	tunes     *prometheus.CounterVec
	ended     prometheus.Counter
}

func newRateMetrics(reg prometheus.Registerer) rateMetrics {
	room := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "jedel_media_room_bytes_per_second", Help: "Room for pictures on ways that were seen full, looked at four times a second, by way.",
		Buckets: []float64{2_500, 5_000, 7_500, 12_500, 31_250, 50_000, 100_000, 200_000}}, []string{"way"})
	held := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "jedel_media_pictures_held", Help: "Connections whose pictures, sent or shown, are held back by the network, by level."}, []string{"level"})
	m := rateMetrics{
		up: room.WithLabelValues("up"), down: room.WithLabelValues("down"),
		thin: held.WithLabelValues(tune.Thin.String()), off: held.WithLabelValues(tune.Off.String()),
		tunes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jedel_media_tunes_total", Help: "Decisions that told a page to use its connection otherwise, by reason."}, []string{"why"}),
		ended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "jedel_media_pictures_ended_total", Help: "Pictures, sent or shown, that ended so that words have room."}),
	}
	reg.MustRegister(room, held, m.tunes, m.ended)
	return m
}

// note counts a decision.
func (m *rateMetrics) note(was, now tune.Decision) {
	was.Deepen = now.Deepen
	if was == now {
		return
	}
	why := string(now.Why)
	if why == "" {
		why = "none"
	}
	m.tunes.WithLabelValues(why).Inc()
	if min(now.Video, now.Shown) == tune.Off && min(was.Video, was.Shown) != tune.Off {
		m.ended.Inc()
	}
}
