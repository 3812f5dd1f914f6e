package watch

import (
	"math"
	"slices"
	"time"
)

// Figure is the spread of one measured time, in milliseconds.
type Figure struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	Max float64 `json:"max"`
}

// samples are the measurements of one figure.
type samples []time.Duration

// FigureOf returns the spread of measurements.
func FigureOf(all []time.Duration) Figure { return samples(all).figure() }

// figure sorts s and returns its spread. A percentile is the smallest sample that is at least as
// large as that share of all (nearest rank), so that it is always one that was measured.
func (s samples) figure() Figure {
	if len(s) == 0 {
		return Figure{}
	}
	slices.Sort(s)
	return Figure{N: len(s), P50: s.rank(0.50), P95: s.rank(0.95), Max: s.rank(1)}
}

func (s samples) rank(share float64) float64 {
	i := int(math.Ceil(share*float64(len(s)))) - 1
	return math.Round(float64(s[max(i, 0)])/1e4) / 100
}

// Counts are numbers of calls and of bots.
type Counts struct {
	Tapped   int `json:"tapped"`
	Created  int `json:"created"`
	Offered  int `json:"offered"`
	Answered int `json:"answered"`
	Ended    int `json:"ended"`
	ChatSaid int `json:"chatSaid"`
	ChatRead int `json:"chatRead"`
	Failed   int `json:"botsFailed"`
}

// Times are the figures that the goals speak of, in milliseconds.
type Times struct {
	TapToCreated        Figure `json:"tapToCreated"`
	TapToRinging        Figure `json:"tapToRinging"` // includes the wait for a free operator where there is one
	AcceptToOK          Figure `json:"acceptToOk"`
	AcceptToAudio       Figure `json:"acceptToAudio"`       // the operator's press until the caller's first packet
	AcceptToPicture     Figure `json:"acceptToPicture"`     // until the first packet of pictures
	AcceptToCallerAudio Figure `json:"acceptToCallerAudio"` // until the caller has the operator's first packet
	SocketSetUp         Figure `json:"socketSetUp"`         // dial to welcome
	MediaSetUp          Figure `json:"mediaSetUp"`          // offer to connected
}

// Report is what a run came to.
type Report struct {
	Calls      Counts          `json:"calls"`
	Millis     Times           `json:"ms"`
	Legs       map[string]Legs `json:"legs"` // by role
	Steady     *Steady         `json:"steady,omitempty"`
	Errors     []string        `json:"errors,omitempty"`
	Violations []Violation     `json:"violations"`
}
