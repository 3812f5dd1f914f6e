// Package tune decides how a connection is used on a poor network: what gives way, how far, and
// when it comes back. The voice has its room before the picture; of a picture movement is kept
// before sharpness, because people sign. It knows no clock and does no I/O; the same rules hold for
// a caller and an operator.
package tune

import "time"

// Level is how much of a picture a way has room for.
type Level uint8

// Levels, in the order of what they need.
const (
	Off  Level = iota // the voice alone
	Thin              // 20 pictures a second, small and soft
	On                // as good as the camera and the room allow
)

// String returns off, thin or on.
func (l Level) String() string {
	switch l {
	case Off:
		return "off"
	case Thin:
		return "thin"
	}
	return "on"
}

// Reason says what holds something back.
type Reason string

// Reasons; the zero value means that nothing is held back.
const (
	Loss Reason = "loss" // packets are lost
	Slow Reason = "slow" // there is no room
)

// Decision is how one connection is to be used.
type Decision struct {
	RED       bool          // its page sends Opus as RED
	Deepen    bool          // Opus goes towards it with redundancy of our making
	Jitter    time.Duration // how long its page waits for late audio; 0: as it likes
	Video     Level         // what its page may send
	VideoKbps int           // the most its camera may send, kbit/s; 0: no limit
	LeastKbps int           // what its browser is to take its way to bear at the least, kbit/s; 0: what it finds
	Shown     Level         // what it gets to see
	Why       Reason
}

// Start is how a connection begins: nothing is known, nothing is held back.
func Start() Decision { return Decision{Video: On, Shown: On} }
