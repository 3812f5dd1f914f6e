package derive

import (
	"encoding/json"
	"time"
)

// Timeline is what the player's page needs. All times are milliseconds since the call was
// opened, but OpenedMs, which is Unix time.
type Timeline struct {
	Call       string         `json:"call"`
	OpenedMs   int64          `json:"openedMs"`
	DurationMs int64          `json:"durationMs"`
	Sealed     bool           `json:"sealed"`
	Media      []MediaLine    `json:"media"`
	Streams    []StreamLine   `json:"streams"`
	Positions  []PositionLine `json:"positions"`
	Chat       []ChatLine     `json:"chat"`
	Events     []EventLine    `json:"events"`
	Blobs      []BlobLine     `json:"blobs"`
	Gaps       []IntervalLine `json:"gaps"`   // missing by the recorder's own account
	Damage     []IntervalLine `json:"damage"` // lost on the way, or cannot be shown
	Faults     []FaultLine    `json:"faults"` // of the archive itself
}

// MediaLine is one participant's file: its first frame stands at OffsetMs of the call.
type MediaLine struct {
	Participant string `json:"participant"`
	Role        string `json:"role"`
	Mime        string `json:"mime"`
	Audio       bool   `json:"audio"`
	Video       bool   `json:"video"`
	OffsetMs    int64  `json:"offsetMs"`
	DurationMs  int64  `json:"durationMs"`
	Width       int    `json:"width,omitempty"`
	Height      int    `json:"height,omitempty"`
}

// StreamLine is one recorded stream. Clock says what its place in time rests on: sr or arrival.
type StreamLine struct {
	Stream      uint16     `json:"stream"`
	Participant string     `json:"participant"`
	Role        string     `json:"role"`
	Kind        string     `json:"kind"`
	Codec       string     `json:"codec"`
	OffsetMs    int64      `json:"offsetMs"`
	DurationMs  int64      `json:"durationMs"`
	Clock       string     `json:"clock"`
	Packets     int        `json:"packets"`
	Recovered   int        `json:"recovered"` // of packets: came only as a repetition
	Copied      int        `json:"copied"`    // came only as a copy in a later packet (RFC 2198)
	Lost        int        `json:"lost"`      // came in no way
	MissingMs   int64      `json:"missingMs"` // stretches with losses
	Duplicates  int        `json:"duplicates"`
	Keyframes   int        `json:"keyframes,omitempty"`
	Resolutions []SizeLine `json:"resolutions,omitempty"`
}

// SizeLine is a change of the picture's size.
type SizeLine struct {
	Ms     int64 `json:"ms"`
	Width  int   `json:"width"`
	Height int   `json:"height"`
}

// PositionLine is a position as it was reported.
type PositionLine struct {
	Ms  int64           `json:"ms"`
	Fix json.RawMessage `json:"fix"`
}

// ChatLine is a line of chat as it was posted.
type ChatLine struct {
	Ms   int64           `json:"ms"`
	Item json.RawMessage `json:"item"`
}

// EventLine is an event of the call.
type EventLine struct {
	Ms      int64           `json:"ms"`
	Kind    string          `json:"kind"`
	Details json.RawMessage `json:"details"`
}

// BlobLine is a file sent within the call.
type BlobLine struct {
	Ms     int64  `json:"ms"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Mime   string `json:"mime"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`

	Declared *BlobFacts `json:"declared,omitempty"` // as its sender said
	Found    *BlobFacts `json:"found,omitempty"`    // as the file says
	Marks    []string   `json:"marks,omitempty"`
}

// IntervalLine is a stretch that is missing or damaged.
type IntervalLine struct {
	FromMs      int64  `json:"fromMs"`
	ToMs        int64  `json:"toMs"`
	Stream      uint16 `json:"stream"`
	Participant string `json:"participant,omitempty"`
	Kind        string `json:"kind,omitempty"`
	Cause       string `json:"cause"`
	Packets     int    `json:"packets,omitempty"`
	MissingMs   int64  `json:"missingMs,omitempty"` // where several losses are told as one: how much of the stretch is missing
}

// FaultLine is a place of the archive that could not be read.
type FaultLine struct {
	Ms      int64  `json:"ms"`
	UntilMs int64  `json:"untilMs,omitempty"`
	Where   string `json:"where,omitempty"`
	What    string `json:"what"`
}

// ms rounds to milliseconds.
func ms(d time.Duration) int64 { return int64(d.Round(time.Millisecond) / time.Millisecond) }

// Timeline lays everything of the call on its clock. Lists are empty, never nil.
func (r *Recording) Timeline() Timeline {
	t := Timeline{
		Call: string(r.Call), OpenedMs: r.Opened.UnixMilli(), DurationMs: ms(r.Duration), Sealed: r.Sealed,
		Media: []MediaLine{}, Streams: []StreamLine{}, Positions: []PositionLine{}, Chat: []ChatLine{},
		Events: []EventLine{}, Blobs: []BlobLine{}, Gaps: []IntervalLine{}, Damage: []IntervalLine{}, Faults: []FaultLine{},
	}
	for i, p := range r.parts {
		if line, ok := p.line(); ok {
			t.Media = append(t.Media, line)
		}
		for _, s := range r.Participants[i].Streams {
			t.Streams = append(t.Streams, s.line(p))
		}
		t.Damage = append(t.Damage, thin(p.faults(), maxDamage)...)
	}
	for _, e := range r.Positions {
		t.Positions = append(t.Positions, PositionLine{ms(e.At), e.Body})
	}
	for _, e := range r.Chat {
		t.Chat = append(t.Chat, ChatLine{ms(e.At), e.Body})
	}
	for _, e := range r.Events {
		t.Events = append(t.Events, EventLine{ms(e.At), e.Kind, e.Body})
	}
	for _, b := range r.Blobs {
		t.Blobs = append(t.Blobs, BlobLine{ms(b.At), b.ID, b.Name, b.Mime, b.Size, b.SHA256, b.Declared, b.Found, b.Marks})
	}
	for _, g := range r.Gaps {
		t.Gaps = append(t.Gaps, g.line())
	}
	for _, f := range r.Damage {
		t.Faults = append(t.Faults, FaultLine{ms(f.At), ms(f.Until), f.Where, f.What})
	}
	return t
}

// line describes the participant's file; there is none without a frame.
func (p *part) line() (MediaLine, bool) {
	mime, err := p.mime()
	if err != nil {
		return MediaLine{}, false
	}
	m := MediaLine{Participant: p.id, Role: p.role, Mime: mime, Audio: !p.sound.empty(), Video: !p.pictures.empty(),
		OffsetMs: ms(ns(p.start)), DurationMs: ms(ns(p.end - p.start))}
	if m.Video {
		m.Width, m.Height = int(p.pictures.frames[0].w), int(p.pictures.frames[0].h)
	}
	return m, true
}

func (s Stream) line(p *part) StreamLine {
	out := StreamLine{Stream: s.ID, Participant: p.id, Role: p.role, Kind: s.Kind, Codec: s.Codec,
		OffsetMs: ms(s.From), DurationMs: ms(s.To - s.From), Clock: s.Clock, Packets: s.Packets,
		Recovered: s.Recovered, Copied: s.Copied, Lost: s.Lost, MissingMs: ms(s.Missing), Duplicates: s.Duplicates, Keyframes: s.Keyframes}
	for _, r := range s.Resolutions {
		out.Resolutions = append(out.Resolutions, SizeLine{ms(r.At), r.Width, r.Height})
	}
	return out
}

func (i Interval) line() IntervalLine {
	return IntervalLine{FromMs: ms(i.From), ToMs: ms(i.To), Stream: i.Stream, Participant: i.Participant, Kind: i.Kind, Cause: i.Cause, Packets: i.Packets}
}

// maxDamage bounds the stretches of a participant that a page has to draw.
const maxDamage = 2000

// thin lays stretches out as lines; where there are more than limit, those of one stream and cause that
// are nearest to each other are told as one, with what is missing in it.
func thin(all []Interval, limit int) []IntervalLine {
	for near := time.Duration(0); ; near = max(20*time.Millisecond, 2*near) {
		var out []IntervalLine
		last := map[uint16]int{}
		missing := make(map[int]time.Duration)
		for _, f := range all {
			i, ok := last[f.Stream]
			if ok && near > 0 && out[i].Cause == f.Cause && f.From <= time.Duration(out[i].ToMs)*time.Millisecond+near {
				out[i].ToMs = max(out[i].ToMs, ms(f.To))
				out[i].Packets += f.Packets
				missing[i] += f.To - f.From
				continue
			}
			last[f.Stream] = len(out)
			missing[len(out)] = f.To - f.From
			out = append(out, f.line())
		}
		if len(out) > limit && near < time.Hour {
			continue
		}
		for i := range out {
			if m := ms(missing[i]); m < out[i].ToMs-out[i].FromMs-1 {
				out[i].MissingMs = m
			}
		}
		return out
	}
}
