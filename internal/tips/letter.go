package tips

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// Kinds of letters.
const (
	Tip   = "tip"   // from a citizen to a unit
	Reply = "reply" // from a unit to a mailbox
)

// Limits of a letter.
const (
	MaxText  = 20000 // bytes of words
	MaxFiles = 20
	maxName  = 200
	maxHead  = 48 << 10
	maxReply = 2200 // characters of a hybrid recipient
)

const letterIntro = "jedel-letter/1\n"

// Letter is what is sealed: words, files, and where a reply goes. The reply's recipient stands
// inside, so that whoever keeps the sealed letter can neither read nor exchange it.
type Letter struct {
	Kind  string
	Text  string
	Lang  string // kk, ru or en: what the citizen reads
	Reply string // age recipient of the citizen's code; empty in a reply
	Files []File
}

// File is one file of a letter. Its name is hostile text.
type File struct {
	Name string
	Type string // as the browser says; nothing is done by it
	Data []byte
}

// head is the part of a letter before the files' bytes.
type head struct {
	Kind  string     `json:"kind"`
	Text  string     `json:"text"`
	Lang  string     `json:"lang"`
	Reply string     `json:"reply"`
	Files []headFile `json:"files"`
}

type headFile struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Bytes int    `json:"bytes"`
}

// Pack writes a letter and pads it with zeros to its class:
//
//	"jedel-letter/1\n" | length of head, 4 bytes big-endian | head, JSON | files one after another | zeros
func (l Letter) Pack() ([]byte, error) {
	h := head{Kind: l.Kind, Text: l.Text, Lang: l.Lang, Reply: l.Reply, Files: []headFile{}}
	var files []byte
	for _, f := range l.Files {
		h.Files = append(h.Files, headFile{f.Name, f.Type, len(f.Data)})
		files = append(files, f.Data...)
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	out := append([]byte(letterIntro), binary.BigEndian.AppendUint32(nil, uint32(len(raw)))...)
	out = append(append(out, raw...), files...)
	c, err := ClassOf(len(out))
	if err != nil {
		return nil, err
	}
	return append(out, make([]byte, c.Bytes()-len(out))...), nil
}

// ParseLetter reads an opened letter. Whoever wrote it knew only public keys: everything in it is
// hostile.
func ParseLetter(raw []byte) (Letter, error) {
	if c, err := ClassOf(len(raw)); err != nil || c.Bytes() != len(raw) {
		return Letter{}, fmt.Errorf("%w: %d bytes are not padded", ErrFormat, len(raw))
	}
	rest, ok := bytes.CutPrefix(raw, []byte(letterIntro))
	if !ok {
		return Letter{}, fmt.Errorf("%w: not a letter", ErrFormat)
	}
	n := binary.BigEndian.Uint32(rest)
	if rest = rest[4:]; n > maxHead {
		return Letter{}, fmt.Errorf("%w: head of %d bytes", ErrFormat, n)
	}
	var h head
	dec := json.NewDecoder(bytes.NewReader(rest[:n]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&h); err != nil {
		return Letter{}, fmt.Errorf("%w: head: %w", ErrFormat, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Letter{}, fmt.Errorf("%w: more after the head", ErrFormat)
	}
	if err := h.check(); err != nil {
		return Letter{}, err
	}
	l := Letter{Kind: h.Kind, Text: h.Text, Lang: h.Lang, Reply: h.Reply}
	rest = rest[n:]
	for _, f := range h.Files {
		if f.Bytes > len(rest) {
			return Letter{}, fmt.Errorf("%w: a file is longer than the letter", ErrFormat)
		}
		l.Files = append(l.Files, File{f.Name, f.Type, rest[:f.Bytes:f.Bytes]})
		rest = rest[f.Bytes:]
	}
	if len(bytes.TrimRight(rest, "\x00")) > 0 {
		return Letter{}, fmt.Errorf("%w: the padding is not empty", ErrFormat)
	}
	return l, nil
}

// check holds the limits of a head.
func (h head) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrFormat, what) }
	switch {
	case h.Kind != Tip && h.Kind != Reply:
		return bad("kind")
	case len(h.Text) > MaxText || !utf8.ValidString(h.Text):
		return bad("text")
	case h.Lang != "kk" && h.Lang != "ru" && h.Lang != "en":
		return bad("lang")
	case len(h.Reply) > maxReply || h.Kind == Tip && h.Reply == "" || h.Kind == Reply && h.Reply != "":
		return bad("reply")
	case len(h.Files) > MaxFiles:
		return bad("files")
	case h.Text == "" && len(h.Files) == 0:
		return bad("an empty letter")
	}
	for _, f := range h.Files {
		if f.Name == "" || len(f.Name) > maxName || len(f.Type) > maxName || !utf8.ValidString(f.Name) || !utf8.ValidString(f.Type) || f.Bytes < 0 {
			return bad("file")
		}
	}
	return nil
}
