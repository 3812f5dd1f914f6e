// Package agreed reads from an offer and its answer what both ends have agreed on: codecs and header
// extensions by number, and the sources of each section (RFC 8829, RFC 9143). It is pure and takes
// any text.
package agreed

import (
	"strconv"
	"strings"

	"jedel/media/codec"

	"github.com/pion/sdp/v3"
)

// URIs of the header extensions that the packet path reads or writes.
const (
	MidURI       = "urn:ietf:params:rtp-hdrext:sdes:mid"
	TransportURI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

// Codec is one payload type of a section.
type Codec struct {
	MIME     string // canonical, "audio/opus"
	Clock    uint32 // ticks per second
	Channels uint16
	Fmtp     string
	Of       uint8 // the payload type that an RTX one repeats (RFC 4588 section 8.6); 0 for others
	Nack     bool  // the receiver of it may ask again
	REMB     bool  // estimates by the receiver
	TWCC     bool  // transport-wide feedback
}

// Source is one SSRC with what repeats it.
type Source struct {
	SSRC uint32
	RTX  uint32 // 0: none
}

// Section is one m-line.
type Section struct {
	Mid       string
	Kind      string // audio, video, application
	Codecs    map[uint8]Codec
	Preferred uint8  // the first payload type of the answer
	MidExt    uint8  // number of the header extension; 0: none
	SeqExt    uint8  // of transport-wide sequence numbers
	Theirs    Source // what the offer says it sends; zero where it does not say
	Ours      Source // what the answer says it sends
	Sends     bool   // the offering side may send in it
}

// Sections are all m-lines in their order.
type Sections []Section

// Read returns what offer and answer agree on. What cannot be read is not agreed on.
func Read(offer, answer string) Sections {
	var o, a sdp.SessionDescription
	if o.UnmarshalString(offer) != nil || a.UnmarshalString(answer) != nil {
		return nil
	}
	var out Sections
	for i, m := range a.MediaDescriptions {
		s := Section{Kind: m.MediaName.Media, Codecs: map[uint8]Codec{}}
		s.Mid, _ = m.Attribute("mid")
		if m.MediaName.Port.Value != 0 { // else refused
			s.read(m)
		}
		s.Ours = sourceOf(m)
		if i < len(o.MediaDescriptions) {
			s.Theirs = sourceOf(o.MediaDescriptions[i])
		}
		out = append(out, s)
	}
	return out
}

// read takes codecs, extensions and direction from a section of the answer.
func (s *Section) read(m *sdp.MediaDescription) {
	for i, f := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		s.Codecs[uint8(pt)] = Codec{}
		if i == 0 {
			s.Preferred = uint8(pt)
		}
	}
	for _, a := range m.Attributes {
		switch a.Key {
		case "rtpmap":
			s.change(a.Value, func(c *Codec, v string) { c.rtpmap(s.Kind, v) })
		case "fmtp":
			s.change(a.Value, (*Codec).fmtp)
		case "rtcp-fb":
			s.change(a.Value, (*Codec).feedback)
		case "extmap":
			s.extension(a.Value)
		case sdp.AttrKeySendRecv, sdp.AttrKeyRecvOnly: // the answer's: the offering side may send
			s.Sends = true
		}
	}
	for pt, c := range s.Codecs {
		if c.MIME == "" {
			delete(s.Codecs, pt)
		}
	}
}

// change lets f change the codecs that an attribute's value begins with.
func (s *Section) change(value string, f func(*Codec, string)) {
	number, rest, ok := strings.Cut(value, " ")
	if !ok {
		return
	}
	for pt, c := range s.Codecs {
		if number == "*" || number == strconv.Itoa(int(pt)) {
			f(&c, rest)
			s.Codecs[pt] = c
		}
	}
}

// rtpmap reads "opus/48000/2" (RFC 8866 section 6.6).
func (c *Codec) rtpmap(kind, v string) {
	parts := strings.Split(v, "/")
	if len(parts) < 2 {
		return
	}
	clock, err := strconv.ParseUint(strings.TrimSpace(parts[1]), 10, 32)
	if err != nil || clock == 0 {
		return
	}
	c.MIME, c.Clock = codec.Name(kind+"/"+parts[0]), uint32(clock)
	if len(parts) > 2 {
		if n, err := strconv.ParseUint(strings.TrimSpace(parts[2]), 10, 16); err == nil {
			c.Channels = uint16(n)
		}
	}
}

func (c *Codec) fmtp(v string) {
	c.Fmtp = v
	for p := range strings.SplitSeq(v, ";") {
		if apt, ok := strings.CutPrefix(strings.TrimSpace(p), "apt="); ok {
			if n, err := strconv.ParseUint(apt, 10, 7); err == nil {
				c.Of = uint8(n)
			}
		}
	}
}

// feedback reads rtcp-fb (RFC 4585 section 4.2).
func (c *Codec) feedback(v string) {
	switch strings.TrimSpace(v) {
	case "nack":
		c.Nack = true
	case "goog-remb":
		c.REMB = true
	case "transport-cc":
		c.TWCC = true
	}
}

// extension reads extmap (RFC 8285 section 8).
func (s *Section) extension(v string) {
	words := strings.Fields(v)
	if len(words) < 2 {
		return
	}
	number, _, _ := strings.Cut(words[0], "/")
	id, err := strconv.ParseUint(number, 10, 8)
	if err != nil || id == 0 {
		return
	}
	switch words[1] {
	case MidURI:
		s.MidExt = uint8(id)
	case TransportURI:
		s.SeqExt = uint8(id)
	}
}

// sourceOf returns the first source that a section names, and what repeats it (RFC 5576 section 4).
func sourceOf(m *sdp.MediaDescription) Source {
	var s Source
	for _, a := range m.Attributes {
		switch a.Key {
		case "ssrc":
			if s.SSRC == 0 {
				s.SSRC = ssrc(firstWord(a.Value))
			}
		case "ssrc-group":
			words := strings.Fields(a.Value)
			if len(words) == 3 && words[0] == "FID" && s.RTX == 0 {
				s = Source{SSRC: ssrc(words[1]), RTX: ssrc(words[2])}
			}
		}
	}
	return s
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}

func ssrc(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// BySSRC returns the section whose offer names ssrc, and whether it is its repetition.
func (s Sections) BySSRC(ssrc uint32) (at int, rtx, ok bool) {
	for i := range s {
		switch ssrc {
		case 0:
		case s[i].Theirs.SSRC:
			return i, false, true
		case s[i].Theirs.RTX:
			return i, true, true
		}
	}
	return 0, false, false
}

// ByMid returns the section named mid that the offering side may send in.
func (s Sections) ByMid(mid string) (int, bool) {
	for i := range s {
		if s[i].Mid == mid && s[i].Sends {
			return i, true
		}
	}
	return 0, false
}

// ByType returns the only section that the offering side may send pt in (RFC 9143 section 9.2).
func (s Sections) ByType(pt uint8) (at int, ok bool) {
	for i := range s {
		if _, has := s[i].Codecs[pt]; has && s[i].Sends {
			if ok {
				return 0, false
			}
			at, ok = i, true
		}
	}
	return at, ok
}

// Type returns the payload type of a codec in a section, none where it was not agreed on.
func (s *Section) Type(mime string) (uint8, bool) {
	best, ok := uint8(0), false
	for pt, c := range s.Codecs {
		if c.MIME == mime && (!ok || pt < best) {
			best, ok = pt, true
		}
	}
	return best, ok
}

// Repeats returns the payload type of the repetitions of pt (RFC 4588 section 8.1).
func (s *Section) Repeats(pt uint8) (uint8, bool) {
	for rtx, c := range s.Codecs {
		if c.Of == pt && c.MIME == s.Kind+"/rtx" {
			return rtx, true
		}
	}
	return 0, false
}
