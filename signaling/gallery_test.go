package signaling

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/wire"

	"github.com/prometheus/client_golang/prometheus"
)

// decoded reads how many pictures were decoded.
func (e *edge) decoded() string {
	e.t.Helper()
	_, raw := e.ask("GET", "/metrics", nil, nil)
	for line := range strings.Lines(raw) {
		if n, ok := strings.CutPrefix(line, "jedel_edge_pictures_decoded_total "); ok {
			return strings.TrimSpace(n)
		}
	}
	e.t.Fatal("not counted")
	return ""
}

func TestPictureIsDecodedOnceHoweverOftenItIsShown(t *testing.T) {
	e := serve(t)
	_, w := e.caller(nil)
	h := http.Header{"X-Client": {w.Client}, "X-Client-Key": {w.Key}}
	path := "/api/v1/calls/" + string(ident.New[ident.CallID]()) + "/files"
	code, body := e.ask("POST", path, h, bytes.NewReader(picture(t)))
	var ref wire.FileRef
	if err := json.Unmarshal([]byte(body), &ref); err != nil || code != http.StatusCreated {
		t.Fatal(code, body)
	}
	show := func() {
		var shown sync.WaitGroup
		for range 10 {
			shown.Go(func() {
				if code, raw := e.ask("GET", path+"/"+ref.File+"/preview", h, nil); code != http.StatusOK || !strings.HasPrefix(raw, "\xff\xd8") {
					t.Error(code, raw)
				}
			})
		}
		shown.Wait()
	}
	if show(); e.decoded() != "1" {
		t.Fatal("after the upload", e.decoded())
	}
	e.s.gallery.mu.Lock() // a restart forgets it
	clear(e.s.gallery.known)
	e.s.gallery.order.Init()
	e.s.gallery.bytes = 0
	e.s.gallery.mu.Unlock()
	if show(); e.decoded() != "2" {
		t.Fatal("after a restart", e.decoded())
	}
	h.Set("X-Client-Key", "forged")
	if code, _ := e.ask("GET", path+"/"+ref.File+"/preview", h, nil); code != http.StatusUnauthorized {
		t.Fatal("shown to a stranger", code)
	}
}

func TestOnePictureIsHeldAtATime(t *testing.T) {
	g := newGallery(nil, prometheus.NewCounter(prometheus.CounterOpts{Name: "x"}))
	raw := picture(t)
	var held, most atomic.Int32
	var shown sync.WaitGroup
	for i := range 20 {
		shown.Go(func() {
			_, err := g.show(t.Context(), pictureID{file: ident.FileID(fmt.Sprint(i))}, func() (io.Reader, error) {
				defer held.Add(-1)
				most.Store(max(most.Load(), held.Add(1)))
				return bytes.NewReader(raw), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	shown.Wait()
	if most.Load() != 1 {
		t.Fatal(most.Load())
	}
	g.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.show(ctx, pictureID{file: "other"}, nil); fault.CodeOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
}

func TestRememberedPreviewsAreBounded(t *testing.T) {
	g := newGallery(nil, nil)
	g.max = 1000
	for i := range 100 {
		g.keep(pictureID{file: ident.FileID(fmt.Sprint(i))}, make([]byte, 90))
		if g.find(pictureID{file: "0"}) == nil {
			t.Fatal("the one in use was forgotten", i)
		}
		if g.bytes > g.max || g.order.Len() != len(g.known) || g.bytes != 90*len(g.known) {
			t.Fatal(g.bytes, g.order.Len(), len(g.known))
		}
	}
	if g.keep(pictureID{file: "huge"}, make([]byte, 2000)); g.find(pictureID{file: "99"}) == nil {
		t.Fatal("all was forgotten for one that does not fit")
	}
}
