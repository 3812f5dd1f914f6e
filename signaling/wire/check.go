package wire

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"jedel/internal/ident"
)

// checked is a body whose values have limits.
type checked interface{ check() error }

// firstErr returns the first error, so that checks read as a list.
func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Text checks words that people wrote: at most limit bytes, no control characters but line breaks
// and tabs, and none that reorder what others read (Unicode bidirectional overrides and isolates).
func Text(what, s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("%s: %d bytes, limit %d", what, len(s), limit)
	}
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
		case unicode.IsControl(r):
			return fmt.Errorf("%s: control character %U", what, r)
		case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C:
			return fmt.Errorf("%s: bidirectional control %U", what, r)
		case r == 0xFFFD, r == 0xFEFF, r >= 0xE0000 && r <= 0xE007F:
			return fmt.Errorf("%s: character %U", what, r)
		}
	}
	return nil
}

// Line is Text without line breaks and tabs.
func Line(what, s string, limit int) error {
	if strings.ContainsAny(s, "\n\t") {
		return fmt.Errorf("%s: line break", what)
	}
	return Text(what, s, limit)
}

// word is a short ASCII name chosen by a program.
func word(what, s string) error {
	if s == "" || len(s) > MaxShort {
		return fmt.Errorf("%s: %d bytes", what, len(s))
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return fmt.Errorf("%s: not a plain word", what)
		}
	}
	return nil
}

func id(what, s string) error {
	if _, err := ident.Parse[string](s); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func oneOf[T ~string](what string, v T, allowed ...T) error {
	for _, a := range allowed {
		if v == a {
			return nil
		}
	}
	return fmt.Errorf("%s: not one of %v", what, allowed)
}

func between(what string, v, lo, hi float64) error {
	if math.IsNaN(v) || v < lo || v > hi {
		return fmt.Errorf("%s: %v is not within %v and %v", what, v, lo, hi)
	}
	return nil
}

func (h *Hello) check() error {
	if h.Version < 1 {
		return errors.New("version")
	}
	if h.Resume != nil {
		if err := firstErr(id("resume.client", h.Resume.Client), word("resume.key", h.Resume.Key)); err != nil {
			return err
		}
	}
	if _, err := h.Claimed(); err != nil {
		return err
	}
	if len(h.Token) > 256 {
		return errors.New("token: too long")
	}
	return firstErr(oneOf("role", h.Role, RoleCaller, RoleConsole), oneOf("lang", h.Lang, "kk", "ru", "en"), Line("agent", h.Agent, MaxName))
}

// Claimed returns the 128 bits of the claim, nil without one.
func (h *Hello) Claimed() (*[16]byte, error) {
	if h.Claim == "" {
		return nil, nil
	}
	raw, err := hex.DecodeString(h.Claim)
	if err != nil || len(raw) != 16 {
		return nil, errors.New("claim")
	}
	return (*[16]byte)(raw), nil
}

func (m *MediaOffer) check() error {
	if len(m.SDP) == 0 || len(m.SDP) > MaxSDP {
		return fmt.Errorf("sdp: %d bytes", len(m.SDP))
	}
	return word("pc", m.PC)
}

func (m *MediaCheck) check() error { return word("pc", m.PC) }

func (m *MediaCandidate) check() error {
	if len(m.Candidate) > 512 || len(m.Mid) > MaxShort {
		return errors.New("candidate: too long")
	}
	return word("pc", m.PC)
}

func device(what string, d DeviceState) error {
	return oneOf(what, d, DeviceOn, DeviceOff, DeviceDenied, DeviceNone, DeviceBusy, DeviceAsking)
}

func (m *MediaStatus) check() error {
	return firstErr(device("mic", m.Mic), device("camera", m.Camera), oneOf("rung", m.Rung, "", RungVideo, RungThin, RungAudio, RungNotes, RungText))
}

// Check refuses a position that cannot be.
func (f *Fix) Check() error { return f.check() }

func (f *Fix) check() error {
	var optional []error
	if f.AltM != nil {
		optional = append(optional, between("altM", *f.AltM, -500, 20000))
	}
	if f.Heading != nil {
		optional = append(optional, between("heading", *f.Heading, 0, 360))
	}
	if f.SpeedMps != nil {
		optional = append(optional, between("speedMps", *f.SpeedMps, 0, 1000))
	}
	if f.Source == "pin" && (f.AccuracyM != 0 || len(optional) > 0) {
		return errors.New("a pin is placed, not measured")
	}
	return firstErr(append(optional, between("lat", f.Lat, -90, 90), between("lon", f.Lon, -180, 180),
		between("accuracyM", f.AccuracyM, 0, 1e7), oneOf("source", f.Source, "device", "pin", "text"),
		Line("text", f.Text, 500), between("clientMs", float64(f.ClientMs), 0, 4e12))...)
}

func (p *PositionReport) check() error {
	return firstErr(id("call", p.Call), word("id", p.ID), p.Fix.check())
}

func (c *ChatSend) check() error {
	if c.Text == "" && c.File == "" {
		return errors.New("nothing said")
	}
	if c.File != "" {
		if err := id("file", c.File); err != nil {
			return err
		}
	}
	return firstErr(id("call", c.Call), word("id", c.ID), Text("text", c.Text, MaxChat))
}

// Bytes returns what the piece brings.
func (v *VoicePiece) Bytes() ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(v.Data)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return raw, nil
}

func (v *VoicePiece) check() error {
	raw, err := v.Bytes()
	if err != nil {
		return err
	}
	if len(raw) > MaxPiece || v.From < 0 || v.From > MaxVoice-len(raw) || len(raw) == 0 && !v.End {
		return fmt.Errorf("piece of %d bytes at %d", len(raw), v.From)
	}
	return firstErr(id("call", v.Call), id("note", v.Note))
}

func (q *QualityReport) check() error {
	if q.Call != "" {
		if err := id("call", q.Call); err != nil {
			return err
		}
	}
	return firstErr(between("rttMs", q.RTTMs, 0, 1e6), between("lossDown", q.LossDown, 0, 1), between("concealed", q.Concealed, 0, 1),
		between("jitterMs", q.JitterMs, 0, 1e6), between("fps", q.FPS, 0, 1000), oneOf("transport", q.Transport, "udp", "tcp", "relay", "none"),
		Line("network", q.Network, MaxShort))
}

func (c *Contact) check() error {
	return firstErr(Line("name", c.Name, MaxName), Line("phone", c.Phone, 32))
}

func (c *CallCreate) check() error {
	if c.Contact != nil {
		if err := c.Contact.check(); err != nil {
			return err
		}
	}
	if c.Fix != nil {
		if err := c.Fix.check(); err != nil {
			return err
		}
	}
	return firstErr(word("ref", c.Ref), oneOf("kind", c.Kind, KindVideo, KindVoice, KindSilent))
}

func (c *ContactSet) check() error { return firstErr(id("call", c.Call), c.Contact.check()) }
func (c *CallEnd) check() error    { return id("call", c.Call) }

func (d *DutySet) check() error {
	return firstErr(oneOf("state", d.State, DutyOff, DutyReady, DutyBusy, DutyPause), Line("reason", d.Reason, MaxShort))
}

func (o *OfferAccept) check() error { return id("call", o.Call) }
func (o *OfferReject) check() error {
	return firstErr(id("call", o.Call), Line("reason", o.Reason, MaxShort))
}
func (c *CallHold) check() error { return id("call", c.Call) }
func (c *CallTransfer) check() error {
	return firstErr(id("call", c.Call), id("to", c.To))
}
func (n *NoteSave) check() error { return firstErr(id("call", n.Call), Text("text", n.Text, MaxNote)) }
func (c *CallWrapUp) check() error {
	return firstErr(id("call", c.Call), word("category", c.Category), word("outcome", c.Outcome))
}
func (c *CallBackDone) check() error {
	return firstErr(id("call", c.Call), oneOf("outcome", c.Outcome, "reached", "not_reached", "not_needed"))
}
func (c *CameraRequest) check() error   { return id("call", c.Call) }
func (p *PositionRequest) check() error { return id("call", p.Call) }
