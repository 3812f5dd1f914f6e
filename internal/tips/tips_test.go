package tips

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/recorder/keys"
)

var update = flag.Bool("update", false, "write the vectors that the page's tests read")

func code(t testing.TB, text string) Code {
	t.Helper()
	c, err := ParseCode(text)
	if err != nil {
		t.Fatal(text, err)
	}
	return c
}

var fixed = Code{0, 1, 2, 3, 4, 5, 6, 7, 0xfe, 0xdc, 0xba, 0x98}

func TestACodeIsReadHoweverItIsTyped(t *testing.T) {
	words := fixed.Words()
	if len(strings.Fields(words)) != 6 || len(words) != 35 {
		t.Fatal(words)
	}
	cyr := strings.Map(func(r rune) rune {
		if at := strings.IndexRune(consonants+vowels, r); at >= 0 {
			return []rune(cyrillic)[at]
		}
		return r
	}, words)
	for _, typed := range []string{words, cyr, strings.ToUpper(words), strings.ToUpper(cyr), strings.ReplaceAll(words, " ", ""), strings.ReplaceAll(cyr, " ", " - "), "\n" + words + " \t"} {
		if got := code(t, typed); got != fixed {
			t.Errorf("%q is %v", typed, got)
		}
	}
	for _, bad := range []string{"", words[:34], words + "b", strings.Replace(words, "b", "a", 1), strings.Replace(words, "a", "e", 1), "қ" + words[1:], strings.Repeat(" ", 300)} {
		if _, err := ParseCode(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestWhatACodeGives holds the vectors that the page's own tests read: both derive the same.
func TestWhatACodeGives(t *testing.T) {
	letter := Letter{Kind: Tip, Text: "Алаң", Lang: "kk", Reply: "age1pq1x", Files: []File{{"a.txt", "text/plain", []byte("12345")}}}
	packed, err := letter.Pack()
	if err != nil {
		t.Fatal(err)
	}
	challenge := ChallengeAt([]byte("secret"), time.Unix(1e9, 0))
	stamp := Make(challenge, 12, fixed.Key().Mailbox(), IDOf(packed))
	ids, err := keys.ParseIdentities(fixed.Identity())
	if err != nil {
		t.Fatal("what a code gives is no age identity:", err)
	}
	got, err := json.MarshalIndent(map[string]any{
		"words": fixed.Words(), "key": fixed.Key().Text(), "mailbox": fixed.Key().Mailbox().String(), "identity": fixed.Identity(), "recipient": ids[0].Recipient("").Text,
		"letterStart": string(packed[19 : 19+int(packed[17])<<8+int(packed[18])]), "letterID": IDOf(packed).String(), "challenge": challenge.Text(), "stampBits": 12, "stamp": stamp.Text(),
		"fingerprint": Fingerprint([]string{"age1pq1b", "age1pq1a"}), "classes": Classes(), "sealedBytes": []int{SealedBytes(0, 1), SealedBytes(2, 3)},
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/vectors.json"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(append(got, '\n'), want) {
		t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
	}
}

func TestCodesGiveNothingOfEachOther(t *testing.T) {
	a, b := fixed, fixed
	b[11] ^= 1
	if a.Key() == b.Key() || a.Identity() == b.Identity() || Mailbox(a.Key()) == a.Key().Mailbox() || strings.Contains(a.Identity(), a.Key().Text()) {
		t.Fatal("derived values repeat")
	}
}

func TestLettersArePaddedToFiveSizes(t *testing.T) {
	for _, c := range []struct{ data, want int }{{0, 64 << 10}, {60 << 10, 64 << 10}, {64 << 10, 256 << 10}, {1 << 20, 4 << 20}, {15 << 20, 16 << 20}} {
		l := Letter{Kind: Tip, Text: "x", Lang: "ru", Reply: "r", Files: []File{{"f", "", make([]byte, c.data)}}}
		raw, err := l.Pack()
		if err != nil || len(raw) != c.want {
			t.Fatalf("%d bytes give %d, want %d: %v", c.data, len(raw), c.want, err)
		}
		back, err := ParseLetter(raw)
		if err != nil || back.Text != "x" || len(back.Files) != 1 || len(back.Files[0].Data) != c.data {
			t.Fatal(err, back.Text)
		}
	}
	if _, err := (Letter{Kind: Tip, Text: "x", Lang: "ru", Reply: "r", Files: []File{{"f", "", make([]byte, 16<<20)}}}).Pack(); !errors.Is(err, ErrFormat) {
		t.Fatal(err)
	}
}

func TestLettersOutOfShapeAreRefused(t *testing.T) {
	good := Letter{Kind: Tip, Text: "x", Lang: "ru", Reply: "r"}
	for name, change := range map[string]func(*Letter){
		"kind": func(l *Letter) { l.Kind = "x" }, "empty": func(l *Letter) { l.Text = "" }, "long": func(l *Letter) { l.Text = strings.Repeat("x", MaxText+1) },
		"lang": func(l *Letter) { l.Lang = "fr" }, "no reply": func(l *Letter) { l.Reply = "" }, "a reply to a reply": func(l *Letter) { l.Kind = Reply },
		"files": func(l *Letter) { l.Files = make([]File, MaxFiles+1) }, "no name": func(l *Letter) { l.Files = []File{{}} }, "not text": func(l *Letter) { l.Text = "\xff" },
	} {
		l := good
		change(&l)
		if _, err := l.Pack(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, _ := good.Pack()
	for name, change := range map[string]func([]byte) []byte{
		"short": func(b []byte) []byte { return b[:len(b)-1] }, "intro": func(b []byte) []byte { b[0]++; return b }, "padding": func(b []byte) []byte { b[len(b)-1] = 1; return b },
		"head's length": func(b []byte) []byte { b[15] = 0xff; return b }, "unknown key": func(b []byte) []byte { return bytes.Replace(b, []byte(`"kind"`), []byte(`"kine"`), 1) },
	} {
		if _, err := ParseLetter(change(bytes.Clone(raw))); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sealedBy(t testing.TB, n int, plain []byte) []byte {
	t.Helper()
	var to []keys.Recipient
	for range n {
		id, err := keys.NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		to = append(to, id.Recipient(""))
	}
	raw, err := keys.Seal(plain, to)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestOnlyAgeFilesOfPaddedLettersAreTaken(t *testing.T) {
	for n := 1; n <= 3; n++ {
		raw := sealedBy(t, n, make([]byte, Class(0).Bytes()))
		if c, err := CheckSealed(raw, n); err != nil || c != 0 {
			t.Fatal(n, c, err)
		}
		for _, other := range []int{n - 1, n + 1} {
			if _, err := CheckSealed(raw, other); !errors.Is(err, ErrFormat) {
				t.Errorf("%d recipients pass for %d", n, other)
			}
		}
	}
	if c, err := CheckSealed(sealedBy(t, 2, make([]byte, Class(2).Bytes())), 2); err != nil || c != 2 {
		t.Fatal(c, err)
	}
	good := sealedBy(t, 1, make([]byte, Class(0).Bytes()))
	for name, raw := range map[string][]byte{
		"not padded": sealedBy(t, 1, make([]byte, 1000)), "plain text": bytes.Repeat([]byte("a"), len(good)), "nothing": nil,
		"other version": bytes.Replace(good, []byte("v1"), []byte("v2"), 1), "other stanza": bytes.Replace(good, []byte("mlkem768"), []byte("mlkem512"), 1),
		"broken base64": bytes.Replace(good, good[60:61], []byte("="), 1), "no end": bytes.Replace(good, []byte("--- "), []byte("--- ")[1:], 1),
		"lines within a stanza": with(good, 100, "\n\n\n\n"), "lines within the MAC": with(good, 1600, "\n\n\n\n"),
		"two lines": append(bytes.Replace(good, []byte("\n---"), []byte("\n\n--"), 1)[:len(good)-1], 0),
	} {
		if _, err := CheckSealed(raw, 1); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func with(raw []byte, at int, other string) []byte {
	raw = bytes.Clone(raw)
	copy(raw[at:], other)
	return raw
}

func TestAStampIsForOneLetterOneMailboxAndAFewMinutes(t *testing.T) {
	secret, at := []byte("secret"), time.Unix(1e9, 0)
	box, letter := fixed.Key().Mailbox(), ID{1}
	s := Make(ChallengeAt(secret, at), 10, box, letter)
	if back, err := ParseStamp(s.Text()); err != nil || back != s {
		t.Fatal(back, err)
	}
	check := func(s Stamp, secret string, at time.Time, box Mailbox, letter ID) bool {
		n, ok := s.Check([]byte(secret), at, box, letter)
		return ok && n >= 10
	}
	if !check(s, "secret", at, box, letter) || !check(s, "secret", at.Add(StampTime), box, letter) {
		t.Fatal("an honest stamp is refused")
	}
	refused := 0
	for _, bad := range []bool{
		check(s, "other", at, box, letter), check(s, "secret", at.Add(3*StampTime), box, letter), check(s, "secret", at.Add(-StampTime), box, letter),
		check(s, "secret", at, Mailbox{2}, letter), check(s, "secret", at, box, ID{2}), check(Stamp{s.Challenge, s.Nonce + 1}, "secret", at, box, letter),
	} {
		if !bad {
			refused++
		}
	}
	if refused < 6 { // by chance one in a thousand of those with the right challenge passes; these do not
		t.Fatalf("only %d of 6 are refused", refused)
	}
}

func TestOnlyWhoReadsTheQuestionAnswersIt(t *testing.T) {
	secret, now := []byte("secret"), time.Unix(1e9, 0)
	q := Ask(secret, "anticor", now.Add(DutyTime), [16]byte{7})
	read, err := ParseQuestion(q.Text())
	if err != nil || read != q {
		t.Fatal(read, err)
	}
	answer := read.Answer()
	if !CheckAnswer(secret, "anticor", now, answer) {
		t.Fatal("the answer is refused")
	}
	if strings.Contains(answer, q.Text()[len(questionIntro)+1:]) {
		t.Fatal("the answer repeats what was opened")
	}
	guess := Question{Unit: q.Unit, Until: q.Until, Salt: q.Salt}
	for name, ok := range map[string]bool{
		"another unit": CheckAnswer(secret, "customs", now, answer), "too late": CheckAnswer(secret, "anticor", now.Add(DutyTime), answer),
		"another gateway": CheckAnswer([]byte("other"), "anticor", now, answer), "without the secret": CheckAnswer(secret, "anticor", now, guess.Answer()),
		"longer": CheckAnswer(secret, "anticor", now, strings.Replace(answer, "1000", "1001", 1)), "nothing": CheckAnswer(secret, "anticor", now, ""), "dots": CheckAnswer(secret, "anticor", now, ".."),
	} {
		if ok {
			t.Errorf("%s passes", name)
		}
	}
	letter, _ := Letter{Kind: Tip, Text: "x", Lang: "ru", Reply: "r"}.Pack()
	if _, err := ParseQuestion(string(letter)); !errors.Is(err, ErrFormat) {
		t.Fatal("a letter passes for a question")
	}
}

func TestWordsStillFitWherePicturesDoNot(t *testing.T) {
	b := Bounds{Total: 100 << 20, Mailbox: 10 << 20}
	for _, c := range []struct {
		total, box int64
		class      Class
		want       fault.Code
	}{
		{0, 0, Largest, fault.TooMany}, {0, 0, 3, ""}, {74 << 20, 0, 0, ""}, {74 << 20, 0, 3, fault.NoSpace}, {80 << 20, 0, 0, ""}, {80 << 20, 0, 1, fault.NoSpace},
		{100 << 20, 0, 0, fault.NoSpace}, {0, 10 << 20, 0, fault.TooMany},
	} {
		if got := fault.CodeOf(b.Admit(c.total, c.box, c.class, c.class.Bytes())); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestABucketForgetsNobodyAndLetsNoMoreThrough(t *testing.T) {
	b, now, ok := Bucket{Every: time.Second, Burst: 5}, time.Unix(1e9, 0), false
	through := 0
	for i := range 1000 {
		if b, ok = b.Take(now.Add(time.Duration(i) * 10 * time.Millisecond)); ok {
			through++
		}
	}
	if through < 14 || through > 16 {
		t.Fatalf("%d in 10 s, want 5 at once and one a second", through)
	}
}

func TestADayIsTheSites(t *testing.T) {
	zone := time.FixedZone("", 5*3600)
	late := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	if DayOf(late.In(zone)).String() != "2026-11-29" || DayOf(late).String() != "2026-11-28" || DayOf(late).Time() != time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC) {
		t.Fatal(DayOf(late.In(zone)), DayOf(late))
	}
}
