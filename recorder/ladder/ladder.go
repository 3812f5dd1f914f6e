// Package ladder decides what a recorder gives up as its disk fills. It is pure.
package ladder

// Rung is how full the disk is, in words of what is given up.
type Rung int

// Rungs, from an empty disk to a full one. Old evidence is never deleted to make room.
const (
	Free      Rung = iota
	Warn           // nothing is given up; somebody must look
	NoExtras       // nothing is derived or exported
	Elsewhere      // new calls go to the second volume, where there is one
	Words          // sound, words and positions; no pictures
	Last           // the same, and the ballast is given back: somebody must come
)

// String returns the rung's word for logs and records.
func (r Rung) String() string {
	return [...]string{"free", "warn", "no_extras", "elsewhere", "words", "last"}[r]
}

// Pictures reports whether pictures are recorded.
func (r Rung) Pictures() bool { return r < Words }

// marks are the shares of free bytes or inodes below which each rung begins.
func marks() [6]float64 { return [...]float64{2, 0.20, 0.10, 0.05, 0.02, 0.005} }

// hold is how far above a mark the share must rise before that rung is left: without it a disk at
// a mark would change its mind with every packet.
const hold = 1.1

// Next returns the rung for a share of free space, coming from now.
func Next(now Rung, free float64) Rung {
	at := Free
	for r := Warn; r <= Last; r++ {
		if free < marks()[r] {
			at = r
		}
	}
	if at >= now {
		return at
	}
	for now > at && free >= marks()[now]*hold {
		now--
	}
	return now
}
