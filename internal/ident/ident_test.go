package ident

import "testing"

func TestNewIsParsedBack(t *testing.T) {
	seen := map[CallID]bool{}
	for range 1000 {
		id := New[CallID]()
		if seen[id] {
			t.Fatalf("%s came twice", id)
		}
		seen[id] = true
		if got, err := Parse[CallID](string(id)); err != nil || got != id {
			t.Fatalf("Parse(%q) = %q, %v", id, got, err)
		}
	}
}

func TestEncodeKeepsEveryBit(t *testing.T) {
	seen := map[string]bool{}
	for i := range 128 {
		var raw [16]byte
		raw[i/8] = 0x80 >> (i % 8)
		s := encode(raw)
		if len(s) != Len || seen[s] {
			t.Fatalf("bit %d: %q", i, s)
		}
		seen[s] = true
	}
	if s := encode([16]byte{}); s != "00000000000000000000000000" {
		t.Fatalf("zero: %q", s)
	}
}

func TestParseRefusesOtherText(t *testing.T) {
	for _, s := range []string{
		"", "0", "../../../../../../etc/passwd", "0000000000000000000000000", "000000000000000000000000000",
		"0000000000000000000000000U", "80000000000000000000000000", "0000000000000000000000000é",
		"0000000000000000000000000i", "0000000000000000000000000\x00",
	} {
		if id, err := Parse[CallID](s); err == nil {
			t.Errorf("Parse(%q) = %q", s, id)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(string(New[CallID]()))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := Parse[CallID](s)
		if err == nil && (string(id) != s || len(s) != Len) {
			t.Fatalf("%q accepted as %q", s, id)
		}
	})
}

func TestBitsComeBack(t *testing.T) {
	for range 1000 {
		id := New[CallID]()
		raw, err := Raw(id)
		if err != nil || Of[CallID](raw) != id {
			t.Fatalf("%s: %x %v", id, raw, err)
		}
	}
	if _, err := Raw(CallID("x")); err == nil {
		t.Error("what is not an identifier has bits")
	}
}
