package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jedel/internal/outbox"
	"jedel/internal/store"
)

// content is what a message tells, as it is kept. It is without personal data once the message has ended.
type content struct {
	Number   string           `json:"number"`
	Lang     string           `json:"lang"`
	Text     string           `json:"text,omitempty"`   // whole, for SMS
	Notice   string           `json:"notice,omitempty"` // for lock screens
	Urgent   bool             `json:"urgent,omitempty"`
	UntilUs  int64            `json:"untilUs,omitempty"`
	Channels []outbox.Channel `json:"channels,omitempty"`
}

// record is one fact of internal/outbox, as it is kept.
type record struct {
	Fact     string         `json:"fact"` // begun, ended, reported, end
	Number   int            `json:"number,omitempty"`
	Channel  outbox.Channel `json:"channel,omitempty"`
	AtUs     int64          `json:"atUs,omitempty"`
	Outcome  string         `json:"outcome,omitempty"` // accepted, refused, later, unknown
	ID       string         `json:"id,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Gone     bool           `json:"gone,omitempty"`
	LaterUs  int64          `json:"laterUs,omitempty"`
	Arrived  bool           `json:"arrived,omitempty"`
	How      string         `json:"how,omitempty"`
	Repeated bool           `json:"repeated,omitempty"`
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// write makes the record of a fact.
func write(f outbox.Fact) record {
	switch f := f.(type) {
	case outbox.Begun:
		return record{Fact: "begun", Number: f.Number, Channel: f.Channel, AtUs: micros(f.At)}
	case outbox.Ended:
		r := record{Fact: "ended", Number: f.Number, AtUs: micros(f.At), Outcome: outcomeName(f.Outcome)}
		switch o := f.Outcome.(type) {
		case outbox.Accepted:
			r.ID = o.ID
		case outbox.Refused:
			r.Reason, r.Gone = o.Reason, o.Gone
		case outbox.Later:
			r.Reason, r.LaterUs = o.Reason, micros(o.At)
		case outbox.Unknown:
			r.Reason = o.Reason
		}
		return r
	case outbox.Reported:
		return record{Fact: "reported", Number: f.Number, Arrived: f.Report == outbox.Delivered}
	}
	return record{}
}

func outcomeName(o outbox.Outcome) string {
	switch o.(type) {
	case outbox.Accepted:
		return "accepted"
	case outbox.Refused:
		return "refused"
	case outbox.Later:
		return "later"
	case outbox.Unknown:
		return "unknown"
	}
	return "none"
}

// fact reads a record; nil for the end, which changes nothing in the rules.
func (r record) fact() (outbox.Fact, error) {
	switch r.Fact {
	case "begun":
		return outbox.Begun{Number: r.Number, Channel: r.Channel, At: instant(r.AtUs)}, nil
	case "ended":
		var o outbox.Outcome
		switch r.Outcome {
		case "accepted":
			o = outbox.Accepted{ID: r.ID}
		case "refused":
			o = outbox.Refused{Reason: r.Reason, Gone: r.Gone}
		case "later":
			o = outbox.Later{Reason: r.Reason, At: instant(r.LaterUs)}
		case "unknown":
			o = outbox.Unknown{Reason: r.Reason}
		}
		return outbox.Ended{Number: r.Number, Outcome: o, At: instant(r.AtUs)}, nil
	case "reported":
		report := outbox.Failed
		if r.Arrived {
			report = outbox.Delivered
		}
		return outbox.Reported{Number: r.Number, Report: report}, nil
	case "end":
		return nil, nil
	}
	return nil, fmt.Errorf("record of a message: %q", r.Fact)
}

// parcel is a message as it lives here: its row, its words, and what the rules know of it.
type parcel struct {
	row     store.Message
	content content
	rules   outbox.Message
}

var errBroken = errors.New("a message that cannot be read")

// open reads a message and its records.
func open(p outbox.Policy, m store.OpenMessage) (parcel, error) {
	out := parcel{row: m.Message}
	if err := json.Unmarshal(m.Body, &out.content); err != nil {
		return out, fmt.Errorf("%w: %w", errBroken, err)
	}
	c := out.content
	out.rules = outbox.Message{ID: m.ID, Citizen: m.Citizen, Made: m.Made, Until: instant(c.UntilUs), Urgent: c.Urgent, Channels: c.Channels}
	for _, raw := range m.Records {
		var r record
		err := json.Unmarshal(raw, &r)
		var f outbox.Fact
		if err == nil {
			f, err = r.fact()
		}
		if err == nil && f != nil {
			out.rules, err = outbox.Apply(p, out.rules, f)
		}
		if err != nil {
			return out, fmt.Errorf("%w: %w", errBroken, err)
		}
	}
	return out, nil
}
