package signaling

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"jedel/internal/ident"
	"jedel/signaling/wire"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPicturesAreKeptExactAndServedSafely(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	h := http.Header{"X-Client": {w.Client}, "X-Client-Key": {w.Key}, "X-File-Name": {"..%2F..%2Fetc%2Fpass%3Cwd.html"}}
	path := "/api/v1/calls/" + string(ident.New[ident.CallID]()) + "/files"
	raw := picture(t)
	code, body := e.ask("POST", path, h, bytes.NewReader(raw))
	var ref wire.FileRef
	if err := json.Unmarshal([]byte(body), &ref); err != nil || code != 201 || ref.Width != 40 || strings.ContainsAny(ref.Name, "/\\") || !strings.HasSuffix(ref.Name, ".jpg") {
		t.Fatal(code, body)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+e.addr+path+"/"+ref.File, nil)
	req.Header = h
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, _ := io.ReadAll(res.Body)
	if !bytes.Equal(got, raw) || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Fatal(res.Header)
	}
	for name, bad := range map[string]string{"SVG": "<svg onload=alert(1)>", "HTML": "<!doctype html>", "nothing": ""} {
		if code, body := e.ask("POST", path, h, strings.NewReader(bad)); code != 400 || !strings.Contains(body, "bad_file") {
			t.Error(name, code, body)
		}
	}
	tall := append([]byte{}, raw...)
	at := bytes.Index(tall, []byte{0xff, 0xc0}) + 5 // height and width in its frame header
	copy(tall[at:], []byte{0xff, 0xff, 0xff, 0xff})
	if code, body := e.ask("POST", path, h, bytes.NewReader(tall)); code != http.StatusRequestEntityTooLarge || !strings.Contains(body, "too_large") {
		t.Error("65,535 x 65,535", code, body)
	}
	h.Set("X-Client-Key", "forged")
	if code, _ := e.ask("POST", path, h, bytes.NewReader(raw)); code != 401 {
		t.Error("a stranger's key", code)
	}
}

func TestFiftyPhotosStopAtTwenty(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	h := http.Header{"X-Client": {w.Client}, "X-Client-Key": {w.Key}}
	path, raw, kept := "/api/v1/calls/"+string(ident.New[ident.CallID]())+"/files", picture(t), 0
	for range 50 {
		code, body := e.ask("POST", path, h, bytes.NewReader(raw))
		switch {
		case code == 201:
			kept++
		case !strings.Contains(body, "too_many"):
			t.Fatal(code, body)
		}
	}
	if kept != maxFiles {
		t.Fatal(kept)
	}
}

// TestParallelPhotosStopAtTwenty posts at the same moment: a store that counts slowly must not let
// one more in.
func TestParallelPhotosStopAtTwenty(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	h := http.Header{"X-Client": {w.Client}, "X-Client-Key": {w.Key}}
	path, raw := "/api/v1/calls/"+string(ident.New[ident.CallID]())+"/files", picture(t)
	var kept atomic.Int32
	var posts sync.WaitGroup
	for range 40 {
		posts.Go(func() {
			for {
				switch code, body := e.ask("POST", path, h, bytes.NewReader(raw)); {
				case code == http.StatusCreated:
					kept.Add(1)
				case strings.Contains(body, `"too_many"`):
					// as it should be
				case code == http.StatusTooManyRequests:
					continue // its turn comes
				default:
					t.Error(code, body)
				}
				return
			}
		})
	}
	posts.Wait()
	e.d.mu.Lock()
	have := len(e.d.put)
	e.d.mu.Unlock()
	if int(kept.Load()) != have || have > maxFiles {
		t.Fatal(kept.Load(), have)
	}
	for range maxFiles - have { // one that failed gives its place back
		if code, body := e.ask("POST", path, h, bytes.NewReader(raw)); code != http.StatusCreated {
			t.Fatal(code, body)
		}
	}
}

func TestUploadsUnderWayAreBounded(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	var held []func()
	for range maxHoldBytes / maxPhoto {
		_, done, err := e.s.uploads.begin("files.put", ident.New[ident.CallID](), maxPhoto)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, done)
	}
	post := func(body io.Reader) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+e.addr+"/api/v1/calls/"+string(ident.New[ident.CallID]())+"/files", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Client", w.Client)
		req.Header.Set("X-Client-Key", w.Key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	chunked := io.MultiReader(bytes.NewReader(picture(t))) // of a length that nobody tells
	if res := post(chunked); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Fatal(res.StatusCode, res.Header)
	}
	for _, done := range held {
		done()
	}
	if res := post(bytes.NewReader(picture(t))); res.StatusCode != http.StatusCreated {
		t.Fatal(res.StatusCode)
	}
	e.s.uploads.mu.Lock()
	defer e.s.uploads.mu.Unlock()
	if e.s.uploads.count != 0 || e.s.uploads.bytes != 0 || len(e.s.uploads.calls) != 0 {
		t.Fatal(e.s.uploads.count, e.s.uploads.bytes, e.s.uploads.calls)
	}
}

func TestDownloadsUnderWayAreBounded(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	call, file := string(ident.New[ident.CallID]()), string(ident.New[ident.FileID]())
	e.d.put[file] = make([]byte, maxPhoto)
	path := "/api/v1/calls/" + call + "/files/" + file
	var idle []net.Conn
	for range maxHoldsCall { // those who ask and do not read
		idle = append(idle, e.raw("GET "+path+" HTTP/1.1\r\nHost: x\r\nX-Client: "+w.Client+"\r\nX-Client-Key: "+w.Key+"\r\n\r\n"))
	}
	held := func() (int, int64) {
		e.s.downloads.mu.Lock()
		defer e.s.downloads.mu.Unlock()
		return e.s.downloads.count, e.s.downloads.bytes
	}
	eventually(t, "they hold nothing", func() bool {
		n, bytes := held()
		return n == maxHoldsCall && bytes == int64(n)*maxPhoto
	})
	h := http.Header{"X-Client": {w.Client}, "X-Client-Key": {w.Key}}
	if code, body := e.ask("GET", path, h, nil); code != http.StatusTooManyRequests {
		t.Fatal(code, len(body))
	}
	for _, c := range idle {
		_ = c.Close()
	}
	eventually(t, "their places are kept", func() bool { n, bytes := held(); return n == 0 && bytes == 0 })
	if code, body := e.ask("GET", path, h, nil); code != http.StatusOK || len(body) != maxPhoto {
		t.Fatal(code, len(body))
	}
}
