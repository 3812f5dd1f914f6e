package cameras

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"jedel/internal/fault"
)

// Phase is what a camera does.
type Phase string

// Phases of a camera.
const (
	Idle       Phase = "idle"       // nobody wants it
	Connecting Phase = "connecting" // wanted, no picture yet
	Live       Phase = "live"
	Failed     Phase = "failed" // wanted; tried again after a while
)

// Code is why a camera failed, or why a clip has a gap.
type Code string

// Codes of failures. Each has its words in words.json.
const (
	Unreachable Code = "unreachable"  // no connection
	Slow        Code = "slow"         // no answer in time
	BadLogin    Code = "bad_login"    // the camera refuses login and password
	NoStream    Code = "no_stream"    // the camera does not know the path
	BadStream   Code = "bad_stream"   // what it says is no RTSP, SDP or RTP
	NoVideo     Code = "no_video"     // it has no video
	WrongCodec  Code = "wrong_codec"  // its video is not H.264
	Reordered   Code = "reordered"    // its video has B-frames
	NoPicture   Code = "no_picture"   // connected, but no picture that can be shown came
	Lost        Code = "lost"         // it was live and broke off
	NotWatched  Code = "not_watched"  // of gaps: the camera was not connected then
	NotKept     Code = "not_kept"     // of gaps: the computer did not keep up
	Interrupted Code = "interrupted"  // of gaps: the gateway was restarted
	Missing     Code = "missing_data" // of gaps: packets are missing
)

// unfit reports whether another attempt can bring nothing before somebody changes the camera.
func (c Code) unfit() bool { return c == NoVideo || c == WrongCodec || c == Reordered }

// patient reports whether the next attempt waits longest: a camera may lock out who tries often.
func (c Code) patient() bool { return c.unfit() || c == BadLogin }

// State is how a camera is at the moment.
type State struct {
	Phase         Phase
	Code          Code   // of the newest failure while Phase is Failed or Connecting; else empty
	Codec         string // of a camera whose codec is not H.264
	Since         time.Time
	Width, Height int // of the pictures while Live
	Viewers       int
}

// fails is a failure with its code. The cause may name addresses: it is for the log only.
type fails struct {
	code  Code
	codec string
	err   error
}

func (f *fails) Error() string {
	if f.err == nil {
		return string(f.code)
	}
	return fmt.Sprintf("%s: %v", f.code, f.err)
}

func (f *fails) Unwrap() error { return f.err }

// codeOf tells what kind of failure err is.
func codeOf(err error) (Code, string) {
	var f *fails
	var timeout net.Error
	switch {
	case errors.As(err, &f):
		return f.code, f.codec
	case errors.As(err, &timeout) && timeout.Timeout():
		return Slow, ""
	}
	return Unreachable, ""
}

//go:embed words.json
var wordsJSON []byte

// Words returns what a phase or code is called, in the three languages; false for others.
func Words(name string) (fault.Text, bool) {
	var all map[string]fault.Text
	if json.Unmarshal(wordsJSON, &all) != nil {
		return fault.Text{}, false // bug: a test reads the file
	}
	t, ok := all[name]
	return t, ok
}
