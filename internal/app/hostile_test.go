package app

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/config"
	"jedel/internal/ident"
)

// give declares a file with a report of its own and sends it whole; the code is of the last byte.
func (g *gateway) give(key http.Header, f sentFile) (report, code string) {
	g.t.Helper()
	report = g.report(key, f)
	return report, g.part(key, report, f.id, 0, f.raw)
}

func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("bomb")
	if err == nil {
		_, err = io.CopyN(w, zeros{}, 50<<20)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestPolyglotsAreKeptMarkedAndNeverInline sends files that are two things.
func TestPolyglotsAreKeptMarkedAndNeverInline(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	op := g.as("operator")
	photo := snap(t, 1, 40)
	pdf := slices.Concat(photo[:2], binary.BigEndian.AppendUint16([]byte{0xff, 0xfe}, 2+9), []byte("%PDF-1.7\n"), photo[2:])
	for name, raw := range map[string][]byte{"JPEG+ZIP": append(slices.Clone(photo), zipped(t)...), "PDF+JPEG": pdf, "JPEG+JS": append(slices.Clone(photo), "<script>alert(1)</script>"...)} {
		key := phone()
		f := newFile("image/jpeg", raw)
		report, code := g.give(key, f)
		if code != "" {
			t.Errorf("%s: %s", name, code)
			continue
		}
		got := g.filesOf(key)[0]
		if fmt.Sprint(got["marks"]) != "[foreign_data]" || got["mime"] != "image/jpeg" {
			t.Errorf("%s: %v", name, got)
		}
		if !bytes.Equal(g.original(op, report, f), raw) {
			t.Errorf("%s: changed", name)
		}
	}
}

// TestOtherContentUnderANameIsRefusedAndSaid sends what is no photo, video or sound. The report stays; that
// the file was refused is shown and stays refused.
func TestOtherContentUnderANameIsRefusedAndSaid(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	for name, raw := range map[string][]byte{
		"SVG":       []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"HTML":      []byte("<!doctype html><script>alert(1)</script>"),
		"EXE":       append([]byte("MZ\x90\x00\x03"), make([]byte, 500)...),
		"GIF of JS": []byte("GIF89a/*" + strings.Repeat("x", 100) + "*/=1;alert(1)"),
		"zip bomb":  zipped(t),
	} {
		key := phone()
		f := newFile("image/jpeg", raw)
		report, code := g.give(key, f)
		if code != "bad_file" {
			t.Errorf("%s: %s", name, code)
		}
		if got := g.filesOf(key)[0]; got["refused"] != "bad_file" || got["keptMs"].(float64) != 0 {
			t.Errorf("%s: %v", name, got)
		}
		if code := g.part(key, report, f.id, 0, raw); code != "bad_file" {
			t.Errorf("%s again: %s", name, code)
		}
		if res := g.get("/api/v1/cases/"+report+"/files/"+report+"/"+f.id, g.as("operator")); res.StatusCode != 404 {
			t.Errorf("%s is given out: %d", name, res.StatusCode)
		}
	}
	if names, err := g.app.uploads.staged.Names(); err != nil || len(names) != 0 {
		t.Error("it lies there:", names, err)
	}
}

// TestAnImageBombIsKeptWithoutPreview holds that a file that cannot be drawn is evidence all the same.
func TestAnImageBombIsKeptWithoutPreview(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key, op := phone(), g.as("operator")
	chunk := func(kind string, body []byte) []byte {
		b := append([]byte(kind), body...)
		return binary.BigEndian.AppendUint32(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), b...), crc32.ChecksumIEEE(b))
	}
	bomb := slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", []byte{0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50, 8, 6, 0, 0, 0}), chunk("IDAT", []byte{1, 2, 3}), chunk("IEND", nil))
	f := newFile("image/png", bomb)
	report, code := g.give(key, f)
	if code != "" || !bytes.Equal(g.original(op, report, f), bomb) {
		t.Fatal(code)
	}
	if code := g.code("GET /api/v1/cases/{case}/files/{recording}/{file}/preview", 404, op, "", "{case}", report, "{recording}", report, "{file}", f.id); code != "no_preview" {
		t.Fatal(code)
	}
}

// TestHostileEXIFIsKeptAndNotBelieved sends a photo whose EXIF is absurd and one that was taken elsewhere.
func TestHostileEXIFIsKeptAndNotBelieved(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	photo := snap(t, 1, 40)
	block := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff"), bytes.Repeat([]byte("<script>alert(1)</script>\xff\xff\xff\xff"), 500)...)
	raw := slices.Concat(photo[:2], binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(block)+2)), block, photo[2:])
	key := phone()
	if _, code := g.give(key, newFile("image/jpeg", raw)); code != "" {
		t.Fatal(code)
	}
	if got := g.filesOf(key)[0]; got["foundMs"] != nil || got["foundLat"] != nil {
		t.Fatal("believed:", got)
	}
}

// TestAbsurdDeclarationsAreRefusedWhole declares what is never taken: nothing is half registered.
func TestAbsurdDeclarationsAreRefusedWhole(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	good := newFile("image/jpeg", []byte("x"))
	many := strings.Repeat(good.declaration()+",", 9_999) + good.declaration()
	file := func(change func(string) string) string { return change(good.declaration()) }
	with := func(a, b string) string { return file(func(s string) string { return strings.Replace(s, a, b, 1) }) }
	for name, c := range map[string]struct{ files, code string }{
		"0 bytes":         {with(`"bytes":1`, `"bytes":0`), "bad_file"},
		"minus 1 byte":    {with(`"bytes":1`, `"bytes":-1`), "bad_file"},
		"10 GB":           {with(`"bytes":1`, `"bytes":10000000000`), "too_large"},
		"a photo of 26 M": {with(`"bytes":1`, `"bytes":27262976`), "too_large"},
		"21 files":        {strings.Repeat(good.declaration()+",", 20) + good.declaration(), "too_many"},
		"twice the same":  {good.declaration() + "," + good.declaration(), "bad_value"},
		"half a hash":     {with(good.sum, good.sum[:32]), "bad_value"},
		"no hash":         {with(good.sum, "zz"), "bad_value"},
		"a path":          {with(good.id, "../../etc/passwd"), "bad_value"},
		"nowhere":         {with(`"mime"`, `"lat":91,"lon":0,"mime"`), "bad_value"},
		"markup in names": {with(`"a.jpg"`, `"a\u202egpj.exe"`), "bad_value"},
	} {
		if code := g.code(sendReport, map[string]int{"too_large": 413, "too_many": 409}[c.code]+map[bool]int{true: 400}[c.code == "bad_file" || c.code == "bad_value"], phone(), `{"ref":"a","text":"x","files":[`+c.files+`]}`); code != c.code {
			t.Errorf("%s: %s, want %s", name, code, c.code)
		}
	}
	if code := g.code(sendReport, 413, phone(), `{"ref":"a","text":"x","files":[`+many+`]}`); code != "too_large" {
		t.Error("10,000 files:", code)
	}
	if list := g.ask("GET /api/v1/cases", 200, g.as("operator"), "")["cases"].([]any); len(list) != 0 {
		t.Error("half registered:", list)
	}
}

// TestImpossibleReportsAreRefusedWhole sends positions, times and names that cannot be.
func TestImpossibleReportsAreRefusedWhole(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	now := time.Now().UnixMilli()
	fix := func(lat, lon float64, at int64) string {
		return fmt.Sprintf(`"fix":{"lat":%g,"lon":%g,"accuracyM":5,"source":"device","clientMs":%d,"serverMs":0}`, lat, lon, at)
	}
	for name, body := range map[string]string{
		"north of the pole": fix(90.5, 0, now), "beyond the date line": fix(0, 180.5, now), "in the future": fix(54, 69, now+3_600_000),
		"a pin nowhere":       `"pin":{"lat":-91,"lon":0,"accuracyM":0,"source":"pin","clientMs":0,"serverMs":0}`,
		"made tomorrow":       fmt.Sprintf(`"madeMs":%d`, now+86_400_000),
		"made last year":      fmt.Sprintf(`"madeMs":%d`, now-365*86_400_000),
		"a plate of 21":       `"plate":"123456789012345678901"`,
		"a plate of lines":    `"plate":"123\n<b>ABC"`,
		"a name that turns":   `"name":"\u202eevil"`,
		"an unknown kind":     `"kind":"nonsense"`,
		"a key twice":         `"lang":"kk","lang":"ru"`,
		"an unknown key":      `"evil":true`,
		"a wrongly cased key": `"Plate":"1"`,
	} {
		if code := g.code(sendReport, 400, phone(), `{"ref":"a","text":"x",`+body+`}`); code != "bad_value" && code != "bad_message" {
			t.Errorf("%s: %s", name, code)
		}
	}
	key := phone()
	r := g.ask(sendReport, 201, key, `{"ref":"m","text":"<img src=x onerror=alert(1)>","plate":"<b>1</b>","name":"<script>"}`)
	v := g.ask(caseOf, 200, g.as("operator"), "", "{case}", r["report"].(string))
	if said := fmt.Sprint(v["card"]); !strings.Contains(said, "<img src=x onerror=alert(1)>") || !strings.Contains(said, "<b>1</b>") {
		t.Error("markup is text and is kept as such:", said)
	}
	far := g.ask(sendReport, 201, key, `{"ref":"jump","text":"x",`+fix(54.8, 69.1, now)+`,"pin":{"lat":50.3,"lon":69.1,"accuracyM":0,"source":"pin","clientMs":0,"serverMs":0}}`)
	v = g.ask(caseOf, 200, g.as("operator"), "", "{case}", far["report"].(string))
	places := 0
	for _, l := range v["card"].([]any) {
		if l.(map[string]any)["what"] == "place" {
			places++
		}
	}
	if places != 2 {
		t.Error("a place 500 km from the phone is kept beside the phone's:", v["card"])
	}
}

// TestADamagedFileMayBeSentAgain sends other bytes than were declared, and then the right ones.
func TestADamagedFileMayBeSentAgain(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	f := newFile("image/jpeg", snap(t, 1, 40))
	bad := slices.Clone(f.raw)
	bad[len(bad)/2] ^= 1
	report := g.report(key, f)
	if code := g.part(key, report, f.id, 0, bad); code != "wrong_hash" {
		t.Fatal(code)
	}
	if got := g.filesOf(key)[0]; got["keptMs"].(float64) != 0 || got["refused"] != "" {
		t.Fatal(got)
	}
	if n := g.offset(key, report, f); n != 0 {
		t.Fatal("what was damaged is still there:", n)
	}
	if code := g.part(key, report, f.id, 0, f.raw); code != "" {
		t.Fatal(code)
	}
	if got := g.filesOf(key); len(got) != 1 || got[0]["keptMs"].(float64) == 0 {
		t.Fatal(got)
	}
}

// TestPartsThatLieChangeNothing sends parts twice, overlapping, with holes, and with lies in their headers.
func TestPartsThatLieChangeNothing(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	f := newFile("image/jpeg", snap(t, 1, 60))
	id := g.report(key, f)
	name := id + "-" + f.id
	if code := g.part(key, id, f.id, 0, f.raw[:100]); code != "" {
		t.Fatal(code)
	}
	for what, at := range map[string]int{"the same again": 0, "overlapping": 50, "a hole": 150, "beyond the end": len(f.raw) + 1} {
		if code := g.part(key, id, f.id, at, f.raw[:100]); code != "wrong_offset" {
			t.Errorf("%s: %s", what, code)
		}
	}
	patch := func(headers map[string]string, body []byte) string {
		_, code := g.tus(http.MethodPatch, name, key, headers, bytes.NewReader(body))
		return code
	}
	kind := "application/offset+octet-stream"
	for what, c := range map[string]struct {
		headers map[string]string
		body    []byte
		code    string
	}{
		"no offset":          {map[string]string{"Content-Type": kind}, f.raw, "bad_message"},
		"minus one":          {map[string]string{"Content-Type": kind, "Upload-Offset": "-1"}, f.raw, "bad_message"},
		"a word":             {map[string]string{"Content-Type": kind, "Upload-Offset": "hundred"}, f.raw, "bad_message"},
		"as JSON":            {map[string]string{"Content-Type": "application/json", "Upload-Offset": "100"}, f.raw, "bad_message"},
		"another version":    {map[string]string{"Content-Type": kind, "Upload-Offset": "100", "Tus-Resumable": "0.2.2"}, f.raw, "wrong_version"},
		"another length":     {map[string]string{"Content-Type": kind, "Upload-Offset": "100", "Upload-Length": "5"}, f.raw[:10], "bad_message"},
		"more than declared": {map[string]string{"Content-Type": kind, "Upload-Offset": "100"}, f.raw, "too_large"},
	} {
		if code := patch(c.headers, c.body); code != c.code {
			t.Errorf("%s: %s, want %s", what, code, c.code)
		}
	}
	for _, length := range []string{"5", "0", strconv.Itoa(len(f.raw) + 1), "10000000000"} {
		if _, code := g.create(key, id, f.id, length); code != "not_as_declared" {
			t.Errorf("Upload-Length %s: %s", length, code)
		}
	}
	if n := g.offset(key, id, f); n != 100 {
		t.Fatal("something was changed:", n)
	}
	if code := g.part(key, id, f.id, 100, f.raw[100:]); code != "" {
		t.Fatal(code)
	}
	if code := g.part(key, id, f.id, 0, f.raw); code != "wrong_offset" {
		t.Fatal("a file that is kept:", code)
	}
}

// TestStrangersAndUndeclaredFilesGetNothing tries the files of others, and files that nobody declared.
func TestStrangersAndUndeclaredFilesGetNothing(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key, other := phone(), phone()
	f := newFile("image/jpeg", snap(t, 1, 20))
	id := g.report(key, f)
	theirs := g.report(other, newFile("image/jpeg", snap(t, 2, 20)))
	undeclared := newFile("image/jpeg", snap(t, 3, 20))
	for what, try := range map[string]func() string{
		"another phone":           func() string { return g.part(other, id, f.id, 0, f.raw) },
		"another report":          func() string { return g.part(other, theirs, f.id, 0, f.raw) },
		"never declared":          func() string { return g.part(key, id, undeclared.id, 0, undeclared.raw) },
		"no such report":          func() string { return g.part(key, ident.New[string](), f.id, 0, f.raw) },
		"staff":                   func() string { return g.part(g.as("operator"), id, f.id, 0, f.raw) },
		"creating of another":     func() string { _, code := g.create(other, id, f.id, strconv.Itoa(len(f.raw))); return code },
		"a path for a name":       func() string { _, code := g.create(key, id, "../x", "1"); return code },
		"a file without a report": func() string { _, code := g.create(key, "", f.id, "1"); return code },
	} {
		if code := try(); code != "no_such_file" {
			t.Errorf("%s: %s", what, code)
		}
	}
	if code := g.part(http.Header{}, id, f.id, 0, f.raw); code != "not_signed_in" {
		t.Error(code)
	}
	if names, err := g.app.uploads.staged.Names(); err != nil || len(names) != 0 {
		t.Error(names, err)
	}
}

// TestManyWhoSendTheSameFileKeepItOnce sends one file from eight tabs at once.
func TestManyWhoSendTheSameFileKeepItOnce(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	key := phone()
	f := newFile("image/jpeg", snap(t, 1, 300))
	id := g.report(key, f)
	var tabs sync.WaitGroup
	for range 8 {
		tabs.Go(func() {
			for range 200 {
				n := tusOffset(t.Context(), g.url, key, id+"-"+f.id)
				if n == len(f.raw) {
					return
				}
				if n >= 0 {
					_ = tusSend(t.Context(), http.DefaultClient, g.url, key, id+"-"+f.id, n, f.raw[n:min(len(f.raw), n+len(f.raw)/5)])
				}
			}
		})
	}
	tabs.Wait()
	got := g.filesOf(key)
	if len(got) != 1 || got[0]["keptMs"].(float64) == 0 || !bytes.Equal(g.original(g.as("operator"), id, f), f.raw) {
		t.Fatal(got)
	}
}

// TestADiskThatIsNearlyFullTakesNoFiles holds that files wait on the phones while words are taken.
func TestADiskThatIsNearlyFullTakesNoFiles(t *testing.T) {
	t.Parallel()
	g := startGateway(t, func(c *config.Config) { c.Reports.KeepFree = 1 << 60 })
	key := phone()
	f := newFile("image/jpeg", snap(t, 1, 20))
	id := g.report(key, f) // the report itself is taken
	res, code := g.tus(http.MethodPatch, id+"-"+f.id, key, map[string]string{"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}, bytes.NewReader(f.raw))
	if code != "no_room" || res.StatusCode != 507 || res.Header.Get("Retry-After") == "" {
		t.Fatal(res.StatusCode, code)
	}
}

// tusOffset asks how much is here; -1 where there is no answer.
func tusOffset(ctx context.Context, url string, who http.Header, name string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url+"/api/v1/reports/uploads/"+name, nil)
	if err != nil {
		return -1
	}
	req.Header = who.Clone()
	req.Header.Set("Tus-Resumable", "1.0.0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return -1
	}
	_ = res.Body.Close()
	n, err := strconv.Atoi(res.Header.Get("Upload-Offset"))
	if err != nil || res.StatusCode != 200 {
		return -1
	}
	return n
}

// tusSend sends a part and returns whether it was taken.
func tusSend(ctx context.Context, client *http.Client, url string, who http.Header, name string, at int, raw []byte) bool {
	return tusSendFrom(ctx, client, url, who, name, at, bytes.NewReader(raw), int64(len(raw)))
}

func tusSendFrom(ctx context.Context, client *http.Client, url string, who http.Header, name string, at int, body io.Reader, n int64) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, url+"/api/v1/reports/uploads/"+name, body)
	if err != nil {
		return false
	}
	req.ContentLength = n
	req.Header = who.Clone()
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", strconv.Itoa(at))
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode == http.StatusNoContent
}
