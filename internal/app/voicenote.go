package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"jedel/internal/fault"
	"jedel/internal/filekind"
	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/signaling"
	"jedel/signaling/wire"
)

const (
	// maxNotes bounds the files of a call that are voice notes among them: one each ten seconds for half an hour.
	maxNotes = 200
	// maxParts bounds the notes of one call that are on their way.
	maxParts = 2
)

// heldNote is a voice note on its way. It is in memory: whoever records it keeps it until it is whole, and begins again
// where a restarted gateway has nothing of it.
type heldNote struct {
	id   string
	from wire.Role
	raw  []byte
}

// takePiece adds a piece to a voice note and keeps the note when it is whole: in the archive first, then in the chat.
func (a *App) takePiece(ctx context.Context, who signaling.Who, b *wire.VoicePiece) (wire.Body, error) {
	const op = "voice.piece"
	s, err := a.partOf(who, b.Call, op)
	if err != nil {
		return nil, err
	}
	if !s.Open() {
		return nil, fault.New(fault.WrongState, op, nil)
	}
	data, err := b.Bytes()
	if err != nil {
		return nil, fault.New(fault.BadMessage, op, err)
	}
	d := a.ledger.open(s.ID).dossier
	d.mu.Lock()
	if ref, ok := d.files[b.Note]; ok {
		d.mu.Unlock()
		return a.sayNote(ctx, who, b, ref)
	}
	if len(d.files) >= maxNotes {
		d.mu.Unlock()
		return nil, fault.New(fault.TooMany, op, nil)
	}
	n := d.held(b.Note, who.Role)
	if b.From > len(n.raw) || b.From+len(data) <= len(n.raw) && !b.End {
		have := len(n.raw)
		d.mu.Unlock()
		return &wire.VoiceHave{Note: b.Note, Bytes: have}, nil
	}
	n.raw = append(n.raw[:b.From], data...)
	have, whole := len(n.raw), bytes.Clone(n.raw)
	d.mu.Unlock()
	if !b.End {
		return &wire.VoiceHave{Note: b.Note, Bytes: have}, nil
	}
	ref, err := a.keepNote(ctx, s.ID, b.Note, whole)
	if err != nil {
		return nil, err
	}
	return a.sayNote(ctx, who, b, ref)
}

// held returns the note on its way with an identifier, making it; the one that has waited longest gives way. The caller
// holds mu.
func (d *dossier) held(id string, from wire.Role) *heldNote {
	for _, n := range d.parts {
		if n.id == id && n.from == from {
			return n
		}
	}
	n := &heldNote{id: id, from: from}
	d.parts = append(d.parts, n)
	if len(d.parts) > maxParts {
		d.parts = append([]*heldNote{}, d.parts[1:]...)
	}
	return n
}

// keepNote makes a whole note durable. What it is its bytes say.
func (a *App) keepNote(ctx context.Context, id ident.CallID, note string, raw []byte) (wire.FileRef, error) {
	const op = "voice.piece"
	found, err := filekind.Look(bytes.NewReader(raw), int64(len(raw)))
	mime := map[string]string{"audio/webm": "audio/webm", "video/webm": "audio/webm", "audio/ogg": "audio/ogg", "audio/mp4": "audio/mp4", "video/mp4": "audio/mp4"}[found.Mime]
	if err != nil || mime == "" {
		return wire.FileRef{}, fault.Newf(fault.BadFile, op, "%s: %v", found.Mime, err)
	}
	sum := sha256.Sum256(raw)
	ref := wire.FileRef{File: note, Mime: mime, Name: "voice" + map[string]string{"audio/webm": ".webm", "audio/ogg": ".ogg", "audio/mp4": ".m4a"}[mime], Bytes: int64(len(raw)), SHA256: hex.EncodeToString(sum[:])}
	c := a.ledger.get(id)
	if c == nil {
		return ref, fault.New(fault.WrongState, op, nil)
	}
	arch := c.slot.get()
	if arch == nil {
		return ref, fault.Newf(fault.Unavailable, op, "the archive is not open")
	}
	if _, err := arch.Blob(ctx, recorder.BlobMeta{ID: ref.File, Name: ref.Name, Mime: ref.Mime}, bytes.NewReader(raw)); err != nil {
		return ref, fault.New(fault.Unavailable, op, err)
	}
	if _, _, err := a.ledger.put(ctx, id, itemFile, ref.File, time.Now(), ref); err != nil {
		return ref, err
	}
	c.dossier.mu.Lock()
	defer c.dossier.mu.Unlock()
	c.dossier.files[ref.File] = ref
	for i, n := range c.dossier.parts {
		if n.id == note {
			c.dossier.parts = append(c.dossier.parts[:i:i], c.dossier.parts[i+1:]...)
			break
		}
	}
	return ref, nil
}

// sayNote puts a note that is kept into the chat, once.
func (a *App) sayNote(ctx context.Context, who signaling.Who, b *wire.VoicePiece, ref wire.FileRef) (wire.Body, error) {
	if _, err := a.sendChat(ctx, who, &wire.ChatSend{Call: b.Call, ID: b.Note, File: ref.File}); err != nil {
		return nil, err
	}
	return &wire.VoiceHave{Note: b.Note, Bytes: int(ref.Bytes), Done: true}, nil
}
