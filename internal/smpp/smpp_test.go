package smpp

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// TestBytesAreThoseOfTheStandard holds a PDU that was written by hand from sections 3.2 and 4.1.5.
func TestBytesAreThoseOfTheStandard(t *testing.T) {
	got := PDU{Command: BindTransceiver, Seq: 1, Body: Bind{"jedel", "secret", ""}.Bytes()}.Bytes()
	want := []byte{0, 0, 0, 0x22, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 'j', 'e', 'd', 'e', 'l', 0, 's', 'e', 'c', 'r', 'e', 't', 0, 0, 0x34, 0, 0, 0}
	if !bytes.Equal(got, want) {
		t.Errorf("% x\n% x", got, want)
	}
	p, err := Read(bytes.NewReader(got))
	b, perr := ParseBind(p.Body)
	if err != nil || perr != nil || b != (Bind{"jedel", "secret", ""}) || !bytes.Equal(p.Bytes(), want) {
		t.Error(p, b, err, perr)
	}
	submit := Short{From: Sender("102"), To: International("+77015551212"), Receipt: true, Coding: CodingUCS2, Text: []byte{4, 0x10}}.Bytes()
	if want := "\x00\x03\x00102\x00\x01\x0177015551212\x00\x00\x00\x00\x00\x00\x01\x00\x08\x00\x02\x04\x10"; string(submit) != want {
		t.Errorf("%q\n%q", submit, want)
	}
}

func TestWhatIsNoPDUIsRefused(t *testing.T) {
	for _, raw := range []string{"\x00\x00\x00\x0f............", "\xff\xff\xff\xff............", "\x00\x00\x40\x01............"} {
		if _, err := Read(strings.NewReader(raw)); !errors.Is(err, ErrShape) {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if _, err := Read(strings.NewReader("\x00\x00\x00\x20............1")); err == nil {
		t.Error("half a PDU was taken")
	}
	whole := Short{From: Sender("Police"), To: International("+77015551212"), Text: []byte("hello"), Receipted: "17", State: 2}.Bytes()
	for n := range whole {
		if got, err := ParseShort(whole[:n]); err == nil && got.Receipted != "" && got.State == 2 {
			t.Errorf("%d of %d bytes were taken as the whole", n, len(whole))
		}
	}
	if _, err := ParseName([]byte("no end")); err == nil {
		t.Error("a text without an end was taken")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(PDU{Command: DeliverSM, Seq: 7, Body: Short{Class: ClassReceipt, Text: []byte("id:1 stat:DELIVRD text:x")}.Bytes()}.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if s, err := ParseShort(p.Body); err == nil {
			if id, _, ok := s.ReadReceipt(); ok && (id == "" || len(id) > 64) {
				t.Errorf("receipt of %q", id)
			}
		}
		_, _ = ParseBind(p.Body)
		_, _ = ParseName(p.Body)
	})
}

func TestShortMessagesAreReadAsTheyWereWritten(t *testing.T) {
	address := rapid.Custom(func(t *rapid.T) Address {
		return Address{rapid.Byte().Draw(t, "ton"), rapid.Byte().Draw(t, "npi"), rapid.StringMatching(`[0-9A-Za-z]{0,20}`).Draw(t, "text")}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := Short{
			From: address.Draw(t, "from"), To: address.Draw(t, "to"), Class: rapid.Byte().Draw(t, "class"), Coding: rapid.Byte().Draw(t, "coding"),
			Receipt: rapid.Bool().Draw(t, "receipt"), Text: rapid.SliceOfN(rapid.Byte(), 0, 254).Draw(t, "body"),
			Receipted: rapid.StringMatching(`[0-9a-f]{0,64}`).Draw(t, "receipted"), State: rapid.ByteRange(0, 9).Draw(t, "state"),
		}
		got, err := ParseShort(s.Bytes())
		if len(s.Text) == 0 {
			s.Text, got.Text = nil, nil
		}
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("%+v, want %+v: %v", got, s, err)
		}
	})
}

func TestTextsArriveWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9 .,!?-]{0,900}`), rapid.StringOfN(rapid.Rune(), 0, 600, -1), rapid.StringOfN(rapid.RuneFrom([]rune("Ұәөқ😀a")), 0, 600, -1)).Draw(t, "text")
		s = strings.ToValidUTF8(s, "")
		if Count(s) > MaxParts {
			t.Skip()
		}
		coding, parts := Split(s, 9)
		for i, p := range parts {
			limit := 140
			if coding == CodingDefault {
				limit = 160
			}
			if len(p) > limit {
				t.Fatalf("part %d has %d bytes", i, len(p))
			}
			if coding == CodingUCS2 && len(parts) > 1 && len(p) >= 8 && p[6] >= 0xDC && p[6] <= 0xDF {
				t.Fatalf("part %d begins within a letter", i)
			}
		}
		if got, ok := Join(coding, parts); !ok || got != s {
			t.Fatalf("%q, want %q", got, s)
		}
		if len(parts) != Count(s) {
			t.Fatalf("%d parts, counted %d", len(parts), Count(s))
		}
	})
}

func TestPartsAreCountedAsTheyArePaid(t *testing.T) {
	for _, c := range []struct {
		s    string
		want int
	}{
		{"", 1}, {strings.Repeat("a", 160), 1}, {strings.Repeat("a", 161), 2}, {strings.Repeat("a", 306), 2}, {strings.Repeat("a", 307), 3},
		{strings.Repeat("қ", 70), 1}, {strings.Repeat("қ", 71), 2}, {strings.Repeat("қ", 134), 2}, {strings.Repeat("қ", 135), 3},
		{"a$", 1}, {strings.Repeat("$", 71), 2},
	} {
		if got := Count(c.s); got != c.want {
			t.Errorf("%d bytes: %d, want %d", len(c.s), got, c.want)
		}
	}
}

func TestCutKeepsAsMuchAsFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, n := rapid.StringOfN(rapid.RuneFrom([]rune("Ұа😀 z")), 0, 900, -1).Draw(t, "text"), rapid.IntRange(1, 6).Draw(t, "parts")
		got := Cut(s, n)
		if Count(got) > n || got != s && !strings.HasSuffix(got, "…") || !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Fatalf("%q", got)
		}
		if units := len(utf16.Encode([]rune(got))); got != s && units < n*manyUCS2-n-3 {
			t.Fatalf("only %d units of %d parts", units, n)
		}
	})
}

func TestReceiptsAreRead(t *testing.T) {
	text := func(s string) Short { return Short{Class: ClassReceipt, Text: []byte(s)} }
	for _, c := range []struct {
		s     Short
		id    string
		state State
		ok    bool
	}{
		{text("id:0123456789 sub:001 dlvrd:001 submit date:2611240210 done date:2611240211 stat:DELIVRD err:000 text:stat:EXPIRED"), "0123456789", Delivered, true},
		{text("id:ab stat:UNDELIV err:001"), "ab", Failed, true},
		{text("id:ab stat:ENROUTE"), "ab", Pending, true},
		{text("ID:ab STAT:rejectd Text:id:zz"), "ab", Failed, true},
		{Short{Class: ClassReceipt, Receipted: "77", State: 2, Text: []byte("id:1 stat:UNDELIV")}, "77", Delivered, true},
		{Short{Class: ClassReceipt, Receipted: "77", State: 5}, "77", Failed, true},
		{text("hello"), "", Pending, false},
		{text("id:" + strings.Repeat("9", 65)), strings.Repeat("9", 65), Pending, false},
		{Short{Text: []byte("id:1 stat:DELIVRD")}, "", Pending, false},
	} {
		if id, state, ok := c.s.ReadReceipt(); id != c.id || state != c.state || ok != c.ok {
			t.Errorf("%q: %q %v %v", c.s.Text, id, state, ok)
		}
	}
}
