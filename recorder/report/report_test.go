package report

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"jedel/recorder/derive"
	"jedel/recorder/verify"
)

func sample() Custody {
	index := uint64(41)
	return Custody{
		Made: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), Zone: "Asia/Almaty", Software: "jedel test", Writer: "jedel", Host: "rec-1",
		Request: Request{By: "Тергеуші Ә. Қ.", Case: "24-0017", Reason: "<b>сот</b>", Withheld: []string{"1:10s-20s"}},
		About:   About{Call: "01jd", Number: "26-000001", Name: "Өмірбек 🚓 <script>alert(1)</script>", Phone: "+7 700 000 00 00", OpenedMs: 1764000000123, EndReason: "operator"},
		Line: derive.Timeline{
			DurationMs: 3_725_004, Streams: []derive.StreamLine{{Role: "caller", Kind: "audio", Codec: "opus", OffsetMs: 10, DurationMs: 1000, Clock: "sr", Packets: 50, Lost: 1}},
			Gaps:   []derive.IntervalLine{{FromMs: 1, ToMs: 2, Kind: "caller audio", Cause: "slow_disk"}},
			Events: []derive.EventLine{{Ms: 5, Kind: "recovery", Details: json.RawMessage(`{"boot":"x"}`)}, {Ms: 6, Kind: "talked"}},
		},
		Proof: &verify.Report{Levels: []verify.Level{
			{Level: "V1", State: verify.Failed, Notes: []verify.Note{{Code: "v1.read", Args: verify.Args{"leaves": 5, "segments": uint64(1)}}}, Fault: &verify.Fault{Name: "caller audio", Second: 1.5, Code: "read.failed", Args: verify.Args{"file": "00000.evr", "bytes": 10, "offset": 20, "cause": "cause.crc"}}},
		}, Findings: []verify.Note{{Code: "found.restarts", Args: verify.Args{"restarts": 2}}}, Root: strings.Repeat("r", 44)},
		Files:    []File{{"00000.evr", 123456, strings.Repeat("0123456789abcdef", 4)}},
		Accesses: []Access{{AtMs: 1764000100000, Name: "Investigator", Action: "open refused", Detail: "x"}, {AtMs: 1764000200000, Name: "Investigator", Action: "play", Index: &index, Row: strings.Repeat("h", 44)}},
		Log:      &Log{Origin: "site/log", Size: 77, Root: strings.Repeat("q", 44)},
	}
}

func words(t *testing.T, lang string) Words {
	t.Helper()
	w, err := In(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestThePageSaysEverythingInThreeLanguages(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"Custody report", "checksum differs", "Caller · audio", "the disk was too slow", "2 times", "24-0017", "41", "00000.evr", "nobody outside", "01:02:05.004", "Recording recovered", "played it", "refused: no reason was given"},
		"ru": {"Отчёт о хранении", "контрольная сумма не совпадает", "2 раза", "воспроизводил", "Удостоверение"},
		"kk": {"Сақтау тізбегі", "бақылау қосындысы сәйкес емес", "Растау"},
	} {
		var page bytes.Buffer
		if err := sample().Doc(words(t, lang)).HTML(&page); err != nil {
			t.Fatal(err)
		}
		text := page.String()
		for _, s := range want {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(s)) {
				t.Errorf("%s: %q is not in the page", lang, s)
			}
		}
		if strings.Contains(text, "<script>alert") || strings.Contains(text, "<b>сот") || strings.Contains(text, "http:") || strings.Contains(text, "https:") {
			t.Errorf("%s: markup of others, or an address", lang)
		}
		if left := regexp.MustCompile(`\{\w+[,}]`).FindString(regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(text, "")); left != "" {
			t.Errorf("%s: a blank was left open: %s", lang, left)
		}
		for _, bare := range []string{"custody.", "sign.", "log.", "proof.", "clock.", "state."} {
			if m := regexp.MustCompile(`[> ]` + regexp.QuoteMeta(bare) + `[a-z.]+[< ]`).FindString(text); m != "" {
				t.Errorf("%s: a key instead of words: %q", lang, m)
			}
		}
	}
}

func TestTheSheetsSayTheSame(t *testing.T) {
	text, err := exec.LookPath("pdftotext")
	for _, lang := range []string{"kk", "ru", "en"} {
		c := sample()
		for range 300 { // many sheets
			c.Accesses = append(c.Accesses, c.Accesses[1])
		}
		d := c.Doc(words(t, lang))
		var one, two bytes.Buffer
		if err := d.PDF(&one); err != nil {
			t.Fatal(err)
		}
		if err := d.PDF(&two); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Fatalf("%s: the same page gives other bytes (%v)", lang, err)
		}
		if n := bytes.Count(one.Bytes(), []byte("/Type /Page\n")); n < 5 {
			t.Errorf("%s: %d sheets", lang, n)
		}
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), text, "-layout", "-", "-")
		cmd.Stdin = &one
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"Өмірбек", "24-0017", "01:02:05.004", strings.Repeat("h", 20), d.Title, d.Sections[len(d.Sections)-1].Title} {
			if !strings.Contains(string(out), s) {
				t.Errorf("%s: %q is not on the sheets", lang, s)
			}
		}
	}
}

func TestAPersonsReport(t *testing.T) {
	c := sample()
	p := Person{Made: c.Made, Zone: c.Zone, Software: c.Software, Name: "Investigator", Login: "inv", From: c.Made.Add(-time.Hour), To: c.Made, Accesses: c.Accesses, Log: c.Log, More: true}
	p.Accesses[1].Call = "26-000001"
	for _, lang := range []string{"kk", "ru", "en"} {
		var page, sheets bytes.Buffer
		d := p.Doc(words(t, lang))
		if err := d.HTML(&page); err != nil || !strings.Contains(page.String(), "26-000001") {
			t.Errorf("%s: %v", lang, err)
		}
		if err := d.PDF(&sheets); err != nil {
			t.Error(err)
		}
	}
}

func TestNoOtherLanguage(t *testing.T) {
	if _, err := In("de"); err == nil {
		t.Fatal("words in a language that has none")
	}
}
