package signaling

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"jedel/internal/ident"
)

// hasty are paces that a test can wait for.
func hasty(s *Server) {
	s.paces = paces{Body: 300 * time.Millisecond, Grace: 300 * time.Millisecond, Rate: 4 << 10}
}

// raw writes a request by hand and leaves the connection open.
func (e *edge) raw(request string) net.Conn {
	e.t.Helper()
	c, err := net.Dial("tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(bound))
	if _, err := io.WriteString(c, request); err != nil {
		e.t.Fatal(err)
	}
	return c
}

func TestPaceForgivesATunnelAndNotATrickle(t *testing.T) {
	p := pace{usualPaces(), usualPaces().Grace}
	for range 10 { // 25 s of silence, then 2G at its usual speed, again and again
		p.spent(25*time.Second, 0)
		if p.left <= 0 {
			t.Fatal("a tunnel ended it")
		}
		for range 60 {
			p.spent(time.Second, 6<<10)
		}
	}
	p.left = p.Grace
	for range 3 {
		p.spent(11*time.Second, 1)
	}
	if p.left > 0 {
		t.Fatal("a byte now and then holds it", p.left)
	}
	for range 1000 {
		p.spent(0, 1<<20)
	}
	if p.left > p.Grace {
		t.Fatal("speed is saved up", p.left)
	}
}

func TestSlowBodyIsGivenUp(t *testing.T) {
	e := serve(t, hasty)
	c := e.raw("POST /api/v1/staff/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if raw, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusBadRequest || !bytes.Contains(raw, []byte("bad_message")) {
		t.Fatal(res.StatusCode, string(raw))
	}
}

func TestUploadThatTricklesIsGivenUpAndItsPlaceGivenBack(t *testing.T) {
	e := serve(t, hasty)
	_, w := e.caller(nil)
	c := e.raw(fmt.Sprintf("POST /api/v1/calls/%s/files HTTP/1.1\r\nHost: x\r\nX-Client: %s\r\nX-Client-Key: %s\r\nContent-Length: 100000\r\n\r\n",
		ident.New[ident.CallID](), w.Client, w.Key))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // a byte every 20 ms: 50 a second
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = c.Write([]byte("x"))
			case <-stop:
				return
			}
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	close(stop)
	<-done
	if err != nil || res.StatusCode != http.StatusBadRequest {
		t.Fatal(res, err)
	}
	eventually(t, "its place is kept", func() bool {
		e.s.uploads.mu.Lock()
		defer e.s.uploads.mu.Unlock()
		return e.s.uploads.count == 0
	})
}

// TestLongWorkEndsNoRequest holds that the deadline of a body is not one of the answer.
func TestLongWorkEndsNoRequest(t *testing.T) {
	e := serve(t, hasty, func(s *Server) {
		s.mux.HandleFunc("POST /long", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-time.After(3 * s.paces.Body):
				_, _ = io.WriteString(w, "done")
			case <-r.Context().Done():
			}
		})
	})
	if code, body := e.ask("POST", "/long", nil, strings.NewReader("{}")); code != 200 || body != "done" {
		t.Fatal(code, body)
	}
}

func TestReaderThatStopsEndsTheDownload(t *testing.T) {
	ended := make(chan error, 1)
	e := serve(t, hasty, func(s *Server) {
		s.mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 64<<20)) // more than a kernel buffers
			ended <- err
		})
	})
	e.raw("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-ended:
		if err == nil {
			t.Fatal("all of it was taken by nobody")
		}
	case <-time.After(bound):
		t.Fatal("it waits on")
	}
}
