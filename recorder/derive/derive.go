// Package derive makes from one archive what people look at: a playable file for each
// participant and the timeline of the call. The archive holds packets as they came; here they
// are put in order, placed on one clock and written into WebM or MP4 without re-encoding. The
// same archive always gives the same bytes. Nothing made here is evidence: it can be thrown away
// and made again.
package derive

import (
	"encoding/json"
	"errors"
	"time"

	"jedel/internal/ident"
)

// Reasons why there is nothing to give. Nothing has been written when they are returned.
var (
	ErrNoParticipant = errors.New("no such participant")
	ErrNothing       = errors.New("nothing to play")
	ErrNoBlob        = errors.New("no such blob")
	ErrBadBlob       = errors.New("blob is incomplete or does not match its hash")
)

// Recording is one archive, read and put in order. It is not changed after Load and may be used
// by several goroutines at once.
type Recording struct {
	Call         ident.CallID
	Opened       time.Time     // wall clock of the moment that all times count from
	Duration     time.Duration // until the last durable record
	Sealed       bool          // false: running, or left by a crash
	Participants []Participant
	Positions    []Entry
	Chat         []Entry
	Events       []Entry
	Gaps         []Interval // where records are missing by the recorder's own account
	Damage       []Fault    // what could not be read of the archive
	Blobs        []Blob

	src   source
	parts []*part // one for each participant
}

// Participant is one side of the call as the recorder named it.
type Participant struct {
	ID      string
	Role    string
	Streams []Stream
}

// Stream is one recorded track with what was counted in it.
type Stream struct {
	ID          uint16 // its number in the archive
	Kind        string // audio, video
	Codec       string // opus, vp8, vp9, h264, av1; else as recorded, and not playable
	Mid, RID    string
	SSRCs       []uint32
	From, To    time.Duration // first and last sample on the call clock; both 0 without any
	Clock       string        // sr: placed by sender reports; arrival: by arrival alone
	Packets     int           // that arrived, those that came repeated included
	Recovered   int           // of them came only as a repetition: they had been asked for again
	Copied      int           // never arrived, but a later packet had a copy of their sound
	Lost        int           // never arrived in any way
	Missing     time.Duration // all stretches with losses together: of sound exactly what is silent for it
	Duplicates  int
	Stray       int // packets that belong to no sequence
	Keyframes   int
	Resolutions []Resolution
}

// Resolution is a picture size and when it was first shown.
type Resolution struct {
	At            time.Duration
	Width, Height int
}

// Entry is one record of the call's journal: a position, a line of chat, an event.
type Entry struct {
	At   time.Duration
	Kind string // the record's kind; for events the name inside the record, if it has one
	Body json.RawMessage
}

// CauseLoss is the cause of an interval of which packets were lost on the way.
const CauseLoss = "loss"

// Interval is a stretch of one stream that is missing or damaged.
type Interval struct {
	From, To    time.Duration
	Stream      uint16
	Participant string
	Kind        string // audio, video; empty for the whole call
	Cause       string // loss, no_keyframe, ssrc_change, overlap, or the recorder's own word
	Packets     int    // packets lost within, as far as known
}

// Fault is a place of the archive that could not be read.
type Fault struct {
	At    time.Duration // nearest known time
	Until time.Duration // where it is a stretch; else 0
	Where string        // segment and offset, or the file
	What  string
}

// Blob is a file sent within the call.
type Blob struct {
	ID     string
	At     time.Duration
	Name   string
	Mime   string
	Size   int64
	SHA256 string // hex, of the file as sent

	Declared *BlobFacts // as its sender said; nil: nothing
	Found    *BlobFacts // as the file says; nil: nothing
	Marks    []string   // what was noticed

	chunks []place
}
