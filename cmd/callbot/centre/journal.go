package centre

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"jedel/cmd/callbot/watch"
)

// Event is one line of what happens.
type Event struct {
	At   time.Duration // since the centre opened
	Who  string        // call 3, report 12, patrol2, dispatcher
	What string
}

// Summary is what it all came to.
type Summary struct {
	Seconds    float64           `json:"seconds"`
	Calls      watch.Counts      `json:"calls"`
	GaveUp     int               `json:"callersGaveUp"`
	CalledBack int               `json:"calledBack"`
	Reports    Reports           `json:"reports"`
	Patrols    Patrols           `json:"patrols"`
	Cases      Cases             `json:"cases"`
	Skipped    int               `json:"skipped"` // jobs that were too many at once
	Violations []watch.Violation `json:"violations"`
	Errors     []string          `json:"errors"`
}

// Reports counts what citizens sent and were told.
type Reports struct {
	Registered   int `json:"registered"`
	Refused      int `json:"refused"`
	Files        int `json:"files"`
	FilesRefused int `json:"filesRefused"`
	Replied      int `json:"replied"`
	Reopened     int `json:"reopened"`
}

// Patrols counts what patrols did.
type Patrols struct {
	OnDuty   int `json:"onDuty"`
	Accepted int `json:"accepted"`
	Declined int `json:"declined"`
	OnScene  int `json:"onScene"`
	Cleared  int `json:"cleared"`
	Joined   int `json:"joinedCalls"`
	Offline  int `json:"lostNetwork"`
	Photos   int `json:"photos"`
}

// Cases counts what the desk did.
type Cases struct {
	Classified int `json:"classified"`
	Merged     int `json:"merged"`
	Sent       int `json:"sent"`
	Closed     int `json:"closed"`
}

// maxErrors bounds the errors that are kept: what fails once a second would fill the memory.
const maxErrors = 100

// journal takes events of all, and counts. Its owner is everybody.
type journal struct {
	began time.Time
	say   func(Event)
	book  *watch.Book

	mu  sync.Mutex // guards sum
	sum Summary
}

func newJournal(say func(Event)) *journal {
	return &journal{began: time.Now(), say: say, book: watch.NewBook()}
}

// tell tells one thing; count enters it in the summary.
func (j *journal) tell(count func(*Summary), who, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock() // also over the line: lines do not mix
	if count != nil {
		count(&j.sum)
	}
	j.say(Event{time.Since(j.began), who, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")})
}

// fault tells what went wrong and should not have.
func (j *journal) fault(who string, err error) {
	j.tell(func(s *Summary) {
		if len(s.Errors) < maxErrors {
			s.Errors = append(s.Errors, who+": "+err.Error())
		}
	}, who, "FAILED %v", err)
}

// summary closes the journal. That a call ended without ever ringing is no fault here: a centre of a few
// people has callers who give up.
func (j *journal) summary() Summary {
	r := j.book.Report(true)
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.sum
	s.Seconds, s.Calls, s.Violations = time.Since(j.began).Seconds(), r.Calls, []watch.Violation{}
	for _, v := range r.Violations {
		if v.Kind != watch.NeverRang {
			s.Violations = append(s.Violations, v)
		}
	}
	s.Errors = append([]string{}, append(s.Errors, r.Errors...)...)
	return s
}
