package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"jedel/internal/call"
	"jedel/internal/store"
	"jedel/media"
	"jedel/signaling/wire"
)

// Kinds of items that are stored beside a call's decisions.
const (
	itemChat     = "chat"
	itemPosition = "position"
	itemNote     = "note"
	itemMedia    = "media"
	itemFile     = "file"
	itemAgent    = "agent"
)

// maxChatBytes bounds the chat within one view; older lines are read in the portal.
const maxChatBytes = 48 << 10

// dossier is what is known of an open call beside its state: what was said, where it is, how its
// devices and its link are. All of it can be read back from the store but the link's quality.
type dossier struct {
	mu      sync.Mutex // guards the rest
	chat    []wire.ChatItem
	track   []wire.Fix
	note    string
	noteRev uint64
	media   wire.MediaState
	devices bool // the caller's page has told of its microphone and camera
	opMedia wire.MediaStatus
	quality wire.Quality
	record  wire.Recording
	files   map[string]wire.FileRef
	parts   []*heldNote // voice notes on their way, the oldest first
	earlier int
	last    time.Time
	self    wire.CallerSelf // as registered; empty otherwise
}

func newDossier() *dossier {
	return &dossier{
		files:   map[string]wire.FileRef{},
		media:   wire.MediaState{Mic: wire.DeviceAsking, Camera: wire.DeviceOff},
		opMedia: wire.MediaStatus{Mic: wire.DeviceOn, Camera: wire.DeviceOff},
		quality: wire.Quality{Word: "unknown"},
		record:  wire.Recording{State: "stopped", Reason: "starting"},
	}
}

// fill reads the items of a call back, in their order.
func (d *dossier) fill(items []store.Item) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, it := range items {
		if err := d.take(it); err != nil {
			return fmt.Errorf("%s %s: %w", it.Kind, it.ID, err)
		}
	}
	return nil
}

// take enters one stored item. The caller holds mu.
func (d *dossier) take(it store.Item) error {
	switch it.Kind {
	case itemChat:
		return into(it, func(c wire.ChatItem) { d.addChat(c) })
	case itemPosition:
		return into(it, func(f wire.Fix) { d.addFix(f) })
	case itemNote:
		return into(it, func(n noteItem) { d.note, d.noteRev = n.Text, n.Rev })
	case itemFile:
		return into(it, func(f wire.FileRef) { d.files[f.File] = f })
	case itemMedia:
		return into(it, func(m wire.MediaStatus) {
			d.media.Mic, d.media.Camera, d.media.Rung, d.devices = m.Mic, m.Camera, m.Rung, true
		})
	case itemSOS:
		return into(it, d.single)
	}
	return nil
}

// single enters what a single datagram told of its phone. The caller holds mu.
func (d *dossier) single(n sosNote) {
	if n.Battery != nil {
		d.media.Battery = n.Battery
	}
	if d.media.Rung == "" {
		d.media.Rung, d.media.Mic, d.media.Camera = wire.RungSOS, wire.DeviceOff, wire.DeviceOff
	}
}

// early is what of the caller's media may be kept for the answer: nothing of a device that they have shut.
func (d *dossier) early() media.Early {
	d.mu.Lock()
	defer d.mu.Unlock()
	return media.Early{
		Audio: !d.devices || d.media.Mic == wire.DeviceOn,
		Video: !d.devices || d.media.Camera == wire.DeviceOn,
	}
}

// thin reports whether the caller's network carries nothing but words and notes.
func (d *dossier) thin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.media.Rung {
	case wire.RungNotes, wire.RungText, wire.RungSOS:
		return true
	}
	return false
}

// newestWords returns what a caller who can only write has said last. The caller holds mu.
func (d *dossier) newestWords() string {
	switch d.media.Rung {
	case wire.RungNotes, wire.RungText, wire.RungSOS:
		for i := len(d.chat) - 1; i >= 0; i-- {
			if d.chat[i].From == "caller" && d.chat[i].Text != "" {
				return d.chat[i].Text
			}
		}
	}
	return ""
}

func into[T any](it store.Item, use func(T)) error {
	var v T
	if err := json.Unmarshal(it.Body, &v); err != nil {
		return err
	}
	use(v)
	return nil
}

type noteItem struct {
	Text string `json:"text"`
	Rev  uint64 `json:"rev"`
	By   string `json:"by"`
}

// addChat enters c unless it is there. The caller holds mu.
func (d *dossier) addChat(c wire.ChatItem) {
	if slices.ContainsFunc(d.chat, func(x wire.ChatItem) bool { return x.ID == c.ID && x.From == c.From }) {
		return
	}
	d.chat = append(d.chat, c)
	slices.SortStableFunc(d.chat, func(a, b wire.ChatItem) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(d.chat) > wire.MaxChatRecent {
		d.chat = slices.Delete(d.chat, 0, len(d.chat)-wire.MaxChatRecent)
	}
}

// addFix enters f, thinning the track when it is full: the newest half stays whole, of the older
// half every second fix. The caller holds mu.
func (d *dossier) addFix(f wire.Fix) {
	d.track = append(d.track, f)
	if len(d.track) <= wire.MaxTrack {
		return
	}
	half := len(d.track) / 2
	thin := make([]wire.Fix, 0, len(d.track))
	for i, x := range d.track {
		if i >= half || i%2 == 0 {
			thin = append(thin, x)
		}
	}
	d.track = thin
}

// lastFix returns the newest fix. The caller holds mu.
func (d *dossier) lastFix() *wire.Fix {
	if len(d.track) == 0 {
		return nil
	}
	f := d.track[len(d.track)-1]
	return &f
}

// recentChat returns the newest lines that fit a view. The caller holds mu.
func (d *dossier) recentChat() []wire.ChatItem {
	bytes, from := 0, len(d.chat)
	for from > 0 {
		bytes += len(d.chat[from-1].Text) + 200
		if bytes > maxChatBytes {
			break
		}
		from--
	}
	return append([]wire.ChatItem{}, d.chat[from:]...)
}

// place returns where the caller says they are, in words. The caller holds mu.
func (d *dossier) place() string {
	for i := len(d.track) - 1; i >= 0; i-- {
		if d.track[i].Text != "" {
			return d.track[i].Text
		}
	}
	return ""
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// callerView is the call as its caller sees it.
func (d *dossier) callerView(s call.State, operator string, ahead int, chat bool) wire.CallView {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := wire.CallView{
		Call: string(s.ID), Number: s.Number, Kind: wire.CallKind(s.Kind), Phase: wire.Phase(s.Phase), Rev: s.Version,
		Ahead: ahead, CreatedMs: millis(s.QueuedAt), SinceMs: millis(s.Since),
		EndReason: s.Closing.Reason, CallBack: s.Closing.CallBack == call.CallBackPending,
		Contact: wire.Contact{Name: s.Person.Name, Phone: s.Person.Phone}, Recording: d.record, Chat: []wire.ChatItem{},
	}
	if s.Live() {
		v.Operator = operator
		v.OpMic = s.Phase == call.Talking && d.opMedia.Mic == wire.DeviceOn
		v.OpCamera = s.Phase == call.Talking && d.opMedia.Camera == wire.DeviceOn
	}
	v.Guests = companions(s)
	if chat {
		v.Chat = d.recentChat()
	}
	if v.Phase == wire.PhaseWrapUp {
		v.Phase = wire.PhaseEnded // the caller has nothing to do with the paperwork
	}
	return v
}

// caller is the identity card. The caller holds mu.
func (d *dossier) caller(s call.State) wire.CallerCard {
	c := wire.CallerCard{
		Name: s.Person.Name, Phone: s.Person.Phone, Proof: "none", Lang: s.Lang, Registered: s.Caller != "",
		Earlier: d.earlier, EarlierMs: millis(d.last), IIN: d.self.IIN, Medical: d.self.Medical,
	}
	if s.Person.Proven {
		c.Proof = "sms"
	}
	return c
}

// card is the call as its operator sees it.
func (d *dossier) card(s call.State, transferTo string) wire.CallCard {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := wire.CallCard{
		Call: string(s.ID), Number: s.Number, Kind: wire.CallKind(s.Kind), Phase: wire.Phase(s.Phase), Rev: s.Version,
		Priority: s.Priority, CreatedMs: millis(s.QueuedAt), AnsweredMs: millis(s.AnsweredAt), SinceMs: millis(s.Since),
		Caller: d.caller(s), Media: d.mediaState(s), Track: append([]wire.Fix{}, d.track...), Chat: d.recentChat(),
		Note: d.note, NoteRev: d.noteRev, Recording: d.record, Quality: d.quality, Transfer: transferTo,
		EndReason: s.Closing.Reason, CallBack: s.Closing.CallBack == call.CallBackPending, Guests: guestRows(s),
	}
	if s.Phase == call.WrapUp {
		c.WrapUntil = millis(s.Since.Add(call.WrapTime))
	}
	return c
}

func (d *dossier) mediaState(s call.State) wire.MediaState {
	m := d.media
	m.Link = s.CallerGone.IsZero()
	return m
}

// offer is the ringing as its operator sees it.
func (d *dossier) offer(s call.State, o call.Offer, from string) *wire.OfferMade {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &wire.OfferMade{
		Call: string(s.ID), Epoch: o.Epoch, Number: s.Number, Kind: wire.CallKind(s.Kind), Priority: s.Priority,
		Caller: d.caller(s), SinceMs: millis(s.QueuedAt), ExpiresMs: millis(o.Until), Fix: d.lastFix(), Media: d.mediaState(s), Words: d.newestWords(),
	}
	if o.Transfer {
		m.Transfer = from
	}
	return m
}

// row is the call in the list of those that wait.
func (d *dossier) row(s call.State, offered string) wire.WaitingRow {
	d.mu.Lock()
	defer d.mu.Unlock()
	return wire.WaitingRow{
		Call: string(s.ID), Number: s.Number, Kind: wire.CallKind(s.Kind), Priority: s.Priority, SinceMs: millis(s.QueuedAt),
		Name: s.Person.Name, Place: d.place(), Fix: d.lastFix(), Mic: d.media.Mic, Camera: d.media.Camera,
		Offered: offered, LinkLost: !s.CallerGone.IsZero(), Rung: d.media.Rung,
	}
}
