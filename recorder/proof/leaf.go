package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jedel/internal/ident"

	"github.com/gowebpki/jcs"
)

// LeafKind is what a statement in the site log is about.
type LeafKind string

// Kinds of statements. They are never renamed: logs outlive programs.
const (
	LeafOpen          LeafKind = "open"           // an archive begins
	LeafHead          LeafKind = "head"           // a signed head of a call
	LeafRecover       LeafKind = "recover"        // an archive goes on after a crash
	LeafDegrade       LeafKind = "degrade"        // something is not recorded any more, or is again
	LeafSeal          LeafKind = "seal"           // an archive ends
	LeafAccess        LeafKind = "access"         // somebody looks at a recording, or was refused
	LeafKeyUse        LeafKind = "key-use"        // a call's key is opened
	LeafExport        LeafKind = "export"         // a copy leaves the house
	LeafKeep          LeafKind = "keep"           // how long a call is kept
	LeafHold          LeafKind = "hold"           // a legal hold is set
	LeafRelease       LeafKind = "release"        // a legal hold ends
	LeafDeleteRequest LeafKind = "delete-request" // somebody asks that a call be destroyed
	LeafDeleteApprove LeafKind = "delete-approve" // a second person agrees
	LeafDeleteCancel  LeafKind = "delete-cancel"  // somebody takes it back
	LeafDestroyed     LeafKind = "destroyed"      // the keys are gone
	LeafConfig        LeafKind = "config"         // the gateway starts with these settings
	LeafClock         LeafKind = "clock"          // the wall clock was set
	LeafHeartbeat     LeafKind = "heartbeat"      // nothing happened, and the log lives
)

// MaxLeaf bounds a statement, in bytes.
const MaxLeaf = 2048

// ErrLeaf reports what is no statement.
var ErrLeaf = errors.New("not a statement of a site log")

// Leaf is one statement in the site log. It carries hashes and identifiers, no personal data: the
// log may be given to anybody. In the log it is JSON in JCS form (RFC 8785).
type Leaf struct {
	Kind  LeafKind
	Call  ident.CallID // empty where it is about no call
	At    time.Time
	Facts map[string]any // what belongs to the kind; names other than v, k, call and t
}

// Bytes returns the statement as it stands in the log.
func (l Leaf) Bytes() ([]byte, error) {
	all := map[string]any{"v": 1, "k": l.Kind, "t": l.At.UTC().Format(time.RFC3339Nano)}
	if l.Call != "" {
		all["call"] = l.Call
	}
	for name, v := range l.Facts {
		if _, taken := all[name]; taken || name == "call" {
			return nil, fmt.Errorf("%w: two values of %q", ErrLeaf, name)
		}
		all[name] = v
	}
	raw, err := json.Marshal(all)
	if err == nil {
		raw, err = jcs.Transform(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLeaf, err)
	}
	if l.Kind == "" || len(raw) > MaxLeaf {
		return nil, fmt.Errorf("%w: %d bytes of kind %q", ErrLeaf, len(raw), l.Kind)
	}
	return raw, nil
}

// ParseLeaf reads a statement. Only the form that Bytes writes is one: one statement, one text.
func ParseLeaf(raw []byte) (Leaf, error) {
	if len(raw) > MaxLeaf {
		return Leaf{}, fmt.Errorf("%w: %d bytes", ErrLeaf, len(raw))
	}
	all := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&all); err != nil {
		return Leaf{}, fmt.Errorf("%w: %w", ErrLeaf, err)
	}
	text := func(name string) string { s, _ := all[name].(string); return s }
	at, err := time.Parse(time.RFC3339Nano, text("t"))
	if v, _ := all["v"].(json.Number); err != nil || v != "1" {
		return Leaf{}, fmt.Errorf("%w: version or time", ErrLeaf)
	}
	l := Leaf{Kind: LeafKind(text("k")), Call: ident.CallID(text("call")), At: at, Facts: all}
	for _, name := range []string{"v", "k", "t", "call"} {
		delete(all, name)
	}
	again, err := l.Bytes()
	if err != nil || !bytes.Equal(again, raw) {
		return Leaf{}, fmt.Errorf("%w: not in canonical form", ErrLeaf)
	}
	return l, nil
}

// Text returns a fact that is text; empty where it is not.
func (l Leaf) Text(name string) string { s, _ := l.Facts[name].(string); return s }

// Number returns a fact that is a whole number; false where it is not.
func (l Leaf) Number(name string) (uint64, bool) {
	switch n := l.Facts[name].(type) {
	case json.Number:
		v, err := n.Int64()
		return uint64(max(v, 0)), err == nil && v >= 0
	case uint64:
		return n, true
	case int:
		return uint64(max(n, 0)), n >= 0
	}
	return 0, false
}
