// Package notify brings messages to citizens: it keeps them in the store, has internal/outbox decide when
// each goes by which channel, and hands them to carriers. A message that was queued is sent after any crash.
package notify

import (
	"context"
	"time"

	"jedel/internal/outbox"
)

// Letter is one message as a carrier gets it.
type Letter struct {
	ID     string // of this attempt; a repeat has another
	Phone  string // E.164; empty for push
	Lang   string // kk, ru or en
	Number string // of the case
	Text   string // whole, for SMS; for push what a lock screen may show
	Tag    string // of the case, so that a newer notice takes an older one's place
	Urgent bool
	Until  time.Time // after that it is worthless

	Subscription Subscription // for push
}

// Subscription is where one browser takes notices (RFC 8030, RFC 8291).
type Subscription struct {
	Endpoint string
	P256dh   string // its public key, base64url
	Auth     string // its secret, base64url
}

// Carrier hands one message over. It answers in bounded time, by the end of ctx at the latest, and is
// safe for concurrent use.
type Carrier interface {
	// Send hands l over. It never panics on what a peer answers. The identifiers of what was accepted,
	// one for each part, are joined by IDSeparator in outbox.Accepted.ID.
	Send(ctx context.Context, l Letter) outbox.Outcome
}

// IDSeparator stands between the identifiers of the parts of one message.
const IDSeparator = " "

// Told is what a carrier says later about a message that it had accepted.
type Told struct {
	ID     string
	Report outbox.Report
}

// Reporter is a carrier that tells later what became of messages.
type Reporter interface {
	// Run keeps the link to the carrier until ctx ends. It calls told for each report, from one
	// goroutine, and acknowledges the report only when told has returned nil.
	Run(ctx context.Context, told func(context.Context, Told) error) error
}
