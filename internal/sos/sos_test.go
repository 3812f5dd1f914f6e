package sos

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vector.json anew")

func sample() Message {
	return Message{
		Ref: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, N: 3, SentMs: 1795424400123, Kind: Silent, Lang: 1, Battery: 17,
		Place: &Place{Lat: 54.8753123, Lon: 69.1628456, AccuracyM: 12, AgeS: 4}, Have: 7, Part: 1, Text: "Абай 24, помогите",
	}
}

var (
	errClient = [16]byte{0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	errNonce  = [12]byte{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2}
)

// vector is what the page's own code must make and read too; web/caller/sos.test.ts holds it.
type vector struct {
	Key     string `json:"key"` // of the client, as Welcome has it
	Client  string `json:"client"`
	Nonce   string `json:"nonce"`
	Sealed  string `json:"sealed"`
	Open    string `json:"open"`
	Receipt string `json:"receipt"`
}

func TestThePageAndTheGatewayWriteTheSame(t *testing.T) {
	k := KeyOf("k-3f9a")
	sealed, err := Seal(k, errClient, errNonce, sample(), 180)
	if err != nil {
		t.Fatal(err)
	}
	open, err := Clear(errClient, [12]byte{}, sample(), 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(sealed)
	if err != nil {
		t.Fatal(err)
	}
	r := Receipt{Status: Registered, Phase: Answered, N: 3, Number: "26-000123", Line: 9, Part: 1, Last: true, Text: "Полиция едет"}.Bytes(f, &k, errNonce)
	now := vector{"k-3f9a", hex.EncodeToString(errClient[:]), hex.EncodeToString(errNonce[:]), hex.EncodeToString(sealed), hex.EncodeToString(open), hex.EncodeToString(r)}
	const path = "testdata/vector.json"
	if *update {
		raw, _ := json.MarshalIndent(now, "", "  ")
		if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var kept vector
	if err := json.Unmarshal(raw, &kept); err != nil {
		t.Fatal(err)
	}
	if now != kept {
		t.Errorf("the layout has changed: it must not, within version 1\n%+v\n%+v", now, kept)
	}
}

func TestADatagramComesBackAsItWent(t *testing.T) {
	k := KeyOf("key")
	for _, m := range []Message{sample(), {Kind: Video, Battery: NoBattery}, {Kind: Voice, Poll: true, Have: 1 << 31, N: 65535, SentMs: 1<<48 - 1, Battery: 100, Text: strings.Repeat("я", MaxText/2)}} {
		b, err := Seal(k, errClient, errNonce, m, MaxFrame)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > MaxFrame {
			t.Fatalf("%d bytes", len(b))
		}
		f, err := Parse(b)
		if err != nil || f.From != errClient || f.Len != len(b) {
			t.Fatal(err, f)
		}
		if got, err := f.Unseal(k); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%v: %+v, want %+v", err, got, m)
		}
		if _, err := f.Unseal(KeyOf("other")); err != ErrSeal {
			t.Errorf("another's key: %v", err)
		}
		if _, err := f.Message(); err == nil {
			t.Error("a sealed one is read without its key")
		}
		open, err := Clear(errClient, errNonce, m, 0)
		if err != nil {
			t.Fatal(err)
		}
		f, err = Parse(open)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Message(); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%v: %+v, want %+v", err, got, m)
		}
	}
}

func TestEveryBitIsSealed(t *testing.T) {
	k := KeyOf("key")
	b, err := Seal(k, errClient, errNonce, sample(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for bit := range 8 {
			x := bytes.Clone(b)
			x[i] ^= 1 << bit
			f, err := Parse(x)
			if err != nil {
				continue
			}
			if m, err := f.Unseal(k); err == nil {
				t.Fatalf("byte %d bit %d changed and still read: %+v", i, bit, m)
			}
		}
	}
}

func TestWhatIsTooLongOrNoWordsIsRefused(t *testing.T) {
	for _, m := range []Message{
		{}, {Kind: Voice, Battery: 101}, {Kind: Voice, Text: strings.Repeat("a", MaxText+1)}, {Kind: Voice, Text: "a\x00b"}, {Kind: Voice, Text: "\xff"},
		{Kind: Voice, Text: "\u202eabc"}, {Kind: Voice, Lang: 3}, {Kind: Voice, Place: &Place{Lat: 91}}, {Kind: Voice, Place: &Place{Lon: -181}}, {Kind: Voice, SentMs: -1},
	} {
		if b, err := Clear(errClient, errNonce, m, 0); err == nil {
			t.Errorf("%+v was written: %x", m, b)
		}
	}
}

func TestNoAnswerIsLongerThanTheQuestion(t *testing.T) {
	k := KeyOf("key")
	for pad := 0; pad <= MaxFrame; pad++ {
		m := sample()
		m.Text = ""
		sealed, _ := Seal(k, errClient, errNonce, m, pad)
		open, _ := Clear(errClient, errNonce, m, pad)
		for _, b := range [][]byte{sealed, open} {
			f, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			key := &k
			if f.Form == Open {
				key = nil
			}
			r := Receipt{Status: Registered, Number: "26-0001234", Line: 1, Last: true, Text: strings.Repeat("x", MaxPart)}
			for _, answer := range [][]byte{r.Bytes(f, key, errNonce), Challenge(f, errNonce)} {
				if len(answer) > len(b) {
					t.Fatalf("%d bytes answer %d", len(answer), len(b))
				}
				if _, err := ReadAnswer(answer, errClient, key); err != nil {
					t.Fatal(err)
				}
			}
			got, _ := ReadAnswer(r.Bytes(f, key, errNonce), errClient, key)
			if (got.Text == "") != got.More {
				t.Errorf("words without room must be told of: %+v", got)
			}
			if pad == MaxFrame && got.Text == "" {
				t.Error("a datagram filled up has room for a part")
			}
		}
	}
}

func TestAnOpenReceiptDoesNotAnswerASealedMessage(t *testing.T) {
	k := KeyOf("key")
	b, _ := Seal(k, errClient, errNonce, sample(), 0)
	f, _ := Parse(b)
	forged := Receipt{Status: Registered}.Bytes(f, nil, errNonce)
	if a, err := ReadAnswer(forged, errClient, &k); err == nil {
		t.Errorf("believed: %+v", a)
	}
	if a, err := ReadAnswer(Receipt{Status: Unreadable}.Bytes(f, nil, errNonce), errClient, &k); err != nil || a.Status != Unreadable {
		t.Errorf("%+v %v", a, err)
	}
}

func TestPartsAreWholeLetters(t *testing.T) {
	s := strings.Repeat("қазақ ", 60)
	parts := Parts(s)
	if strings.Join(parts, "") != s {
		t.Error("something is lost")
	}
	for _, p := range parts {
		if len(p) > MaxPart || !plain(p) {
			t.Errorf("%q", p)
		}
	}
}

func FuzzParse(f *testing.F) {
	k := KeyOf("key")
	b, _ := Seal(k, errClient, errNonce, sample(), 0)
	open, _ := Clear(errClient, errNonce, sample(), 150)
	f.Add(b)
	f.Add(open)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := Parse(b)
		if err != nil {
			return
		}
		m, err := fr.Message()
		if err != nil {
			if m, err = fr.Unseal(k); err != nil {
				return
			}
		}
		again, err := m.bytes(0)
		if err != nil {
			t.Fatalf("read what cannot be written: %+v: %v", m, err)
		}
		if got, err := read(again); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v became %+v: %v", m, got, err)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	k := KeyOf("key")
	b, _ := Seal(k, errClient, errNonce, sample(), 0)
	fr, _ := Parse(b)
	f.Add(Receipt{Status: Registered, Number: "26-000123", Text: "x", Line: 1}.Bytes(fr, nil, errNonce))
	f.Add(Challenge(fr, errNonce))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ReadAnswer(b, errClient, nil)
		if err == nil && (len(a.Text) > MaxFrame || !plain(a.Text)) {
			t.Fatal(a)
		}
		_, _ = ReadAnswer(b, errClient, &k)
	})
}

func BenchmarkUnseal(b *testing.B) {
	k := KeyOf("key")
	raw, _ := Seal(k, errClient, errNonce, sample(), 0)
	for b.Loop() {
		f, _ := Parse(raw)
		if _, err := f.Unseal(k); err != nil {
			b.Fatal(err)
		}
	}
}
