package recorder

import "golang.org/x/sys/unix"

// clockRecord is the data of a Clock record.
type clockRecord struct {
	Wall   string `json:"wall"`
	Mono   uint64 `json:"mono"`              // nanoseconds since the call was opened
	StepMs int64  `json:"step_ms,omitempty"` // the wall clock was set by so much since the record before
	clockState
}

// clockState is what the kernel knows of its clock (adjtimex(2)).
type clockState struct {
	Synced   bool  `json:"synced"`     // somebody disciplines it
	MaxErrUs int64 `json:"max_err_us"` // bound of its error
	OffsetUs int64 `json:"offset_us"`  // still to be corrected
}

func readClock() clockState {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return clockState{}
	}
	offset := t.Offset
	if t.Status&unix.STA_NANO != 0 {
		offset /= 1000
	}
	return clockState{Synced: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, MaxErrUs: t.Maxerror, OffsetUs: offset}
}
