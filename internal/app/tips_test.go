package app

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"jedel/internal/config"
	"jedel/internal/tipmail"
	"jedel/internal/tips"
	"jedel/recorder/keys"
)

// written keeps what is written.
type written struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *written) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.b.Bytes())
}

// needles are the ways in which a text may lie somewhere.
func needles(text string) map[string][]byte {
	wide := utf16.Encode([]rune(text))
	le, be := make([]byte, 0, 2*len(wide)), make([]byte, 0, 2*len(wide))
	for _, u := range wide {
		le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
	}
	quoted := strconv.QuoteToASCII(text)
	out := map[string][]byte{
		"as it is": []byte(text), "hex": []byte(hex.EncodeToString([]byte(text))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(text)))),
		"UTF-16LE": le, "UTF-16BE": be, "in an address": []byte(url.QueryEscape(text)), "escaped": []byte(quoted[1 : len(quoted)-1]),
	}
	for shift := range 3 { // base64 looks different at each of three places
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			full := enc.EncodeToString(append(make([]byte, shift), text...))
			skip := (shift*8 + 5) / 6
			out[fmt.Sprintf("%s at %d", name, shift)] = []byte(full[skip : len(full)-1])
		}
	}
	return out
}

// haystack is everything that a gateway leaves behind.
func (g *gateway) haystack() map[string][]byte {
	g.t.Helper()
	hay := map[string][]byte{"the log": g.log.bytes()}
	for len(g.printed) > 0 {
		hay["printed"] = append(hay["printed"], <-g.printed...)
	}
	res, err := http.Get(g.url + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	if hay["/metrics"], err = io.ReadAll(res.Body); err != nil || len(hay["/metrics"]) < 1000 {
		g.t.Fatal(len(hay["/metrics"]), err)
	}
	_ = res.Body.Close()
	err = filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		hay[path] = append(append([]byte(path), '\n'), raw...)
		for at := 0; ; at++ { // a compressed part may begin anywhere
			next := bytes.Index(raw[at:], []byte("\x1f\x8b\x08"))
			if next < 0 {
				break
			}
			at += next
			if z, err := gzip.NewReader(bytes.NewReader(raw[at:])); err == nil {
				plain, _ := io.ReadAll(io.LimitReader(z, 16<<20))
				hay[path+" unpacked"] = append(hay[path+" unpacked"], plain...)
			}
		}
		if bytes.HasPrefix(raw, []byte("SQLite format 3")) {
			hay[path+" tables"] = g.tables(path)
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return hay
}

// tables reads every cell of every table of a database.
func (g *gateway) tables(file string) []byte {
	g.t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=query_only(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		g.t.Fatal(err)
	}
	defer db.Close()
	names, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		g.t.Fatal(err)
	}
	var tables []string
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			g.t.Fatal(err)
		}
		tables = append(tables, name)
	}
	var out bytes.Buffer
	for _, table := range tables {
		rows, err := db.Query(`SELECT * FROM "` + table + `"`)
		if err != nil {
			g.t.Fatal(table, err)
		}
		columns, err := rows.Columns()
		if err != nil {
			g.t.Fatal(err)
		}
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				g.t.Fatal(err)
			}
			for i, c := range cells {
				if b, ok := c.([]byte); ok {
					c = string(b)
				}
				fmt.Fprintf(&out, "%s.%s=%v\n", table, columns[i], c)
			}
		}
	}
	return out.Bytes()
}

// found lists where any of the secrets lies, in whatever form.
func (g *gateway) found(secrets map[string]string) []string {
	g.t.Helper()
	var out []string
	for place, hay := range g.haystack() {
		for what, text := range secrets {
			for form, needle := range needles(text) {
				if bytes.Contains(hay, needle) {
					out = append(out, fmt.Sprintf("%s (%s) in %s", what, form, strings.TrimPrefix(place, g.dir)))
				}
			}
		}
	}
	return out
}

// marked adds what would give somebody away to each request.
type marked struct {
	under http.RoundTripper
	agent string
}

// RoundTrip implements http.RoundTripper.
func (m marked) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", m.agent)
	r.Header.Set("X-Forwarded-For", "127.66.77.88")
	r.Header.Set("Cookie", "who="+m.agent)
	r.Header.Set("Referer", "http://"+m.agent+"/")
	return m.under.RoundTrip(r)
}

// tipGateway is a gateway that takes tips, and a citizen who comes from an address of their own.
func tipGateway(t *testing.T) (*gateway, tipmail.Client, keys.Identity) {
	t.Helper()
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	g := startGateway(t, func(c *config.Config) {
		c.Recorder.Ballast = 0 // an empty gigabyte to search
		c.Tips.Listen, c.Tips.File, c.Tips.StampBits = addr, filepath.Join(filepath.Dir(c.Recorder.Dir), "tips", "tips.db"), 10
		c.Tips.Units = []config.TipUnit{{Key: "anticor", Names: config.Text{KK: "а", RU: "б", EN: "c"}, Recipients: []string{id.Recipient("").Text}}}
	})
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 66, 77, 88)}, Timeout: bound}
	client := tipmail.Client{Server: "http://" + addr, HTTP: &http.Client{Timeout: bound, Transport: marked{&http.Transport{DialContext: from.DialContext}, "canary-agent-5f1e"}}}
	g.until("tips are not served", func() bool { _, err := client.Begin(t.Context()); return err == nil })
	return g, client, id
}

// TestNothingOfATipIsAnywhere writes a tip, a reply and what an attacker or an old page might send
// instead, and searches everything that the gateway keeps, says or counts.
func TestNothingOfATipIsAnywhere(t *testing.T) {
	t.Parallel()
	g, client, id := tipGateway(t)
	code := tips.Code{0xca, 0xfe, 3, 7, 11, 13, 0xbe, 0xef, 17, 19, 23, 29}
	key := code.Key()
	secrets := map[string]string{
		"the words": "Канарейка сообщает о взятке", "the file": "canary-content-91c2", "the file's name": "canary-name-77aa.jpg", "the reply": "Спасибо, канарейка",
		"the code": code.Words(), "the code's first word in Cyrillic": "суфуб", "the mailbox key": key.Text(), "the bytes of the mailbox key": string(key[:]),
		"the bytes of the code": string(code[:]), "the identity of replies": code.Identity()[20:60], "the unit's secret": id.Secret()[20:60],
		"the address": "127.66.77.88", "the browser": "canary-agent-5f1e",
	}
	start, err := client.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	letter := tips.Letter{Text: secrets["the words"], Lang: "ru", Files: []tips.File{{Name: secrets["the file's name"], Data: []byte(strings.Repeat(secrets["the file"], 5000))}}}
	if err := client.Send(t.Context(), start, start.Units[0], code, letter); err != nil {
		t.Fatal(err)
	}
	duty, err := client.Duty(t.Context(), "anticor", []keys.Identity{id})
	if err != nil {
		t.Fatal(err)
	}
	list, err := duty.List(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := duty.Reply(t.Context(), list[0], secrets["the reply"]); err != nil {
		t.Fatal(err)
	}
	got, err := client.Replies(t.Context(), code)
	if err != nil || len(got) != 1 || got[0].Letter.Text != secrets["the reply"] {
		t.Fatal(got, err)
	}
	g.mistakes(client, secrets, key)
	if read, err := duty.Read(t.Context(), list[0].Letter); err != nil || read.Text != secrets["the words"] || read.Files[0].Name != secrets["the file's name"] {
		t.Fatal("the unit cannot read what nobody else may:", err)
	}
	if where := g.found(secrets); len(where) > 0 {
		t.Errorf("found:\n%s", strings.Join(where, "\n"))
	}
	g.onlyDays()
	g.plant(secrets)
}

// mistakes are requests that carry secrets where they do not belong.
func (g *gateway) mistakes(client tipmail.Client, secrets map[string]string, key tips.Key) {
	g.t.Helper()
	for _, r := range []struct{ method, path string }{
		{"POST", "/api/v1/tips/units/anticor/letters"}, {"POST", "/api/v1/tips/units/" + url.PathEscape(secrets["the words"]) + "/letters"},
		{"GET", "/api/v1/tips/mailbox/" + url.PathEscape(secrets["the code"])}, {"PUT", "/" + url.PathEscape(secrets["the file's name"]) + "?q=" + url.QueryEscape(secrets["the words"])},
		{"GET", "/api/v1/tips/units/anticor/letters"},
	} {
		req, err := http.NewRequestWithContext(g.t.Context(), r.method, client.Server+r.path, strings.NewReader(secrets["the words"]))
		if err != nil {
			g.t.Fatal(err)
		}
		req.Header.Set("Tip-Mailbox", key.Text())
		req.Header.Set("Authorization", "Tips "+secrets["the mailbox key"])
		res, err := client.HTTP.Do(req)
		if err != nil {
			g.t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode < 400 {
			g.t.Errorf("%s %s: %d", r.method, r.path, res.StatusCode)
		}
	}
	c, err := net.DialTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 66, 77, 88)}, mustAddr(g.t, strings.TrimPrefix(client.Server, "http://")))
	if err != nil {
		g.t.Fatal(err)
	}
	_, _ = fmt.Fprintf(c, "%s no HTTP at all\x00\r\n\r\n", secrets["the words"])
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
}

func mustAddr(t *testing.T, text string) *net.TCPAddr {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// onlyDays holds that the times of the files of tips, and all numbers in the table, are of a day.
func (g *gateway) onlyDays() {
	g.t.Helper()
	err := filepath.WalkDir(filepath.Join(g.dir, "tips"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err == nil && !st.ModTime().Equal(st.ModTime().Truncate(24*time.Hour)) {
			g.t.Errorf("%s bears %v", path, st.ModTime())
		}
		return err
	})
	if err != nil {
		g.t.Fatal(err)
	}
	today := tips.DayOf(time.Now().In(g.app.zone))
	for line := range strings.SplitSeq(string(g.tables(filepath.Join(g.dir, "tips", "tips.db"))), "\n") {
		if day, ok := strings.CutPrefix(line, "letter.day="); ok && day != strconv.Itoa(int(today)) && day != strconv.Itoa(int(today)-1) {
			g.t.Errorf("a day is %s, today is %d", day, today)
		}
	}
}

// plant puts each secret where it might have been, in each form, and holds that the search finds it.
func (g *gateway) plant(secrets map[string]string) {
	g.t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte("zipped: " + secrets["the words"]))
	_ = w.Close()
	file := func(name string, raw []byte) {
		if err := os.WriteFile(filepath.Join(g.dir, "archive", "planted "+name), raw, 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	var want []string
	for what, text := range secrets {
		for form, needle := range needles(text) {
			name := fmt.Sprint(len(want))
			file(name, append([]byte("x"), needle...))
			want = append(want, fmt.Sprintf("%s (%s) in /archive/planted %s", what, form, name))
		}
	}
	for shift := range 3 { // as an encoder writes it, within other text
		name := fmt.Sprint("base64 ", shift)
		file(name, []byte(base64.StdEncoding.EncodeToString([]byte("xxx"[:shift]+secrets["the file"]+"yy"))))
		want = append(want, fmt.Sprintf("the file (base64 at %d) in /archive/planted %s", shift, name))
	}
	file("gzip", append([]byte("before"), z.Bytes()...))
	g.app.log.Debug("a request", "from", secrets["the address"])
	db, err := sql.Open("sqlite", "file:"+filepath.Join(g.dir, "jedel.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		g.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE planted (x TEXT); INSERT INTO planted VALUES (?)`, secrets["the browser"]); err != nil {
		g.t.Fatal(err)
	}
	where := g.found(secrets)
	want = append(want, "the words (as it is) in /archive/planted gzip unpacked", "the address (as it is) in the log", "the browser (as it is) in /jedel.db tables")
	for _, w := range want {
		if !slices.Contains(where, w) {
			g.t.Errorf("the search does not see: %s", w)
		}
	}
}

// TestCallsGoOnWithoutTips starts a gateway whose file of tips is damaged.
func TestCallsGoOnWithoutTips(t *testing.T) {
	t.Parallel()
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, func(c *config.Config) {
		c.Tips.Listen, c.Tips.File = "127.0.0.1:0", filepath.Join(filepath.Dir(c.Recorder.Dir), "tips.db")
		c.Tips.Units = []config.TipUnit{{Key: "anticor", Recipients: []string{id.Recipient("").Text}}}
		if err := os.WriteFile(c.Tips.File, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if !bytes.Contains(g.log.bytes(), []byte("there are no tips")) {
		t.Error("nobody is told")
	}
}

func TestPagesAreToldWhereTipsAre(t *testing.T) {
	t.Parallel()
	g := startGateway(t, func(c *config.Config) {
		c.Tips.Listen, c.Tips.Public, c.Tips.File = "127.0.0.1:0", "https://tips.example.kz/", filepath.Join(t.TempDir(), "tips.db")
	})
	if got := g.ask("GET /api/v1/config", http.StatusOK, nil, ""); got["tips"] != "https://tips.example.kz/" {
		t.Fatal(got["tips"])
	}
}
