package wire

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jedel/internal/fault"
)

var update = flag.Bool("update", false, "write testdata")

func example(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestEveryMessageHasItsExample(t *testing.T) {
	if *update {
		for i, b := range samples() {
			m := Message{Seq: uint64(i + 1), Body: b}
			if e, _ := lookup(b.WireType()); e.Direction == Reply {
				m.Re = 9
			}
			raw, err := Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, raw, "", "  "); err != nil {
				t.Fatal(err)
			}
			out.WriteByte('\n')
			if err := os.WriteFile(filepath.Join("testdata", b.WireType()+".json"), out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != len(Table()) {
		t.Fatalf("%d examples for %d messages, %v", len(files), len(Table()), err)
	}
	for _, e := range Table() {
		raw := example(t, e.Type)
		m, err := DecodeAny(raw)
		if err != nil || m.Body.WireType() != e.Type || e.New().WireType() != e.Type {
			t.Fatalf("%s: %v", e.Type, err)
		}
		for _, role := range e.Roles {
			if _, err := Decode(role, raw); err != nil {
				t.Errorf("%s as %s: %v", e.Type, role, err)
			}
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Compact(&want, raw); err != nil {
			t.Fatal(err)
		}
		if want.String() != string(again) {
			t.Errorf("%s:\n%s\n%s", e.Type, want.String(), again)
		}
	}
}

func TestOnlyWhoMaySendIsHeard(t *testing.T) {
	for _, e := range Table() {
		for _, role := range []Role{RoleCaller, RoleConsole} {
			may := false
			for _, r := range e.Roles {
				may = may || r == role
			}
			_, err := Decode(role, example(t, e.Type))
			if (err == nil) != may {
				t.Errorf("%s from %s: %v", e.Type, role, err)
			}
		}
	}
}

func TestBadMessagesAreRefused(t *testing.T) {
	const call = `"1gq3x0c7m5k2v8n4t6r9w0b2d4"`
	chat := func(text string) string {
		b, _ := json.Marshal(text)
		return `{"type":"chat.send","seq":1,"body":{"call":` + call + `,"id":"a","text":` + string(b) + `}}`
	}
	deep := strings.Repeat(`[`, 30000) + strings.Repeat(`]`, 30000)
	for _, c := range []struct {
		name, raw string
		code      fault.Code
	}{
		{"empty", "", fault.BadMessage},
		{"not JSON", "hello", fault.BadMessage},
		{"not UTF-8", "{\"type\":\"\xff\"}", fault.BadMessage},
		{"at the size limit", chat("x") + strings.Repeat(" ", MaxMessage-len(chat("x"))), ""},
		{"above the size limit", chat("x") + strings.Repeat(" ", MaxMessage-len(chat("x"))+1), fault.TooLarge},
		{"1000 times the size limit", strings.Repeat(" ", 1000*MaxMessage), fault.TooLarge},
		{"deep body", `{"type":"ping","seq":1,"body":` + deep + `}`, fault.TooDeep},
		{"deep key", `{"type":"chat.send","seq":1,"body":{"call":` + call + `,"id":` + strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20) + `,"text":"x"}}`, fault.TooDeep},
		{"unknown type", `{"type":"call.destroy","seq":1,"body":{}}`, fault.UnknownType},
		{"news sent by a client", `{"type":"session.replaced","seq":1,"body":{}}`, fault.UnknownType},
		{"console request from a caller", `{"type":"offer.accept","seq":1,"body":{"call":` + call + `,"epoch":1}}`, fault.UnknownType},
		{"unknown key", `{"type":"ping","seq":1,"body":{"x":1}}`, fault.BadMessage},
		{"unknown outer key", `{"type":"ping","seq":1,"x":1,"body":{}}`, fault.BadMessage},
		{"unknown inner key", `{"type":"call.create","seq":1,"body":{"ref":"a","kind":"video","contact":{"name":"a","phone":"","x":1}}}`, fault.BadMessage},
		{"key twice", `{"type":"call.end","seq":1,"body":{"call":` + call + `,"call":` + call + `}}`, fault.BadMessage},
		{"outer key twice", `{"type":"ping","type":"ping","seq":1,"body":{}}`, fault.BadMessage},
		{"wrong case", `{"type":"call.end","seq":1,"body":{"Call":` + call + `}}`, fault.BadMessage},
		{"wrong outer case", `{"Type":"ping","seq":1,"body":{}}`, fault.BadMessage},
		{"missing key", `{"type":"call.end","seq":1,"body":{}}`, fault.BadMessage},
		{"missing seq", `{"type":"ping","body":{}}`, fault.BadMessage},
		{"two messages", `{"type":"ping","seq":1,"body":{}}{"type":"ping","seq":2,"body":{}}`, fault.BadMessage},
		{"trailing word", `{"type":"ping","seq":1,"body":{}} x`, fault.BadMessage},
		{"null", `{"type":"call.end","seq":1,"body":{"call":null}}`, fault.BadMessage},
		{"null body", `{"type":"ping","seq":1,"body":null}`, fault.BadMessage},
		{"number for text", `{"type":"call.end","seq":1,"body":{"call":1}}`, fault.BadMessage},
		{"fraction for a count", `{"type":"note.saved","seq":1.5,"body":{"rev":1}}`, fault.BadMessage},
		{"negative count", `{"type":"ping","seq":-1,"body":{}}`, fault.BadMessage},
		{"not an id", `{"type":"call.end","seq":1,"body":{"call":"../../etc/passwd"}}`, fault.BadValue},
		{"HTML is text", chat(`<script>alert(1)</script><img src=x onerror=alert(1)>`), ""},
		{"Kazakh is text", chat("Әділет көшесі, үйдің жанында\nекінші қабат"), ""},
		{"bidi override", chat("abc\u202Egpj.exe"), fault.BadValue},
		{"bidi isolate", chat("a\u2066b"), fault.BadValue},
		{"control character", chat("a\u0000b"), fault.BadValue},
		{"escape sequence", chat("a\u001b[31mb"), fault.BadValue},
		{"chat at the limit", chat(strings.Repeat("x", MaxChat)), ""},
		{"chat above the limit", chat(strings.Repeat("x", MaxChat+1)), fault.BadValue},
		{"nothing said", chat(""), fault.BadValue},
		{"latitude", `{"type":"position.report","seq":1,"body":{"call":` + call + `,"id":"p","fix":{"lat":91,"lon":0,"accuracyM":1,"source":"device","clientMs":1,"serverMs":0}}}`, fault.BadValue},
		{"pin with an accuracy", `{"type":"position.report","seq":1,"body":{"call":` + call + `,"id":"p","fix":{"lat":1,"lon":0,"accuracyM":12,"source":"pin","clientMs":1,"serverMs":0}}}`, fault.BadValue},
		{"pin with a heading", `{"type":"position.report","seq":1,"body":{"call":` + call + `,"id":"p","fix":{"lat":1,"lon":0,"accuracyM":0,"heading":90,"source":"pin","clientMs":1,"serverMs":0}}}`, fault.BadValue},
		{"accuracy", `{"type":"position.report","seq":1,"body":{"call":` + call + `,"id":"p","fix":{"lat":1,"lon":0,"accuracyM":-1,"source":"device","clientMs":1,"serverMs":0}}}`, fault.BadValue},
		{"huge number", `{"type":"position.report","seq":1,"body":{"call":` + call + `,"id":"p","fix":{"lat":1e999,"lon":0,"accuracyM":1,"source":"device","clientMs":1,"serverMs":0}}}`, fault.BadMessage},
	} {
		role := RoleCaller
		_, err := Decode(role, []byte(c.raw))
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.code, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range samples() {
		raw, err := Encode(Message{Seq: 1, Body: b})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, role := range []Role{RoleCaller, RoleConsole} {
			m, err := Decode(role, raw)
			if err != nil {
				if c := fault.CodeOf(err); c == "" || c == fault.Internal {
					t.Fatalf("no code: %v", err)
				}
				continue
			}
			again, err := Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Decode(role, again); err != nil && len(again) <= MaxMessage {
				t.Fatalf("%s\nthen\n%s\n%v", raw, again, err)
			}
		}
	})
}
