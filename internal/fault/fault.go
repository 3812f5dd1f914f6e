// Package fault has the refusals of the protocol: a stable code for programs, words in three
// languages for people, and the cause, which stays in the log.
package fault

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
)

// Code is the stable name of a refusal. Codes are part of the protocol: they are added, never
// renamed. Each has its words in words.json and a line in docs/PROTOCOL.md.
type Code string

// Codes of the protocol. The first group concerns the message, the second the sender, the third
// the call, the fourth media and files, the fifth the keeping of archives, the one before the last
// anonymous tips, the last this service.
const (
	BadMessage   Code = "bad_message"   // not JSON, wrong shape, unknown or doubled key
	TooLarge     Code = "too_large"     // over a size limit; nothing was read further
	TooDeep      Code = "too_deep"      // JSON nested deeper than 16
	UnknownType  Code = "unknown_type"  // no such request
	BadValue     Code = "bad_value"     // the shape is right, a value is out of range
	RateLimited  Code = "rate_limited"  // too many messages, codes, sign-ins
	WrongVersion Code = "wrong_version" // the client speaks a version we no longer know

	NotSignedIn   Code = "not_signed_in"  // no, expired or forged token
	BadSignIn     Code = "bad_sign_in"    // wrong login, password or second factor
	TOTPNeeded    Code = "totp_needed"    // the password is right, the second factor is missing
	Forbidden     Code = "forbidden"      // signed in, but not allowed
	ForeignOrigin Code = "foreign_origin" // the page was not served by us
	BadCode       Code = "bad_code"       // wrong or expired one-time code
	BadPhone      Code = "bad_phone"      // not a phone number that can be reached
	Replaced      Code = "replaced"       // a newer tab of the same person took over

	NoSuchCall     Code = "no_such_call"  // unknown, or not yours
	WrongState     Code = "wrong_state"   // the call is not in a state for this request
	OfferExpired   Code = "offer_expired" // the offer was withdrawn or answered elsewhere
	NotReady       Code = "not_ready"     // the operator cannot take this now
	NoSuchOperator Code = "no_such_operator"
	AlreadyInCall  Code = "already_in_call"

	BadSDP        Code = "bad_sdp"       // over the limits, no fingerprint, SDES, not WebRTC
	BadCandidate  Code = "bad_candidate" // malformed or of a forbidden address
	TooMany       Code = "too_many"      // candidates, peers, files
	BadFile       Code = "bad_file"      // the content is not a picture we accept
	NoSuchFile    Code = "no_such_file"
	WrongHash     Code = "wrong_hash"      // what came has another SHA-256 than was declared; it may be sent again
	WrongOffset   Code = "wrong_offset"    // the part does not begin where the file ends; ask where it does
	NotAsDeclared Code = "not_as_declared" // another length than was declared
	NoPreview     Code = "no_preview"      // this kind of file has none
	NoRoom        Code = "no_room"         // the disk takes no more files now; the report itself is kept
	NoSuchArchive Code = "no_such_archive"
	MediaRefused  Code = "media_refused" // no transport can be made now; the call goes on in text
	NoSuchCamera  Code = "no_such_camera"
	LimitsChanged Code = "limits_changed" // somebody else changed the limits of the wallboard meanwhile
	CameraUnfit   Code = "camera_unfit"   // browsers cannot show this camera's video
	NoSuchClip    Code = "no_such_clip"

	OnHold           Code = "on_hold"           // a legal hold forbids it
	RetentionRunning Code = "retention_running" // the archive must still be kept
	SecondPerson     Code = "second_person"     // the same person may not do both steps
	TooEarly         Code = "too_early"         // the wait of 72 hours is not over
	WouldShorten     Code = "would_shorten"     // keeping may be shortened by two people only
	ClockUnsure      Code = "clock_unsure"      // the clocks disagree; nothing is deleted by guess
	NoSuchHold       Code = "no_such_hold"      // no hold of this name is active
	BeingDestroyed   Code = "being_destroyed"   // the keys are destroyed or about to be
	Destroyed        Code = "destroyed"         // the keys of this recording are destroyed: nobody can open it
	KeysRemain       Code = "keys_remain"       // a copy of the key could not be destroyed yet

	NoSuchAccount     Code = "no_such_account"    // no member of staff of this name
	LoginTaken        Code = "login_taken"        // somebody else signs in with it
	LastAdministrator Code = "last_administrator" // nobody would be left who can give accounts
	BadPassword       Code = "bad_password"       // shorter than 8 or longer than 1024 bytes
	BadInvitation     Code = "bad_invitation"     // used, replaced or over
	NoAccount         Code = "no_account"         // the identity provider knows the person, this service does not
	ProviderDown      Code = "provider_down"      // the identity provider cannot be asked; local accounts work
	NoSuchShift       Code = "no_such_shift"      // no such line in the roster, or no such case or offer
	ShiftOverlap      Code = "shift_overlap"      // the person or the seat is taken at that time

	NoSuchCase  Code = "no_such_case" // no such case, or not yours to see
	CaseClosed  Code = "case_closed"  // the case is closed; reopen it first
	CaseMerged  Code = "case_merged"  // the case was merged into another, or others into it
	CaseTaken   Code = "case_taken"   // somebody else owns the case
	CaseStale   Code = "case_stale"   // somebody else has changed the case meanwhile
	PatrolThere Code = "patrol_there" // patrols are still assigned to the case
	PatrolBusy  Code = "patrol_busy"  // the patrol is not free: off duty, or at another case
	TaskOver    Code = "task_over"    // the task is over: recalled, cleared or closed
	ReplyNeeded Code = "reply_needed" // a case is closed with an outcome and a reply to its citizen
	TooLate     Code = "too_late"     // the time for this is over
	EmptyReport Code = "empty_report" // a report without words and files
	ShiftOver   Code = "shift_over"   // the shift of whoever asks has ended

	NotSealed     Code = "not_sealed"      // not a padded letter, sealed to the keys of the unit or mailbox
	BadStamp      Code = "bad_stamp"       // the work for this letter was not done, or is too old
	NoSuchUnit    Code = "no_such_unit"    // no unit of this name takes tips
	NoSuchMailbox Code = "no_such_mailbox" // no mailbox of this code, or its time is over

	Internal     Code = "internal"      // our fault; the cause is in the log
	ReasonNeeded Code = "reason_needed" // why a recording is opened has not been said
	NoSpace      Code = "no_space"      // the disk is nearly full: recordings go on, nothing else is made
	Unavailable  Code = "unavailable"   // try again shortly; nothing was changed
	NotFound     Code = "not_found"     // no such page or resource
)

// Error is a refusal with its code, the operation that refused and the cause.
type Error struct {
	Code Code
	Op   string // what was asked, "offer.accept"
	Err  error  // the cause; nil where the code says all. Never sent to a peer.
}

// New returns a refusal. err may be nil.
func New(code Code, op string, err error) *Error { return &Error{Code: code, Op: op, Err: err} }

// Newf returns a refusal whose cause is formatted as by fmt.Errorf.
func Newf(code Code, op, format string, args ...any) *Error {
	return &Error{Code: code, Op: op, Err: fmt.Errorf(format, args...)}
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Code)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an Error of the same code, so that
// errors.Is(err, &fault.Error{Code: c}) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CodeOf returns the code of err: its own, or Internal where it has none. CodeOf(nil) is "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Text is one sentence in the three languages of the service.
type Text struct {
	KK string `json:"kk"`
	RU string `json:"ru"`
	EN string `json:"en"`
}

//go:embed words.json
var wordsJSON []byte

var words = mustWords(wordsJSON)

// Words returns what people read for code. An unknown code gets the words of Internal.
func Words(code Code) Text {
	if t, ok := words[code]; ok {
		return t
	}
	return words[Internal]
}

func mustWords(raw []byte) map[Code]Text {
	m := map[Code]Text{}
	if err := json.Unmarshal(raw, &m); err != nil {
		panic("bug: words.json is not well formed: " + err.Error())
	}
	return m
}
