package app

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"testing"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/wire"
)

// piece sends bytes [from, to) of a note.
func (c *tab) piece(call, note string, raw []byte, from, to int) wire.Body {
	c.t.Helper()
	to = min(to, len(raw))
	return c.try(&wire.VoicePiece{Call: call, Note: note, From: from, Data: base64.StdEncoding.EncodeToString(raw[from:to]), End: to == len(raw)})
}

func TestAVoiceNoteComesInPiecesInAnyOrder(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	raw, err := os.ReadFile("../../cmd/callbot/clip/tone.ogg")
	if err != nil {
		t.Fatal(err)
	}
	caller := g.tab(wire.RoleCaller, "")
	desk := g.tab(wire.RoleConsole, g.token("operator"))
	desk.ask(&wire.DutySet{State: wire.DutyReady})
	id := caller.ask(&wire.CallCreate{Ref: "r", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	caller.ask(&wire.MediaStatus{Mic: wire.DeviceOn, Camera: wire.DeviceOff, Rung: wire.RungNotes})
	desk.ask(&wire.OfferAccept{Call: id, Epoch: desk.offer().Epoch})
	g.until("the archive is not open", func() bool { return g.app.ledger.get(ident.CallID(id)).slot.get() != nil })
	note := string(ident.New[ident.FileID]())
	const size = 1500
	have := func(b wire.Body) wire.VoiceHave {
		t.Helper()
		h, ok := b.(*wire.VoiceHave)
		if !ok {
			t.Fatalf("%+v", b)
		}
		return *h
	}
	if h := have(caller.piece(id, note, raw, size, 2*size)); h.Bytes != 0 {
		t.Errorf("a piece too early was taken: %+v", h)
	}
	for at := 0; at < len(raw); at += size {
		h := have(caller.piece(id, note, raw, at, at+size))
		if h.Bytes != min(at+size, len(raw)) || h.Done != (at+size >= len(raw)) {
			t.Fatalf("at %d: %+v", at, h)
		}
		if at > 0 && !h.Done { // a copy that was late
			if h := have(caller.piece(id, note, raw, at-size, at)); h.Bytes != at+size {
				t.Fatalf("a late copy: %+v", h)
			}
		}
	}
	last := len(raw) / size * size
	if h := have(caller.piece(id, note, raw, last, len(raw))); !h.Done {
		t.Errorf("the last piece again: %+v", h)
	}
	if h := have(caller.piece(id, note, raw, 0, size)); !h.Done || h.Bytes != len(raw) {
		t.Errorf("from the beginning again: %+v", h)
	}
	var posted []*wire.ChatPosted
	desk.ask(&wire.Ping{})
	for _, b := range desk.news {
		if p, ok := b.(*wire.ChatPosted); ok {
			posted = append(posted, p)
		}
	}
	if len(posted) != 1 || posted[0].Item.File == nil || posted[0].Item.File.Mime != "audio/ogg" || posted[0].Item.ID != note {
		t.Fatalf("in the operator's chat: %+v", posted)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/api/v1/calls/"+id+"/files/"+note, nil)
	req.Header.Set("Authorization", "Bearer "+g.token("operator"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if back, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(back, raw) {
		t.Errorf("%d %v: not what was recorded", res.StatusCode, err)
	}
}

func TestWhatIsNoSoundIsNoVoiceNote(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	caller, stranger := g.tab(wire.RoleCaller, ""), g.tab(wire.RoleCaller, "")
	id := caller.ask(&wire.CallCreate{Ref: "r", Kind: wire.KindVoice}).(*wire.CallCreated).View.Call
	note := string(ident.New[ident.FileID]())
	for body, want := range map[string]fault.Code{"<html><script>": fault.BadFile, "\x89PNG\r\n\x1a\n": fault.BadFile} {
		if e, ok := caller.piece(id, note, []byte(body), 0, len(body)).(*wire.Error); !ok || e.Code != want {
			t.Errorf("%q: %+v", body, e)
		}
	}
	if e, ok := stranger.piece(id, note, []byte("OggS"), 0, 4).(*wire.Error); !ok || e.Code != fault.NoSuchCall {
		t.Errorf("a stranger: %+v", e)
	}
}
