package shift

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrRecord reports text that is no record of this version.
var ErrRecord = errors.New("not a shift record")

// maxRecord bounds a stored record in bytes.
const maxRecord = 4 << 10

// stored is a record's form at rest.
type stored struct {
	V       int             `json:"v"`
	Version uint64          `json:"version"`
	At      time.Time       `json:"at"`
	Kind    string          `json:"kind"`
	Fact    json.RawMessage `json:"fact"`
}

// Encode returns the stored form of r: the same record, the same bytes.
func Encode(r Record) ([]byte, error) {
	if r.Fact == nil {
		return nil, ErrRecord
	}
	body, err := json.Marshal(r.Fact)
	if err == nil {
		body, err = json.Marshal(stored{1, r.Version, r.At, r.Fact.Kind(), body})
	}
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", r.Fact.Kind(), err)
	}
	return body, nil
}

// Decode reads the stored form of a record. It takes only what Encode writes, byte for byte.
func Decode(raw []byte) (Record, error) {
	if len(raw) > maxRecord {
		return Record{}, fmt.Errorf("%w: %d bytes", ErrRecord, len(raw))
	}
	var s stored
	if err := json.Unmarshal(raw, &s); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	read, ok := readers()[s.Kind]
	if !ok || s.V != 1 {
		return Record{}, fmt.Errorf("%w: kind %q of version %d", ErrRecord, s.Kind, s.V)
	}
	f, err := read(s.Fact)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %s: %w", ErrRecord, s.Kind, err)
	}
	r := Record{Version: s.Version, At: s.At, Fact: f}
	if again, err := Encode(r); err != nil || !bytes.Equal(again, raw) {
		return Record{}, fmt.Errorf("%w: not as it is written", ErrRecord)
	}
	return r, nil
}

func readers() map[string]func([]byte) (Fact, error) {
	return map[string]func([]byte) (Fact, error){
		Written{}.Kind(): fact[Written], Struck{}.Kind(): fact[Struck], Came{}.Kind(): fact[Came], Went{}.Kind(): fact[Went],
	}
}

func fact[F Fact](raw []byte) (Fact, error) {
	var f F
	err := json.Unmarshal(raw, &f)
	return f, err
}
