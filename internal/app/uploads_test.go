package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/signaling"
)

// sentFile is a file that a phone has.
type sentFile struct {
	id, sum string
	raw     []byte
	mime    string
}

func newFile(mime string, raw []byte) sentFile {
	sum := sha256.Sum256(raw)
	return sentFile{ident.New[string](), hex.EncodeToString(sum[:]), raw, mime}
}

func (f sentFile) declaration() string {
	return fmt.Sprintf(`{"file":%q,"bytes":%d,"sha256":%q,"name":"a.jpg","mime":%q}`, f.id, len(f.raw), f.sum, f.mime)
}

// snap is a photo of its own: n makes it another.
func snap(t testing.TB, n, side int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		m.Pix[i] = byte(i*n + i/side)
	}
	m.Set(0, 0, color.RGBA{byte(n), byte(n >> 8), 0, 255})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes()[:len(b.Bytes())-2], 0xff, 0xfe, 0, 6, byte(n>>24), byte(n>>16), byte(n>>8), byte(n), 0xff, 0xd9)
}

// report registers a report with files and returns its name.
func (g *gateway) report(key http.Header, files ...sentFile) string {
	g.t.Helper()
	list := make([]string, len(files))
	for i, f := range files {
		list[i] = f.declaration()
	}
	return g.ask(sendReport, 201, key, `{"ref":"`+ident.New[string]()+`","text":"Фото","files":[`+strings.Join(list, ",")+`]}`)["report"].(string)
}

// tus sends one request of the protocol; the answer's body is read.
func (g *gateway) tus(method, path string, who http.Header, headers map[string]string, body io.Reader) (*http.Response, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+"/api/v1/reports/uploads/"+path, body)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	for key, values := range who {
		req.Header[key] = values
	}
	for key, v := range headers {
		req.Header.Set(key, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	var refusal struct {
		Error struct {
			Code  string            `json:"code"`
			Words map[string]string `json:"words"`
		}
	}
	if res.StatusCode >= 400 && method != http.MethodHead {
		if json.Unmarshal(raw, &refusal) != nil || refusal.Error.Words["kk"] == "" {
			g.t.Errorf("%s %s: %d without a code and words: %s", method, path, res.StatusCode, raw)
		}
	}
	return res, refusal.Error.Code
}

// offset asks how much of a file is here; -1 where that is refused.
func (g *gateway) offset(who http.Header, report string, f sentFile) int {
	g.t.Helper()
	res, _ := g.tus(http.MethodHead, report+"-"+f.id, who, nil, nil)
	if res.StatusCode != http.StatusOK {
		return -1
	}
	n, err := strconv.Atoi(res.Header.Get("Upload-Offset"))
	if err != nil || res.Header.Get("Upload-Length") != strconv.Itoa(len(f.raw)) {
		g.t.Fatal(res.Header)
	}
	return n
}

// part sends bytes of a file from a place on and returns the code of a refusal.
func (g *gateway) part(who http.Header, report, file string, at int, raw []byte) string {
	g.t.Helper()
	_, code := g.tus(http.MethodPatch, report+"-"+file, who, map[string]string{"Content-Type": "application/offset+octet-stream", "Upload-Offset": strconv.Itoa(at)}, bytes.NewReader(raw))
	return code
}

// create asks for the address of a file.
func (g *gateway) create(who http.Header, report, file string, length string) (string, string) {
	g.t.Helper()
	b64 := base64.StdEncoding.EncodeToString
	res, code := g.tus(http.MethodPost, "", who, map[string]string{"Upload-Length": length, "Upload-Metadata": "report " + b64([]byte(report)) + ",file " + b64([]byte(file))}, nil)
	return res.Header.Get("Location"), code
}

// filesOf returns the files of the only report of a phone.
func (g *gateway) filesOf(key http.Header) []map[string]any {
	g.t.Helper()
	var out []map[string]any
	for _, f := range g.mine(key)["files"].([]any) {
		out = append(out, f.(map[string]any))
	}
	return out
}

// original downloads a file of a case.
func (g *gateway) original(who http.Header, report string, f sentFile) []byte {
	g.t.Helper()
	res := g.get("/api/v1/cases/"+report+"/files/"+report+"/"+f.id, who)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	h := res.Header
	if err != nil || res.StatusCode != 200 || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("Content-Type") != "application/octet-stream" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox") {
		g.t.Fatal(res.StatusCode, h, err, string(raw[:min(len(raw), 200)]))
	}
	return raw
}

func (g *gateway) get(path string, who http.Header) *http.Response {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.url+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	for key, values := range who {
		req.Header[key] = values
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	return res
}

// TestADeclaredFileComesInPartsAndIsKept walks a photo from the declaration to the archive and the console.
func TestADeclaredFileComesInPartsAndIsKept(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key, op := phone(), g.as("operator")
	f := newFile("image/jpeg", snap(t, 1, 400))
	id := g.report(key, f)
	if at, code := g.create(key, id, f.id, strconv.Itoa(len(f.raw))); code != "" || at != "/api/v1/reports/uploads/"+id+"-"+f.id {
		t.Fatal(at, code)
	}
	half := len(f.raw) / 2
	if code := g.part(key, id, f.id, 0, f.raw[:half]); code != "" || g.offset(key, id, f) != half {
		t.Fatal(code)
	}
	if files := g.filesOf(key); files[0]["keptMs"].(float64) != 0 {
		t.Fatal("half a file is shown as kept")
	}
	if code := g.part(key, id, f.id, half, f.raw[half:]); code != "" {
		t.Fatal(code)
	}
	if got := g.filesOf(key)[0]; got["keptMs"].(float64) == 0 || got["sha256"] != f.sum || got["mime"] != "image/jpeg" || got["preview"] != true {
		t.Fatal(got)
	}
	if g.offset(key, id, f) != len(f.raw) {
		t.Fatal("it is kept, and not whole")
	}
	if code := g.part(key, id, f.id, len(f.raw), nil); code != "" {
		t.Fatal("nothing more is no fault", code)
	}
	if !bytes.Equal(g.original(op, id, f), f.raw) {
		t.Fatal("it is another file")
	}
	res := g.get("/api/v1/cases/"+id+"/files/"+id+"/"+f.id+"/preview", op)
	defer res.Body.Close()
	if _, err := jpeg.Decode(res.Body); err != nil || res.StatusCode != 200 || res.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Fatal(res.StatusCode, res.Header, err)
	}
	g.until("the staging folder is not emptied", func() bool { names, err := g.app.uploads.staged.Names(); return err == nil && len(names) == 0 })
	inspector := g.as("investigator")
	g.until("not sealed", func() bool {
		r := g.get("/api/v1/evidence/calls?kind=report", inspector)
		defer r.Body.Close()
		return r.StatusCode == 200
	})
}

// TestAFileMayBelongToAnAmendmentOrToStaff sends what was declared in the other two ways.
func TestAFileMayBelongToAnAmendmentOrToStaff(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key, op := phone(), g.as("operator")
	id := g.report(key, newFile("image/jpeg", snap(t, 1, 20)))
	more := newFile("image/jpeg", snap(t, 2, 20))
	v := g.ask("POST /api/v1/reports/{report}/amends", 200, key, `{"id":"more","text":"Тағы","files":[`+more.declaration()+`]}`, "{report}", id)
	if n := len(v["files"].([]any)); n != 2 {
		t.Fatal("the amendment's file is not shown", n)
	}
	if code := g.part(key, id, more.id, 0, more.raw); code != "" {
		t.Fatal(code)
	}
	if got := g.filesOf(key)[1]; got["keptMs"].(float64) == 0 {
		t.Fatal(got)
	}
	mine := newFile("image/jpeg", snap(t, 3, 20))
	rec := g.ask("POST /api/v1/cases/{case}/files", 201, op, `{"ref":"p1","files":[`+mine.declaration()+`]}`, "{case}", id)["call"].(string)
	if code := g.part(g.as("supervisor"), rec, mine.id, 0, mine.raw); code != "no_such_file" {
		t.Fatal("of another member of staff:", code)
	}
	if code := g.part(op, rec, mine.id, 0, mine.raw); code != "" {
		t.Fatal(code)
	}
	recs := g.ask(caseOf, 200, op, "", "{case}", id)["recordings"].([]any)
	kept := 0
	for _, r := range recs {
		for _, f := range r.(map[string]any)["files"].([]any) {
			if f.(map[string]any)["keptMs"].(float64) > 0 {
				kept++
			}
		}
	}
	if len(recs) != 3 || kept != 2 {
		t.Fatal(len(recs), kept)
	}
}

// TestTwentyFilesOfASideOfACase holds that amendments do not lift the limit.
func TestTwentyFilesOfASideOfACase(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	var list []sentFile
	for i := range 20 {
		list = append(list, newFile("image/jpeg", snap(t, i, 8)))
	}
	id := g.report(key, list[:19]...)
	one := func(ref string, f sentFile) string {
		return `{"id":"` + ref + `","text":"x","files":[` + f.declaration() + `]}`
	}
	g.ask("POST /api/v1/reports/{report}/amends", 200, key, one("a", list[19]), "{report}", id)
	g.ask("POST /api/v1/reports/{report}/amends", 200, key, one("a", list[19]), "{report}", id) // sent twice
	if code := g.code("POST /api/v1/reports/{report}/amends", 409, key, one("b", newFile("image/jpeg", []byte("x"))), "{report}", id); code != "too_many" {
		t.Fatal(code)
	}
	g.ask("POST /api/v1/cases/{case}/files", 201, g.as("operator"), `{"ref":"p","files":[`+newFile("image/jpeg", []byte("x")).declaration()+`]}`, "{case}", id)
}

// TestWhatNeverArrivesIsShownAsThat lets the time for files run out.
func TestWhatNeverArrivesIsShownAsThat(t *testing.T) {
	t.Parallel()
	g := startGateway(t, func(c *config.Config) { c.Reports.Wait = 1500 * time.Millisecond })
	key := phone()
	f := newFile("image/jpeg", snap(t, 1, 50))
	id := g.report(key, f)
	if code := g.part(key, id, f.id, 0, f.raw[:10]); code != "" {
		t.Fatal(code)
	}
	g.until("nobody gives up", func() bool { return g.filesOf(key)[0]["givenUpMs"].(float64) > 0 })
	if got := g.filesOf(key); len(got) != 1 || got[0]["keptMs"].(float64) != 0 {
		t.Fatal("it is gone", got)
	}
	if code := g.part(key, id, f.id, 10, f.raw[10:]); code != "too_late" {
		t.Fatal(code)
	}
	g.app.intake.wake()
	g.until("what came of it stays", func() bool { n, err := g.app.uploads.staged.Names(); return err == nil && len(n) == 0 })
	row, err := g.app.db.ReportByID(t.Context(), ident.CallID(id))
	if err != nil {
		t.Fatal(err)
	}
	g.until("it is never sealed", func() bool {
		row, err = g.app.db.ReportByID(t.Context(), ident.CallID(id))
		return err == nil && row.Sealed
	})
	said := g.journal(id)
	if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, f.sum) && strings.Contains(s, `"came":10`) }) {
		t.Fatal("the archive does not say so", said)
	}
}

// journal returns the events of a sealed archive.
func (g *gateway) journal(id string) []string {
	g.t.Helper()
	dir, err := g.app.archiveDir(g.t.Context(), ident.CallID(id))
	if err != nil {
		g.t.Fatal(err)
	}
	rec, err := g.app.vault.play(g.t.Context(), opening{ident.CallID(id), "play", dir})
	if err != nil {
		g.t.Fatal(err)
	}
	var out []string
	for _, e := range rec.Events {
		out = append(out, e.Kind+" "+string(e.Body))
	}
	return out
}

// TestWhoFinishesAFileThatIsKeptIsToldSo holds that of two who settle one file the later is not told that it came too late:
// the archive may have been sealed between them.
func TestWhoFinishesAFileThatIsKeptIsToldSo(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	f := newFile("image/jpeg", snap(t, 1, 40))
	id := g.report(key, f)
	raw, err := base64.RawURLEncoding.DecodeString(key.Get("X-Report-Key"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	late, err := g.app.uploads.Open(t.Context(), signaling.Sender{Key: signaling.ReportKey(hex.EncodeToString(sum[:]))}, ident.CallID(id), ident.FileID(f.id))
	if err != nil {
		t.Fatal(err)
	}
	if code := g.part(key, id, f.id, 0, f.raw); code != "" {
		t.Fatal(code)
	}
	g.until("it is not sealed", func() bool {
		row, err := g.app.db.ReportByID(t.Context(), ident.CallID(id))
		return err == nil && row.Sealed
	})
	if err := late.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files := g.filesOf(key); len(files) != 1 || files[0]["keptMs"].(float64) == 0 {
		t.Fatal(files)
	}
}
