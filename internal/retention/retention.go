// Package retention has the rules of how long an archive is kept and how it may end: classes,
// legal holds, deletion by two people. It is pure: records make the state, Decide makes records.
//
//	kept -> proposed -> (72 h) -> approved -> destroying -> destroyed
//	          |                      |
//	          +---- hold, extension, cancellation: back to kept
package retention

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"jedel/internal/ident"
)

const (
	// Wait is how long a proposed deletion lies open to objection before it may be approved, where
	// the policy does not say otherwise.
	// Longer keeps what nobody needs, shorter gives an investigator no time to place a hold.
	Wait = 72 * time.Hour
	// MaxSkew is how far the host's clock and the time of the log may stand apart while a deletion
	// is proposed, approved or begun. More stops deletions for an idle log, less for a busy host.
	MaxSkew = 5 * time.Minute
	// MaxHolds bounds the active holds of one archive.
	MaxHolds = 256
	// MaxText bounds case numbers and reasons in bytes: 500 letters of any script.
	MaxText = 2000
	// maxReleased is how many released holds are remembered, for a release that is repeated.
	maxReleased = 256
)

// Scheduler is who proposes when nobody does. It is no person: it may propose a deletion and
// carry an approved one out, nothing else.
const Scheduler ident.StaffID = "scheduler"

// HoldID names one legal hold of one archive. Who places the hold chooses it, so that the same
// act sent twice is one hold.
type HoldID string

// Period is a length of keeping by the calendar: "3y", "90d".
type Period struct {
	Years, Days int
}

// ErrPeriod reports text that is no period.
var ErrPeriod = errors.New(`not a period of 1 day to 100 years, such as "90d" or "10y"`)

// ParsePeriod reads a number of days (1d to 36500d) or years (1y to 100y).
func ParsePeriod(text string) (Period, error) {
	digits, unit := text, ""
	if len(text) > 0 {
		digits, unit = text[:len(text)-1], text[len(text)-1:]
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || strings.HasPrefix(digits, "0") {
		return Period{}, ErrPeriod
	}
	switch {
	case unit == "y" && n <= 100:
		return Period{Years: int(n)}, nil
	case unit == "d" && n <= 36500:
		return Period{Days: int(n)}, nil
	}
	return Period{}, ErrPeriod
}

func (p Period) String() string {
	if p.Years > 0 {
		return strconv.Itoa(p.Years) + "y"
	}
	return strconv.Itoa(p.Days) + "d"
}

// MarshalText writes the period as ParsePeriod reads it.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the period with ParsePeriod.
func (p *Period) UnmarshalText(text []byte) error {
	q, err := ParsePeriod(string(text))
	if err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	*p = q
	return nil
}

// After returns the end of the period that begins at t, in UTC. A leap day that does not exist
// becomes the day after: never sooner.
func (p Period) After(t time.Time) time.Time { return t.UTC().AddDate(p.Years, 0, p.Days) }

// Policy says how long what is kept. It decides new acts only: the dates of an archive are in its
// records, and a changed policy moves none of them.
type Policy struct {
	Classes    map[string]Period // by the class's key
	Categories map[string]string // case category -> class; what is not there has the default
	Default    string            // the class of a call whose category is not known yet
	Wait       time.Duration     // between proposal and approval of a deletion; zero: Wait
}

// wait is how long a proposed deletion lies open to objection.
func (p Policy) wait() time.Duration {
	if p.Wait == 0 {
		return Wait
	}
	return p.Wait
}

// ErrPolicy reports a policy that contradicts itself.
var ErrPolicy = errors.New("retention policy")

// Check says whether every class that is named exists.
func (p Policy) Check() error {
	if _, ok := p.Classes[p.Default]; !ok {
		return fmt.Errorf("%w: the default class %q does not exist", ErrPolicy, p.Default)
	}
	if p.Wait < 0 {
		return fmt.Errorf("%w: a wait of %v", ErrPolicy, p.Wait)
	}
	for category, class := range p.Categories {
		if _, ok := p.Classes[class]; !ok {
			return fmt.Errorf("%w: the class %q of category %q does not exist", ErrPolicy, class, category)
		}
	}
	for class, period := range p.Classes {
		if period.Years < 0 || period.Days < 0 || period == (Period{}) || class == "" {
			return fmt.Errorf("%w: class %q is kept %v", ErrPolicy, class, period)
		}
	}
	return nil
}

// ClassOf returns the class of a case category: the default for one it does not know.
func (p Policy) ClassOf(category string) string {
	if class, ok := p.Categories[category]; ok {
		return class
	}
	return p.Default
}

// Clock is the time as two sources tell it. An insider who sets the host's clock forward must not
// make evidence expire, so a deletion needs both.
type Clock struct {
	Host time.Time
	Log  time.Time // the newest time signed in the site log, or that of a replica's server
}

// agree reports whether there are two clocks and they tell the same time.
func (c Clock) agree() bool {
	d := c.Host.Sub(c.Log)
	return !c.Host.IsZero() && !c.Log.IsZero() && d <= MaxSkew && d >= -MaxSkew
}

// sure reports whether a deletion may rely on the time: both clocks agree and neither stands
// before the last record.
func (c Clock) sure(last time.Time) bool {
	return c.agree() && !c.early().Before(last.Add(-MaxSkew))
}

// early is the time that deadlines are compared with.
func (c Clock) early() time.Time {
	if c.Log.Before(c.Host) {
		return c.Log.UTC()
	}
	return c.Host.UTC()
}

// stamp is the time of a new record, never before the last one. It is the later of two clocks that
// agree, so that a wait measured from it is never too short, and the earlier of two that do not, so
// that one wrong clock does not move all later records.
func (c Clock) stamp(last time.Time) time.Time {
	at := c.Host
	switch {
	case c.agree() && c.Log.After(at):
		at = c.Log
	case !c.agree() && !c.Log.IsZero():
		at = c.early()
	}
	if at.Before(last) {
		at = last
	}
	return at.UTC().Round(0)
}
