// Package stats counts how a centre works: a table of contacts in columns, and questions about it.
// It is pure: no clock, no I/O.
//
// A contact is a call or a report. A row takes 39 bytes, and 5 to 11 more in the index by which it is
// found again: two million take less than 100 MB. A question needs up to 12 bytes more for every row
// that it counts, until it is answered.
package stats

import (
	"math"
	"time"
)

// None is the duration of what has not happened.
const None = time.Duration(-1)

// Measure is one of the spans of time that a contact has.
type Measure int

// Measures.
const (
	Answer   Measure = iota // of a call: from its creation to an operator's answer
	Handling                // of a call: from the answer to its end, without the writing-up after it
	Dispatch                // of a case: from its opening to the first patrol sent
	Arrival                 // of a case: from its opening to the first patrol on the scene
	Reply                   // of a case: from its opening to the first reply beyond the receipt
	Measures                // how many there are
)

// Contact is one call or report, as statistics see it.
type Contact struct {
	ID                  string // the same again replaces what was known of it
	Opened              time.Time
	Report              bool // a call where it is false
	Kind, Unit, Outcome string
	Marks
	Times [Measures]time.Duration // None for what has not happened
}

// Marks are what is true of a contact or not.
type Marks struct {
	Further    bool // of a case that another contact began
	Merged     bool // its case was merged into another
	Closed     bool // its case is closed
	Abandoned  bool // a call that ended before an answer
	Owed       bool // the centre owed the caller a call
	CalledBack bool // and made it
}

const (
	markReport = 1 << iota
	markFurther
	markMerged
	markClosed
	markAbandoned
	markOwed
	markCalledBack
)

func (c Contact) bits() (b uint8) {
	for i, on := range []bool{c.Report, c.Further, c.Merged, c.Closed, c.Abandoned, c.Owed, c.CalledBack} {
		if on {
			b |= 1 << i
		}
	}
	return b
}

// chunkRows is how many rows are made at once.
const chunkRows = 1 << 14

// chunk is some rows, in columns.
type chunk struct {
	id                  [chunkRows]uint64 // hash of the contact's ID
	opened              [chunkRows]uint32 // seconds since 1970
	kind, unit, outcome [chunkRows]uint16 // numbers of words
	marks               [chunkRows]uint8
	took                [Measures][chunkRows]uint32 // hundredths of a second, see ticks
	min, max            uint32                      // of opened
	known               bool                        // standing is of the newest rows
	standing            Standing
}

// never stands for None in a column.
const never = math.MaxUint32

// ticks is a duration in hundredths of a second, rounded up, so that what is a little late is late.
// The longest is 497 days.
func ticks(d time.Duration) uint32 {
	if d < 0 {
		return never
	}
	return uint32(min((d+10*time.Millisecond-1)/(10*time.Millisecond), never-1))
}

func span(t uint32) time.Duration { return time.Duration(t) * 10 * time.Millisecond }

// Table is the contacts of years. It belongs to one goroutine at a time; questions only read.
type Table struct {
	chunks []*chunk
	rows   int
	index  []uint32 // open addressing by id: number of a row plus one; a power of two long
	words  words
}

// New returns an empty table.
func New() *Table { return &Table{index: make([]uint32, 1<<10), words: newWords()} }

// Len is how many contacts there are.
func (t *Table) Len() int { return t.rows }

// Put adds a contact or replaces what was known of it.
func (t *Table) Put(c Contact) {
	id := hash(c.ID)
	slot, row := t.find(id)
	if row < 0 {
		if 8*(t.rows+1) > 7*len(t.index) {
			t.grow()
			slot, _ = t.find(id)
		}
		row = t.rows
		if row%chunkRows == 0 {
			t.chunks = append(t.chunks, &chunk{min: never})
		}
		t.rows++
		t.index[slot] = uint32(row + 1)
	}
	ch, i := t.chunks[row/chunkRows], row%chunkRows
	ch.id[i], ch.marks[i] = id, c.bits()
	ch.opened[i] = uint32(max(0, min(c.Opened.Unix(), never-1)))
	ch.min, ch.max = min(ch.min, ch.opened[i]), max(ch.max, ch.opened[i])
	ch.kind[i], ch.unit[i], ch.outcome[i] = t.words.number(c.Kind), t.words.number(c.Unit), t.words.number(c.Outcome)
	for m := range Measures {
		ch.took[m][i] = ticks(c.Times[m])
	}
	ch.known = false
}

// find returns the slot of an id, and its row, or -1.
func (t *Table) find(id uint64) (slot, row int) {
	mask := len(t.index) - 1
	for slot = int(id) & mask; ; slot = (slot + 1) & mask {
		r := int(t.index[slot]) - 1
		if r < 0 || t.chunks[r/chunkRows].id[r%chunkRows] == id {
			return slot, r
		}
	}
}

func (t *Table) grow() {
	t.index = make([]uint32, 2*len(t.index))
	for r := range t.rows {
		slot, _ := t.find(t.chunks[r/chunkRows].id[r%chunkRows])
		t.index[slot] = uint32(r + 1)
	}
}

// hash is FNV-1a, stirred so that its low bits find a slot. Of two million contacts two share a hash
// with a chance of one in ten million; then the newer one counts.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// maxWords bounds how many kinds, units and outcomes are told apart: configurations have dozens.
const maxWords = 4096

// Other stands for the words beyond the bound.
const Other = "…"

// words gives each text a small number.
type words struct {
	list []string
	by   map[string]uint16
}

func newWords() words { return words{list: []string{"", Other}, by: map[string]uint16{"": 0}} }

func (w *words) number(s string) uint16 {
	n, known := w.by[s]
	if known {
		return n
	}
	if len(w.list) == maxWords {
		return 1
	}
	n = uint16(len(w.list))
	w.list, w.by[s] = append(w.list, s), n
	return n
}
