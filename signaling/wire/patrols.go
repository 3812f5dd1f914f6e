package wire

// PatrolRow is a patrol on the board. Times are milliseconds since 1970 UTC.
type PatrolRow struct {
	Patrol    string   `json:"patrol"`
	Name      string   `json:"name"`
	Unit      string   `json:"unit"`
	State     string   `json:"state"`  // off, available, assigned, accepted, en_route, on_scene
	Case      string   `json:"case"`   // empty: none
	Number    string   `json:"number"` // of the case
	Late      bool     `json:"late"`   // it was sent and has not answered in time
	SinceMs   int64    `json:"sinceMs"`
	Lat       *float64 `json:"lat,omitempty"`
	Lon       *float64 `json:"lon,omitempty"`
	AccuracyM float64  `json:"accuracyM"`
	FixMs     int64    `json:"fixMs"` // 0: nobody knows where it is
}

// MaxPatrolRows bounds the rows of one PatrolsMoved: a message stays below 64 KiB.
const MaxPatrolRows = 100

// PatrolsMoved is news to consoles of how some patrols stand now, at most twice a second; those not
// named stand as before. One that went off duty is named once more, as off.
type PatrolsMoved struct {
	Patrols []PatrolRow `json:"patrols"`
}
