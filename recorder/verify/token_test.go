package verify_test

import (
	"os"
	"testing"

	"jedel/recorder/proof"
	"jedel/recorder/verify"
)

// FuzzToken reads what stands in seal.tsr, or what an authority answers: whatever it is, it is read or
// refused.
func FuzzToken(f *testing.F) {
	good, err := os.ReadFile("testdata/token.tsr")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0x30, 0x80, 0x30})
	f.Add([]byte{0x3f, 0x81})
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := verify.ParseToken(raw)
		if err == nil && (proof.CheckDER(raw) != nil || token.Time.IsZero() && len(token.HashedMessage) == 0) {
			t.Fatal("a token of nothing")
		}
	})
}

// TestATokenIsReadOnlyAsDER cuts an honest token and loosens its encoding: refused, never read beyond
// its end.
func TestATokenIsReadOnlyAsDER(t *testing.T) {
	good, err := os.ReadFile("testdata/token.tsr")
	if err != nil {
		t.Fatal(err)
	}
	token, err := verify.ParseToken(good)
	if err != nil || !token.Stamps("a checkpoint\n") || token.Stamps("another\n") {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := verify.ParseToken(good[:n]); err == nil {
			t.Fatalf("read, cut at %d of %d", n, len(good))
		}
	}
	for name, raw := range map[string][]byte{
		"more after it": append(good[:len(good):len(good)], 0), "indefinite": {0x30, 0x80, 0, 0}, "long way": {0x30, 0x81, 0x01, 0}, "long tag": {0x3f, 0x81, 0x01, 0},
	} {
		if _, err := verify.ParseToken(raw); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}
