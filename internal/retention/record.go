package retention

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jedel/internal/fault"
)

// MaxRecord bounds a stored record in bytes.
const MaxRecord = 16 << 10

// ErrRecord reports text that is no record of this version.
var ErrRecord = errors.New("not a retention record")

// stored is a record's form at rest.
type stored struct {
	V    int             `json:"v"`
	At   time.Time       `json:"at"`
	Kind string          `json:"kind"`
	Fact json.RawMessage `json:"fact"`
}

// Encode returns the stored form of r: the same record, the same bytes.
func Encode(r Record) ([]byte, error) {
	if r.Fact == nil {
		return nil, ErrRecord
	}
	body, err := json.Marshal(r.Fact)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", r.Fact.Kind(), err)
	}
	b, err := json.Marshal(stored{1, r.At, r.Fact.Kind(), body})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", r.Fact.Kind(), err)
	}
	return b, nil
}

// Decode reads the stored form of a record. It takes only what Encode writes, byte for byte, and
// refuses kinds it does not know: a newer version wrote them, and guessing would lose a hold.
func Decode(raw []byte) (Record, error) {
	if len(raw) > MaxRecord {
		return Record{}, fmt.Errorf("%w: %d bytes", ErrRecord, len(raw))
	}
	var s stored
	if err := json.Unmarshal(raw, &s); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	d, ok := decoders()[s.Kind]
	if !ok || s.V != 1 {
		return Record{}, fmt.Errorf("%w: kind %q of version %d", ErrRecord, s.Kind, s.V)
	}
	f, err := d(s.Fact)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %s: %w", ErrRecord, s.Kind, err)
	}
	r := Record{At: s.At, Fact: f}
	if again, err := Encode(r); err != nil || !bytes.Equal(again, raw) {
		return Record{}, fmt.Errorf("%w: not as it is written", ErrRecord)
	}
	return r, nil
}

// decoders has one reader per kind of fact.
func decoders() map[string]func([]byte) (Fact, error) {
	return map[string]func([]byte) (Fact, error){
		"begun": decode[Begun], "classed": decode[Classed], "extended": decode[Extended],
		"shortening_proposed": decode[ShorteningProposed], "shortened": decode[Shortened],
		"shortening_withdrawn": decode[ShorteningWithdrawn],
		"hold_placed":          decode[HoldPlaced], "hold_released": decode[HoldReleased],
		"deletion_proposed": decode[DeletionProposed], "deletion_cancelled": decode[DeletionCancelled],
		"deletion_approved": decode[DeletionApproved], "destruction_begun": decode[DestructionBegun],
		"destroyed": decode[Destroyed],
	}
}

func decode[F Fact](b []byte) (Fact, error) {
	var f F
	err := json.Unmarshal(b, &f)
	return f, err
}

//go:embed words.json
var wordsJSON []byte

var words = mustWords(wordsJSON)

// Words returns what people read for a stage, empty for Unknown.
func Words(s Stage) fault.Text { return words[s] }

func mustWords(raw []byte) map[Stage]fault.Text {
	m := map[Stage]fault.Text{}
	if err := json.Unmarshal(raw, &m); err != nil {
		panic("bug: words.json is not well formed: " + err.Error())
	}
	return m
}
