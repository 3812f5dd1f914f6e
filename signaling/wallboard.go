package signaling

import (
	"net/http"
	"time"

	"jedel/internal/fault"
	"jedel/internal/stats"
)

// Wall is how the centre stands at one moment.
type Wall struct {
	NowMs     int64      `json:"nowMs"` // queue and seats are of this moment
	AtMs      int64      `json:"atMs"`  // the rest was counted then
	Day       string     `json:"day"`   // of the site's calendar
	Zone      string     `json:"zone"`
	UTCMin    int        `json:"utcMin"` // the site's clocks are so many minutes ahead of UTC
	Whole     bool       `json:"whole"`  // false: the contacts of the years before are being read; what stands open may be more
	LimitsRev int        `json:"limitsRev"`
	Tiles     []WallTile `json:"tiles"`
	Seats     []WallSeat `json:"seats"`
	Rostered  int        `json:"rostered"`  // people on duty by the roster
	Staffed   int        `json:"staffed"`   // seats of operators that are not off
	Available int        `json:"available"` // of them those who can take a call now, or have one
}

// WallTile is one figure. Without anything to measure it has no value.
type WallTile struct {
	Key     string   `json:"key"`
	Unit    string   `json:"unit"` // count, s, share (0..1)
	Value   *float64 `json:"value,omitempty"`
	Before  *float64 `json:"before,omitempty"`
	Against string   `json:"against"` // what before is of: minutes (five ago), week (the same time a week ago), or nothing
	Level   string   `json:"level"`   // good, warn, bad; empty where it has no limits
	Warn    float64  `json:"warn"`
	Bad     float64  `json:"bad"`
	Below   bool     `json:"below"` // limits count from below
}

// WallSeat is one operator's seat.
type WallSeat struct {
	Staff    string `json:"staff"`
	Name     string `json:"name"`
	Seat     string `json:"seat"`  // by the roster; empty: none of their own
	State    string `json:"state"` // off, ready, offered, talking, wrapup, busy, pause, not_responding, link_lost
	Reason   string `json:"reason"`
	SinceMs  int64  `json:"sinceMs"`
	Call     string `json:"call"` // which may be listened to; empty: none
	Number   string `json:"number"`
	Priority int    `json:"priority"` // 1 to 3; 0 where there is no call
	Level    string `json:"level"`
}

// LimitChange is one change of a limit.
type LimitChange struct {
	AtMs       int64   `json:"atMs"`
	By         string  `json:"by"` // name
	Key        string  `json:"key"`
	WarnBefore float64 `json:"warnBefore"`
	BadBefore  float64 `json:"badBefore"`
	Warn       float64 `json:"warn"`
	Bad        float64 `json:"bad"`
}

// WallLimit is from which value a figure wants attention, and from which it is bad.
type WallLimit struct {
	Key   string  `json:"key"`
	Warn  float64 `json:"warn"`
	Bad   float64 `json:"bad"`
	Below bool    `json:"below"`
}

// limitRequest changes one limit of those of a revision.
type limitRequest struct {
	Rev  int     `json:"rev"`
	Key  string  `json:"key"`
	Warn float64 `json:"warn"`
	Bad  float64 `json:"bad"`
}

func (o figures) wall(w http.ResponseWriter, r *http.Request, _ Who) error {
	board, err := o.stats.Wall(r.Context())
	if err == nil {
		o.answer(w, http.StatusOK, board)
	}
	return err
}

func (o figures) limits(w http.ResponseWriter, r *http.Request, _ Who) error {
	return o.showLimits(w, r, o.stats.Limits())
}

func (o figures) setLimit(w http.ResponseWriter, r *http.Request, who Who) error {
	b, err := body[limitRequest](r, "wall.limit")
	if err != nil {
		return err
	}
	c := stats.Change{At: time.Now().UTC(), By: string(who.Staff), Key: b.Key, After: stats.Limit{Warn: b.Warn, Bad: b.Bad}}
	l, err := o.stats.SetLimit(r.Context(), who, b.Rev, c)
	if err != nil {
		return err
	}
	return o.showLimits(w, r, l)
}

// showLimits answers the limits in the order of the wall, and their changes, the newest first.
func (o figures) showLimits(w http.ResponseWriter, r *http.Request, l stats.Limits) error {
	names, err := rota{o.Server}.names(r)
	if err != nil {
		return fault.New(fault.Unavailable, "wall.limits", err)
	}
	list, changes := []WallLimit{}, []LimitChange{}
	all := l.All()
	for _, key := range stats.LimitKeys() {
		list = append(list, WallLimit{key, all[key].Warn, all[key].Bad, all[key].Below})
	}
	byID := map[string]string{}
	for id, name := range names {
		byID[string(id)] = name
	}
	for i := range l.Changes {
		c := l.Changes[len(l.Changes)-1-i]
		changes = append(changes, LimitChange{c.At.UnixMilli(), byID[c.By], c.Key, c.Before.Warn, c.Before.Bad, c.After.Warn, c.After.Bad})
	}
	o.answer(w, http.StatusOK, map[string]any{"rev": l.Rev, "limits": list, "changes": changes})
	return nil
}
