package early

// What may go at once, and how long the rest may take.
const (
	// FirstBytes go at once, as much as a new TCP connection may send unasked (RFC 6928 section 2).
	FirstBytes = 14600
	// Longest is how long passing on may take, in nanoseconds. Asking for a key frame takes about as long.
	Longest = 100e6
)

// Pace spreads bytes over time so that they do not fill a thin line. Its zero value lets nothing through.
type Pace struct {
	bps    int
	credit int
	at     int64
}

// NewPace returns a pace of so many bits a second that begins at nanosecond at.
func NewPace(bps int, at int64) Pace { return Pace{bps: bps, credit: FirstBytes, at: at} }

// Bears reports whether so many bytes are through within Longest.
func (p *Pace) Bears(bytes int) bool {
	return int64(bytes) <= FirstBytes+int64(p.bps)*Longest/8e9
}

// Take reports whether n bytes may go at nanosecond at, and takes them.
func (p *Pace) Take(n int, at int64) bool {
	if p.bps <= 0 {
		return false
	}
	if gained := (at - p.at) * int64(p.bps) / 8e9; gained > 0 {
		p.credit = int(min(int64(p.credit)+gained, FirstBytes))
		p.at = at
	}
	if p.credit <= 0 {
		return false
	}
	p.credit -= n
	return true
}
