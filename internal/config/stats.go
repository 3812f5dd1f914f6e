package config

import (
	"fmt"
	"slices"
	"time"

	"jedel/internal/stats"
)

// Stats is what the work of the centre is measured against.
type Stats struct {
	Answer   []AnswerTarget  `yaml:"answer"`
	Handling []time.Duration `yaml:"handling"`
}

// AnswerTarget is which share of calls should be answered within a time.
type AnswerTarget struct {
	Within time.Duration `yaml:"within"`
	Share  float64       `yaml:"share"`
}

func defaultStats() Stats {
	return Stats{
		Answer:   []AnswerTarget{{15 * time.Second, 0.9}, {20 * time.Second, 0.95}},
		Handling: []time.Duration{3 * time.Minute, 4 * time.Minute},
	}
}

// Edges are the times up to which contacts are counted: those of the targets, and some between which
// a distribution can be seen.
func (s Stats) Edges() stats.Goals {
	var g stats.Goals
	add := func(m stats.Measure, unit time.Duration, steps ...int) {
		for _, n := range steps {
			g.Within[m] = append(g.Within[m], time.Duration(n)*unit)
		}
	}
	add(stats.Answer, time.Second, 5, 10, 15, 20, 30, 45, 60, 120)
	add(stats.Handling, time.Minute, 1, 2, 3, 4, 5, 7, 10, 15)
	add(stats.Dispatch, time.Minute, 1, 2, 3, 5, 10, 20, 40)
	add(stats.Arrival, time.Minute, 3, 5, 10, 15, 20, 30, 60)
	add(stats.Reply, time.Hour, 1, 2, 4, 8, 24, 72, 168)
	for _, t := range s.Answer {
		g.Within[stats.Answer] = append(g.Within[stats.Answer], t.Within)
	}
	g.Within[stats.Handling] = append(g.Within[stats.Handling], s.Handling...)
	for m, list := range g.Within {
		slices.Sort(list)
		g.Within[m] = slices.Compact(list)
	}
	return g
}

func (s Stats) check() []error {
	var errs []error
	if len(s.Answer) == 0 || len(s.Answer) > 4 || len(s.Handling) > 4 {
		errs = append(errs, fmt.Errorf("stats: 1 to 4 targets of answer, up to 4 of handling"))
	}
	for _, t := range s.Answer {
		if t.Within < time.Second || t.Within > time.Hour || t.Share <= 0 || t.Share > 1 {
			errs = append(errs, fmt.Errorf("stats.answer: %v of %v is not a target of 1s to 1h and a share up to 1", t.Share, t.Within))
		}
	}
	for _, d := range s.Handling {
		if d < time.Second || d > 24*time.Hour {
			errs = append(errs, fmt.Errorf("stats.handling: %v is not within 1s and 24h", d))
		}
	}
	return errs
}
