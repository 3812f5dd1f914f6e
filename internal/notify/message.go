package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"jedel/internal/ident"
	"jedel/internal/notice"
	"jedel/internal/outbox"
	"jedel/internal/store"
)

// Message is what the rest of the program wants to tell a citizen.
type Message struct {
	Case     string
	Version  uint64 // which of the things told about the case: with case and kind it makes the message one
	To       Citizen
	Lang     string // kk, ru or en
	Kind     notice.Kind
	Args     notice.Args
	Urgent   bool      // in quiet hours too
	Discreet bool      // the text message too says only that there is news
	Until    time.Time // after that it is worthless; zero: as the policy says
}

// Citizen is whom a message is for. Whoever wrote a report, made a call or registered gets notices in their
// browser where they asked for them; a phone gets text messages.
type Citizen struct {
	Phone  string // E.164; empty or malformed: none
	Caller ident.CallerID
	Report string         // SHA-256 of the report's key, hexadecimal
	Page   ident.ClientID // of the page that made a call, where nobody is registered
}

var phoneShape = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// ReportCitizen is what whoever has a report's key is called in messages and subscriptions.
func ReportCitizen(hash string) string { return "report:" + hash }

// PageCitizen is what the page that made a call is called in messages and subscriptions.
func PageCitizen(id ident.ClientID) string { return "page:" + string(id) }

// name is whose messages keep their order. It holds no address: a phone alone counts within its case.
func (c Citizen) name(cas string) string {
	switch {
	case c.Report != "":
		return ReportCitizen(c.Report)
	case c.Caller != "":
		return store.CallerCitizen(c.Caller)
	case c.Page != "":
		return PageCitizen(c.Page)
	}
	sum := sha256.Sum256([]byte(cas + " " + c.Phone))
	return "case:" + cas + ":" + hex.EncodeToString(sum[:2])
}

// ErrMessage reports a message that nothing can be made of: without a case, or of an unknown kind.
var ErrMessage = errors.New("not a message")

// MessageID is the name under which a message is kept. How the citizen is reached is no part of it: they may
// leave a phone or allow notices later, and what they were told by then is not told again.
func (m Message) MessageID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{m.Case, strconv.FormatUint(m.Version, 10), string(m.Kind)}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Enqueue keeps a message, and sends it when its time comes. It is durable when Enqueue returns nil; enqueued
// again it is the same message. Without a way to the citizen it is kept too, and ends at once with that reason.
func (s *Sender) Enqueue(ctx context.Context, m Message) (id string, err error) {
	if m.Case == "" || len(m.Case) > 64 || !slices.Contains(notice.Kinds(), m.Kind) || m.Kind == notice.Code {
		return "", fmt.Errorf("%w: case %q, kind %q", ErrMessage, m.Case, m.Kind)
	}
	if !phoneShape.MatchString(m.To.Phone) {
		m.To.Phone = ""
	}
	citizen := m.To.name(m.Case)
	row := store.Message{ID: m.MessageID(), Case: m.Case, Citizen: citizen, Phone: m.To.Phone, Kind: string(m.Kind), Made: time.Now()}
	c := content{Number: m.Args.Number, Lang: m.Lang, Urgent: m.Urgent, UntilUs: micros(m.Until), Channels: s.ways(m.To)}
	c.Notice = s.cfg.Texts.Render(notice.News, m.Lang, m.Args, 2)
	c.Text = c.Notice
	if !m.Discreet {
		c.Text = s.cfg.Texts.Render(m.Kind, m.Lang, m.Args, s.cfg.MaxParts)
	}
	if row.Body, err = json.Marshal(c); err != nil {
		return "", err
	}
	row.MessageState = store.MessageState{Stage: StageQueued, At: row.Made, Due: row.Made}
	added, err := s.cfg.Store.AddMessage(ctx, row)
	if err != nil {
		return "", fmt.Errorf("enqueue: %w", err)
	}
	if added {
		s.met.queued.Inc()
		s.wake()
	}
	return row.ID, nil
}

// ways are the channels that lead to a citizen, in the configured order.
func (s *Sender) ways(to Citizen) (list []outbox.Channel) {
	for _, c := range s.cfg.Channels {
		switch {
		case s.cfg.Carriers[c] == nil:
		case c == outbox.SMS && !s.reached(to.Phone), c == outbox.Push && to.Report == "" && to.Caller == "" && to.Page == "":
		default:
			list = append(list, c)
		}
	}
	return list
}

// reached tells whether text messages are sent to a phone: a number of elsewhere may cost whatever its owner likes.
func (s *Sender) reached(phone string) bool {
	return phoneShape.MatchString(phone) && slices.ContainsFunc(s.cfg.Prefixes, func(p string) bool { return strings.HasPrefix(phone, p) })
}

// The stages of a message.
const (
	StageQueued    = "queued"    // it waits for its time or another try
	StageSending   = "sending"   // a carrier is asked
	StageSent      = "sent"      // a carrier has it
	StageDelivered = "delivered" // it reached the phone
	StageFailed    = "failed"    // every way refused it, or the carrier told so
	StageGivenUp   = "given_up"  // time or tries are used up
)

// Status is how one message stands, for those who work on the case.
type Status struct {
	ID      string
	Citizen string
	Kind    notice.Kind
	Made    time.Time
	Stage   string
	At      time.Time // since when
	Channel outbox.Channel
	Reason  string // why it did not arrive; empty: nothing is known
	Ended   bool
}

// Case tells how the messages about a case stand, the oldest first.
func (s *Sender) Case(ctx context.Context, id string) ([]Status, error) {
	list, err := s.cfg.Store.CaseMessages(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]Status, len(list))
	for i, m := range list {
		out[i] = Status{
			ID: m.ID, Citizen: m.Citizen, Kind: notice.Kind(m.Kind), Made: m.Made, Stage: m.Stage, At: m.At, Channel: outbox.Channel(m.Channel), Reason: m.Reason, Ended: m.Ended,
		}
	}
	return out, nil
}

// ErrNoSMS means that no carrier of text messages is configured, or none that reaches the phone.
var ErrNoSMS = errors.New("no way to send text messages to this phone")

// Direct sends a text message at once and keeps nothing of it: a one-time code is worthless later.
func (s *Sender) Direct(ctx context.Context, phone, lang string, k notice.Kind, a notice.Args) (outbox.Outcome, error) {
	c := s.cfg.Carriers[outbox.SMS]
	if c == nil || !s.reached(phone) {
		return nil, ErrNoSMS
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Policy.AnswerTime)
	defer cancel()
	o := s.ask(ctx, c, Letter{
		ID: string(ident.New[ident.FileID]()), Phone: phone, Lang: lang, Text: s.cfg.Texts.Render(k, lang, a, s.cfg.MaxParts), Urgent: true, Until: time.Now().Add(directLife),
	})
	s.met.attempts.WithLabelValues(string(outbox.SMS), outcomeName(o)).Inc()
	return o, nil
}

// directLife is how long a carrier may try to bring what was sent at once.
const directLife = 10 * time.Minute
