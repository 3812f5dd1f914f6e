// Package alarm is the rule of a patrol's call for help: it stands until somebody at the centre has
// answered it, whatever is lost or said twice meanwhile. It is pure.
package alarm

import (
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Place is where the patrol was when it called, WGS 84 degrees.
type Place struct {
	Lat       float64   `json:"lat"`
	Lon       float64   `json:"lon"`
	AccuracyM float64   `json:"accuracyM"`
	At        time.Time `json:"at"`
}

// State is the newest call for help of one patrol. The zero State is none.
type State struct {
	Ref      string        `json:"ref"` // chosen by the phone: sent twice it is one
	At       time.Time     `json:"at"`
	Place    *Place        `json:"place,omitempty"` // nil: nobody knows
	By       ident.StaffID `json:"by,omitempty"`    // who answered; empty: nobody yet
	Answered time.Time     `json:"answered"`
}

// Open reports whether the call still waits for an answer.
func (s State) Open() bool { return s.Ref != "" && s.By == "" }

// Raise returns s after a call for help. One that is still open stays the same call, since it began then,
// and takes the newer place; the same ref again is no new call after its answer either.
func Raise(s State, ref string, now time.Time, p *Place) State {
	switch {
	case s.Open():
		if p != nil && (s.Place == nil || !p.At.Before(s.Place.At)) {
			s.Place = p
		}
		return s
	case s.Ref == ref:
		return s
	}
	return State{Ref: ref, At: now, Place: p}
}

// Answer returns s after somebody has answered the call that they saw. The first answer stands. Another
// call than the one that stands is fault.NotFound: whoever answers an old one has not seen the new.
func Answer(s State, ref string, now time.Time, by ident.StaffID) (State, error) {
	if s.Ref == "" || s.Ref != ref || by == "" {
		return s, fault.New(fault.NotFound, "alarm.answer", nil)
	}
	if !s.Open() {
		return s, nil
	}
	s.By, s.Answered = by, now
	return s, nil
}
