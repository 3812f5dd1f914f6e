package derive

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"jedel/internal/ident"
)

// facts are what a source knows of the whole archive once every record was given.
type facts struct {
	call    ident.CallID
	opened  time.Time
	last    time.Duration // newest record
	sealed  bool
	damaged []Fault
}

// loader gathers the records of one archive.
type loader struct {
	rec     *Recording
	streams map[uint16]*streamState
	order   []*streamState
	blobs   map[string]int // id -> place in rec.Blobs
	packets int
	odd     int // records without meaning here
}

const (
	// maxPackets bounds the index to 40 bytes * this; a day of two parties with video has less.
	maxPackets = 64 << 20
	// maxEntries bounds positions, chat and events, each.
	maxEntries = 1 << 20
)

// load reads every record of the source and puts the call in order.
func load(src source, known func() facts) (*Recording, error) {
	l := &loader{rec: &Recording{src: src}, streams: map[uint16]*streamState{}, blobs: map[string]int{}}
	if err := src.each(l.take); err != nil {
		return nil, err
	}
	f := known()
	r := l.rec
	r.Call, r.Opened, r.Sealed, r.Duration, r.Damage = f.call, f.opened, f.sealed, f.last, f.damaged
	if l.odd > 0 {
		r.Damage = append(r.Damage, Fault{What: fmt.Sprintf("%d records without a stream or with a malformed packet", l.odd)})
	}
	l.finishBlobs()
	if err := l.build(); err != nil {
		return nil, err
	}
	return r, nil
}

// take sorts one record. What is malformed is counted, never fatal: the rest of a call is worth
// as much as before.
func (l *loader) take(rec record) error {
	switch rec.kind {
	case recStreamOpen:
		l.open(rec)
	case recRTP:
		l.rtp(rec)
	case recSR:
		if s := l.streams[rec.stream]; s != nil {
			senderReports(rec.at, rec.data, func(sr senderReport) { l.report(s, sr) })
		}
	case recPosition:
		l.entry(&l.rec.Positions, rec)
	case recChat:
		l.entry(&l.rec.Chat, rec)
	case recEvent:
		l.entry(&l.rec.Events, rec)
	case recGap:
		l.gap(rec)
	case recBlobMeta, recBlobChunk:
		l.blob(rec)
	}
	return nil
}

// open begins a stream. A number opened again, after a restart of the recorder, goes on with the
// same stream when it describes the same one.
func (l *loader) open(rec record) {
	var info streamInfo
	if json.Unmarshal(rec.data, &info) != nil {
		l.odd++
		return
	}
	if info.PayloadType == 0 && len(info.PayloadTypes) > 0 {
		info.PayloadType = info.PayloadTypes[0]
	}
	info.Codec, info.Kind = codecName(info.Codec), codecName(info.Kind)
	if info.Kind == "audio" {
		info.ClockRate = opusClock
	}
	if info.ClockRate == 0 || info.ClockRate > 1_000_000 {
		info.ClockRate = pictureScale
	}
	if s := l.streams[rec.stream]; s != nil && s.info.same(info) {
		return
	}
	s := &streamState{id: rec.stream, info: info}
	l.streams[rec.stream] = s
	l.order = append(l.order, s)
}

func (l *loader) rtp(rec record) {
	s := l.streams[rec.stream]
	h, ok := parseRTP(rec.data)
	if s == nil || !ok || l.packets == maxPackets {
		l.odd++
		return
	}
	lane := s.lane(h.ssrc)
	if lane == nil {
		l.odd++
		return
	}
	p := packet{at: rec.at, block: rec.at0.block, off: rec.at0.off, n: uint16(len(rec.data))}
	if rec.recovered {
		p.flags = flagRecovered
	}
	if s.info.Codec == "vp8" {
		p.describe(rec.data[h.head : len(rec.data)-int(h.pad)])
	}
	lane.add(p, h)
	l.packets++
}

// maxReports bounds the sender reports of one lane: one a second for two days.
const maxReports = 200_000

// report gives a sender report to the lanes of its SSRC, in whatever stream of the participant
// it came.
func (l *loader) report(from *streamState, sr senderReport) {
	for _, s := range l.order {
		if s.info.Participant != from.info.Participant {
			continue
		}
		for _, lane := range s.lanes {
			if lane.ssrc == sr.ssrc && len(lane.srs) < maxReports {
				lane.srs = append(lane.srs, sr)
			}
		}
	}
}

func (l *loader) entry(to *[]Entry, rec record) {
	body := bytes.Clone(rec.data)
	if !json.Valid(body) && (rec.word == "ice" || rec.word == "dtls") { // plain text
		body, _ = json.Marshal(string(body)) // a string is always JSON
	}
	if len(*to) >= maxEntries || !json.Valid(body) {
		l.odd++
		return
	}
	*to = append(*to, Entry{At: ns(rec.at), Kind: entryKind(rec.word, body), Body: body})
}

func (l *loader) gap(rec record) {
	var g gapInfo
	if json.Unmarshal(rec.data, &g) != nil || len(l.rec.Gaps) >= maxEntries {
		l.odd++
		return
	}
	i := Interval{From: g.From, To: max(g.To, g.From), Stream: g.Stream, Cause: g.Cause, Packets: g.Count}
	if s := l.streams[g.Stream]; s != nil {
		i.Participant, i.Kind = s.info.Participant, s.info.Kind
	}
	l.rec.Gaps = append(l.rec.Gaps, i)
}

// build puts the packets in order, on one clock and together to tracks.
func (l *loader) build() error {
	r := l.rec
	for _, s := range l.order {
		for _, lane := range s.lanes {
			lane.finish()
		}
	}
	all := l.participants()
	parts, errs := make([]*part, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	atOnce := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, streams := range all { // they share nothing but what is read
		wg.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			for _, lanes := range clocks(streams) {
				placeLanes(lanes)
			}
			if parts[i], errs[i] = buildPart(&reader{src: r.src}, streams); errs[i] != nil {
				errs[i] = fmt.Errorf("put %s together: %w", streams[0].info.Role, errs[i])
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, streams := range all {
		p := parts[i]
		r.parts = append(r.parts, p)
		who := Participant{ID: p.id, Role: p.role}
		for _, s := range streams {
			who.Streams = append(who.Streams, s.describe(p))
		}
		r.Participants = append(r.Participants, who)
	}
	return nil
}

// participants groups the streams, in the order in which they were opened.
func (l *loader) participants() [][]*streamState {
	var out [][]*streamState
	place := map[string]int{}
	for _, s := range l.order {
		i, ok := place[s.info.Participant]
		if !ok {
			i = len(out)
			place[s.info.Participant] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], s)
	}
	return out
}

// clocks groups the lanes that share one sender's clock: those with one CNAME (RFC 3550 section
// 6.5.1), which a browser makes anew for each connection.
func clocks(streams []*streamState) [][]*lane {
	by := map[string][]*lane{}
	var names []string
	for _, s := range streams {
		if len(s.lanes) > 0 && by[s.info.Cname] == nil {
			names = append(names, s.info.Cname)
		}
		by[s.info.Cname] = append(by[s.info.Cname], s.lanes...)
	}
	out := make([][]*lane, 0, len(names))
	for _, n := range names {
		out = append(out, by[n])
	}
	return out
}

// describe counts what is in a stream.
func (s *streamState) describe(p *part) Stream {
	out := Stream{ID: s.id, Kind: s.info.Kind, Codec: s.info.Codec, Mid: s.info.Mid, RID: s.info.RID, Clock: "arrival"}
	from, to := int64(1)<<62, int64(-1)<<62
	for _, l := range s.lanes {
		out.SSRCs = append(out.SSRCs, l.ssrc)
		out.Stray += l.stray
		for _, r := range l.runs {
			out.Packets += len(r.packets)
			out.Recovered += r.repeated()
			out.Copied += min(r.copied, r.lost)
			out.Lost += max(0, r.lost-r.copied)
			out.Duplicates += r.dups
			from, to = min(from, r.time(0)), max(to, r.time(len(r.packets)-1))
			if r.bound {
				out.Clock = "sr"
			}
		}
	}
	if from <= to {
		out.From, out.To = ns(from), ns(to)
	}
	if s.info.Kind == "video" {
		s.pictures(p.pictures, &out)
	}
	for _, f := range p.faults() {
		if f.Stream == s.id && f.Cause == CauseLoss {
			out.Missing += f.To - f.From
		}
	}
	return out
}

// repeated counts the packets that came only after they had been asked for again.
func (r *run) repeated() (n int) {
	for i := range r.packets {
		if r.packets[i].flags&flagRecovered != 0 {
			n++
		}
	}
	return n
}

func (s *streamState) pictures(t *track, out *Stream) {
	for _, f := range t.frames {
		if !f.key() || t.takes[f.take].stream != s.id {
			continue
		}
		out.Keyframes++
		size := Resolution{ns(f.t), int(f.w), int(f.h)}
		n := len(out.Resolutions)
		if size.Width > 0 && (n == 0 || out.Resolutions[n-1].Width != size.Width || out.Resolutions[n-1].Height != size.Height) {
			out.Resolutions = append(out.Resolutions, size)
		}
	}
}

// faults lists the intervals of a participant in the order of time.
func (p *part) faults() []Interval {
	out := append(slices.Clone(p.sound.faults), p.pictures.faults...)
	slices.SortStableFunc(out, func(a, b Interval) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Stream, b.Stream))
	})
	return out
}
