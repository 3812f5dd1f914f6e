package verify

import (
	"fmt"
	"strings"
)

// Arrival is what came of one stream, by which way, and what did not. Lost is what the numbers of the
// packets tell of. Not told by anything, and so not here: packets before the first and after the last that
// came, and a packet that came late by itself after it had been asked for again, which counts as repeated.
type Arrival struct {
	Stream    uint16    `json:"stream"`
	Role      string    `json:"role"`
	Kind      string    `json:"kind"`
	Codec     string    `json:"codec"`
	Received  int       `json:"received"`  // packets, those repeated included
	Repeated  int       `json:"repeated"`  // of them: came only after they had been asked for again
	Copied    int       `json:"copied"`    // not received, but a later packet had a copy of their sound (RFC 2198)
	Lost      int       `json:"lost"`      // came in no way
	Dropped   uint64    `json:"dropped"`   // came, and the recorder could not keep them
	MissingMs int64     `json:"missingMs"` // of sound what is silent for its losses; of pictures what is shown damaged
	Partial   bool      `json:"partial"`   // some blocks are closed or damaged: what was in them counts as lost
	Missing   []Stretch `json:"missing"`
}

// Stretch is a part of the call's time with losses.
type Stretch struct {
	FromMs    int64 `json:"fromMs"`
	ToMs      int64 `json:"toMs"`
	Packets   int   `json:"packets"`
	MissingMs int64 `json:"missingMs"`
}

// Arrived takes what was counted on putting the packets in order. What was dropped, and what could not be
// read, the report knows itself.
func (r *Report) Arrived(list []Arrival) {
	for i := range list {
		a := &list[i]
		a.Partial = r.closed[a.Stream] || r.broken
		for _, s := range r.streams {
			if s.ID == a.Stream {
				a.Dropped = s.Lost
			}
		}
	}
	r.Arrivals = list
}

// text is the arrival in one line.
func (a Arrival) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d packets received, %d of them only when repeated; %d more only as copies; %d lost, %d ms",
		plain(a.Role), plain(a.Kind), a.Received, a.Repeated, a.Copied, a.Lost, a.MissingMs)
	if a.Dropped > 0 {
		fmt.Fprintf(&b, "; %d dropped by the recorder", a.Dropped)
	}
	if a.Partial {
		b.WriteString("; what could not be read counts as lost")
	}
	return b.String()
}
