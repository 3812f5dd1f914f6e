package derive

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/Eyevinn/mp4ff/avc"
)

// part is one participant with what can be played of it.
type part struct {
	id, role string
	start    int64 // first frame, on the call clock
	end      int64 // end of the last one
	sound    *track
	pictures *track
}

// ns is a time on the call clock.
func ns(v int64) time.Duration { return time.Duration(v) }

// codecName brings the names codecs go by to one form: "video/VP8" and "VP8" are "vp8".
func codecName(s string) string {
	s = strings.ToLower(s)
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		s = s[i+1:]
	}
	return s
}

// streamState is one recorded stream while the archive is read.
type streamState struct {
	id    uint16
	info  streamInfo
	lanes []*lane
}

// lane returns the lane of one SSRC. A stream with more of them than anybody needs is hostile;
// the rest is not kept apart.
func (s *streamState) lane(ssrc uint32) *lane {
	for i := len(s.lanes) - 1; i >= 0; i-- {
		if s.lanes[i].ssrc == ssrc {
			return s.lanes[i]
		}
	}
	if len(s.lanes) == maxLanes {
		return nil
	}
	l := &lane{stream: s.id, ssrc: ssrc, clock: int64(s.info.ClockRate)}
	s.lanes = append(s.lanes, l)
	return l
}

// maxLanes bounds the SSRCs of one stream. A browser changes its SSRC a few times in a call.
const maxLanes = 256

// buildPart puts the streams of one participant together. The lanes must have been placed.
func buildPart(rd *reader, streams []*streamState) (*part, error) {
	p := &part{id: streams[0].info.Participant, role: streams[0].info.Role}
	var err error
	if p.sound, err = buildTrack(rd, streams, "audio"); err != nil {
		return nil, err
	}
	if p.pictures, err = buildTrack(rd, streams, "video"); err != nil {
		return nil, err
	}
	p.pictures.finishPictures()
	if p.pictures.codec != "h264" {
		p.pictures.ascend()
	}
	p.start = int64(1) << 62
	for _, t := range []*track{p.sound, p.pictures} {
		if !t.empty() {
			p.start = min(p.start, t.frames[0].t)
		}
	}
	if p.start == 1<<62 {
		p.start = 0
		return p, nil
	}
	p.sound.finishSound(p.start)
	if n := len(p.sound.frames); n > 0 {
		f := p.sound.frames[n-1]
		p.end = f.t + ticksTime(int64(f.dur))
	}
	for _, f := range p.pictures.frames {
		p.end = max(p.end, f.t)
	}
	return p, nil
}

// codecsOf are the codecs that can be written, by kind; a red stream carries opus.
var codecsOf = map[string][]string{"audio": {"opus", "red"}, "video": {"vp8", "vp9", "h264", "av1"}}

// buildTrack makes the track of one kind. Of several codecs the one with the most frames is
// taken; the others' time is told as a fault.
func buildTrack(rd *reader, streams []*streamState, kind string) (*track, error) {
	t := &track{kind: kind}
	frames := map[string]int{}
	for _, s := range oneLayer(streams, kind) {
		if !slices.Contains(codecsOf[kind], s.info.Codec) {
			continue
		}
		for _, l := range s.lanes {
			for _, r := range l.runs {
				k := take{run: r, info: s.info, stream: s.id, pt: r.mediaPT(s.info.PayloadType)}
				if err := k.load(rd, kind); err != nil {
					return nil, err
				}
				frames[trackCodec(s.info.Codec)] += len(k.frames)
				t.takes = append(t.takes, k)
			}
		}
	}
	for _, c := range codecsOf[kind] {
		if frames[c] > frames[t.codec] {
			t.codec = c
		}
	}
	t.parameters()
	for i := range t.takes {
		s := &t.takes[i]
		first, last := s.run.time(0), s.run.time(len(s.run.packets)-1)
		switch {
		case trackCodec(s.info.Codec) != t.codec && len(s.frames) > 0:
			t.fault(i, first, last, "other_codec", 0)
			s.frames = nil
		case len(s.frames) == 0 && kind == "video" && !allEmpty(s.run):
			t.fault(i, first, last, "no_keyframe", 0)
		}
	}
	slices.SortStableFunc(t.takes, func(a, b take) int { return cmp.Compare(a.from, b.from) })
	t.merge()
	return t, nil
}

// parameters collects what a decoder must have before the first picture. H264 may announce it in
// the session description only (RFC 6184 section 8.1); without any, nothing can be shown.
func (t *track) parameters() {
	for i := range t.takes {
		if s := &t.takes[i]; s.info.Codec == t.codec && len(s.frames) > 0 {
			t.sets.add(s.sets)
		}
	}
	for i := range t.takes {
		t.sets.add(announcedSets(t.takes[i].info.Fmtp))
	}
	if t.codec == "h264" && (t.sets.sps == nil || t.sets.pps == nil) {
		for i := range t.takes {
			t.takes[i].frames = nil
		}
	}
}

// announcedSets reads sprop-parameter-sets.
func announcedSets(fmtp string) sets {
	var out sets
	for param := range strings.SplitSeq(fmtp, ";") {
		value, ok := strings.CutPrefix(strings.TrimSpace(param), "sprop-parameter-sets=")
		if !ok {
			continue
		}
		for text := range strings.SplitSeq(value, ",") {
			nal, err := base64.StdEncoding.DecodeString(text)
			if err != nil || len(nal) < 2 || len(nal) > 4096 {
				continue
			}
			switch nal[0] & 0x1f {
			case 7:
				if _, err := avc.ParseSPSNALUnit(nal, false); err == nil {
					out.add(sets{sps: nal})
				}
			case 8:
				out.add(sets{pps: nal})
			}
		}
	}
	return out
}

func trackCodec(c string) string {
	if c == "red" {
		return "opus"
	}
	return c
}

func allEmpty(r *run) bool {
	return !slices.ContainsFunc(r.packets, func(p packet) bool { return !p.empty() })
}

func (k *take) load(rd *reader, kind string) (err error) {
	if kind == "audio" {
		k.frames, err = soundFrames(rd, k.run, k.info)
	} else {
		k.frames, k.sets, err = pictureFrames(rd, k.run, k.info)
	}
	if err != nil || len(k.frames) == 0 {
		return err
	}
	k.from = k.frames[0].t
	if kind == "video" {
		k.from = int64(1) << 62 // never shown beside another one
		for _, f := range k.frames {
			if f.key() {
				k.from = f.t
				break
			}
		}
	}
	return nil
}

// oneLayer returns the streams of a kind; of the layers of a simulcast only the one with the
// most bytes.
func oneLayer(streams []*streamState, kind string) []*streamState {
	var out []*streamState
	best := map[string]*streamState{}
	for _, s := range streams {
		if s.info.Kind != kind {
			continue
		}
		if s.info.RID == "" {
			out = append(out, s)
			continue
		}
		if b := best[s.info.Mid]; b == nil || s.bytes() > b.bytes() {
			best[s.info.Mid] = s
		}
	}
	for _, s := range streams {
		if s.info.Kind == kind && s.info.RID != "" && best[s.info.Mid] == s {
			out = append(out, s)
		}
	}
	return out
}

func (s *streamState) bytes() int {
	n := 0
	for _, l := range s.lanes {
		for _, r := range l.runs {
			for i := range r.packets {
				n += int(r.packets[i].n)
			}
		}
	}
	return n
}
