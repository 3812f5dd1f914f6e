package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"jedel/internal/fault"
)

// envelope is the outer shape of every message.
type envelope struct {
	Type string          `json:"type"`
	Seq  uint64          `json:"seq"`
	Re   uint64          `json:"re,omitempty"`
	Body json.RawMessage `json:"body"`
}

// outgoing is an envelope around a body that is not JSON yet: as RawMessage it would be looked through and copied once more.
type outgoing struct {
	Type string `json:"type"`
	Seq  uint64 `json:"seq"`
	Re   uint64 `json:"re,omitempty"`
	Body Body   `json:"body"`
}

// Decode reads a request from a client of the given role. Size comes first, then shape, then
// meaning; unknown, doubled, wrongly cased and missing keys are refused at every level, and so is
// anything after the message. Errors are fault.Errors; seq is set as far as it could be read, so
// that the refusal can name the request.
func Decode(role Role, raw []byte) (Message, error) {
	if len(raw) > MaxMessage {
		return Message{}, fault.Newf(fault.TooLarge, "message", "%d bytes", len(raw))
	}
	if !utf8.Valid(raw) {
		return Message{}, fault.Newf(fault.BadMessage, "message", "not UTF-8")
	}
	if err := strict(raw, reflect.TypeFor[envelope]()); err != nil {
		return Message{}, bad("message", err)
	}
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return Message{}, bad("message", err)
	}
	m := Message{Seq: e.Seq, Re: e.Re}
	entry, ok := lookup(e.Type)
	if !ok || entry.Direction != Request || !slices.Contains(entry.Roles, role) {
		return m, fault.New(fault.UnknownType, clip(e.Type), nil)
	}
	body := entry.New()
	if err := strict(e.Body, reflect.TypeOf(body).Elem()); err != nil {
		return m, bad(e.Type, err)
	}
	if err := json.Unmarshal(e.Body, body); err != nil {
		return m, bad(e.Type, err)
	}
	if c, ok := body.(checked); ok {
		if err := c.check(); err != nil {
			return m, fault.New(fault.BadValue, e.Type, err)
		}
	}
	m.Body = body
	return m, nil
}

// DecodeAny reads a message of any direction, for programs that speak the client's side.
func DecodeAny(raw []byte) (Message, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return Message{}, bad("message", err)
	}
	entry, ok := lookup(e.Type)
	if !ok {
		return Message{Seq: e.Seq, Re: e.Re}, fault.New(fault.UnknownType, clip(e.Type), nil)
	}
	body := entry.New()
	if err := json.Unmarshal(e.Body, body); err != nil {
		return Message{Seq: e.Seq, Re: e.Re}, bad(e.Type, err)
	}
	return Message{Seq: e.Seq, Re: e.Re, Body: body}, nil
}

// Encode writes a message.
func Encode(m Message) ([]byte, error) {
	raw, err := json.Marshal(outgoing{Type: m.Body.WireType(), Seq: m.Seq, Re: m.Re, Body: m.Body})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.Body.WireType(), err)
	}
	return raw, nil
}

func lookup(name string) (Entry, bool) {
	for _, e := range table {
		if e.Type == name {
			return e, true
		}
	}
	return Entry{}, false
}

// clip keeps a foreign word from filling a log line.
func clip(s string) string {
	if len(s) > MaxShort {
		return s[:MaxShort]
	}
	return s
}

var errDeep = errors.New("nested too deep")

func bad(op string, err error) error {
	if errors.Is(err, errDeep) {
		return fault.New(fault.TooDeep, clip(op), err)
	}
	return fault.New(fault.BadMessage, clip(op), err)
}

// Strict checks that raw is one JSON value of exactly v's shape, then reads it into v. REST bodies
// use it too. Errors are fault.Errors of op.
func Strict(op string, raw []byte, v any) error {
	if !utf8.Valid(raw) {
		return fault.Newf(fault.BadMessage, op, "not UTF-8")
	}
	if err := strict(raw, reflect.TypeOf(v).Elem()); err != nil {
		return bad(op, err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return bad(op, err)
	}
	return nil
}

// strict walks raw along t.
func strict(raw []byte, t reflect.Type) error {
	w := walker{dec: json.NewDecoder(bytes.NewReader(raw))}
	w.dec.UseNumber()
	if err := w.value(t, 1); err != nil {
		return err
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the message")
	}
	return nil
}

type walker struct{ dec *json.Decoder }

// value reads one value of type t at a depth.
func (w walker) value(t reflect.Type, depth int) error {
	tok, err := w.dec.Token()
	if err != nil {
		return err
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return w.any(tok, depth)
	}
	switch v := tok.(type) {
	case json.Delim:
		if depth > MaxDepth {
			return errDeep
		}
		switch {
		case v == '{' && t.Kind() == reflect.Struct:
			return w.object(t, depth)
		case v == '[' && t.Kind() == reflect.Slice:
			return w.array(func() error { return w.value(t.Elem(), depth+1) })
		}
	case string:
		if t.Kind() == reflect.String {
			return nil
		}
	case json.Number:
		if t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 {
			return nil
		}
	case bool:
		if t.Kind() == reflect.Bool {
			return nil
		}
	}
	return fmt.Errorf("%v is no %s", kindOf(tok), t.Kind())
}

func kindOf(tok json.Token) string {
	if tok == nil {
		return "null"
	}
	return fmt.Sprintf("%T", tok)
}

// object reads the members of a struct: each known, once, in its exact case, none missing.
func (w walker) object(t reflect.Type, depth int) error {
	fields := map[string]reflect.Type{}
	required := map[string]bool{}
	for i := range t.NumField() {
		name, opt, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = t.Field(i).Type
		required[name] = opt != "omitempty"
	}
	seen := map[string]bool{}
	for w.dec.More() {
		tok, err := w.dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		ft, known := fields[key]
		switch {
		case !known:
			return fmt.Errorf("unknown key %q", clip(key))
		case seen[key]:
			return fmt.Errorf("key %q twice", key)
		}
		seen[key] = true
		if err := w.value(ft, depth+1); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for name, must := range required {
		if must && !seen[name] {
			return fmt.Errorf("key %q is missing", name)
		}
	}
	_, err := w.dec.Token() // the closing brace
	return err
}

func (w walker) array(each func() error) error {
	for w.dec.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

// any skips a value whose shape is checked later, but not its depth and doubled keys.
func (w walker) any(tok json.Token, depth int) error {
	d, ok := tok.(json.Delim)
	if !ok {
		return nil
	}
	if depth > MaxDepth {
		return errDeep
	}
	next := func() error {
		tok, err := w.dec.Token()
		if err != nil {
			return err
		}
		return w.any(tok, depth+1)
	}
	if d == '[' {
		return w.array(next)
	}
	seen := map[string]bool{}
	for w.dec.More() {
		tok, err := w.dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		if seen[key] {
			return fmt.Errorf("key %q twice", clip(key))
		}
		seen[key] = true
		if err := next(); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}
