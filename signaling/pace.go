package signaling

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// paces bound how slowly a peer may send and take. A phone on 2G is slow, and a tunnel stops it
// for a while; one that trickles bytes to hold a connection is neither.
type paces struct {
	Body  time.Duration // for a JSON body to come in whole
	Grace time.Duration // longest time that nothing moves in a file
	Rate  int64         // bytes a second that a file moves at least, in the long run
}

// usualPaces are those of a server; tests shorten them.
func usualPaces() paces {
	return paces{Body: 15 * time.Second, Grace: 30 * time.Second, Rate: 4 << 10}
}

// pieceBytes is what is written under one deadline.
const pieceBytes = 16 << 10

// pace is the time that one direction of one request has left. Waiting for the peer uses it up,
// bytes that move give it back; what we do meanwhile does not count.
type pace struct {
	paces
	left time.Duration
}

// spent counts a wait that moved n bytes.
func (p *pace) spent(wait time.Duration, n int) {
	earned := time.Duration(n) * time.Second / time.Duration(p.Rate)
	p.left = min(p.Grace, p.left-wait+earned)
}

// pacedWriter is a response whose reader must keep the pace.
type pacedWriter struct {
	http.ResponseWriter
	ctl *http.ResponseController
	pace
	begun bool // something was answered
}

// paced bounds both directions of a request: JSON bodies by one deadline, answers by the pace.
func (p paces) paced(w http.ResponseWriter, r *http.Request) *pacedWriter {
	out := &pacedWriter{ResponseWriter: w, ctl: http.NewResponseController(w), pace: pace{p, p.Grace}}
	_ = out.ctl.SetWriteDeadline(time.Now().Add(p.Grace)) // of the request before on this connection
	if r.Body != nil && r.Body != http.NoBody {
		_ = out.ctl.SetReadDeadline(time.Now().Add(p.Body))
		r.Body = &endedBody{ReadCloser: r.Body, ctl: out.ctl}
	}
	return out
}

// Unwrap serves http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack implements http.Hijacker for the sockets, which have deadlines of their own.
func (w *pacedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.begun = true
	return w.ctl.Hijack()
}

// WriteHeader implements http.ResponseWriter.
func (w *pacedWriter) WriteHeader(status int) {
	w.begun = true
	_ = w.ctl.SetWriteDeadline(time.Now().Add(w.left))
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter in pieces that each have a deadline.
func (w *pacedWriter) Write(raw []byte) (int, error) {
	w.begun = true
	done := 0
	for {
		piece := raw[done:min(len(raw), done+pieceBytes)]
		begin := time.Now()
		_ = w.ctl.SetWriteDeadline(begin.Add(w.left))
		n, err := w.ResponseWriter.Write(piece)
		w.spent(time.Since(begin), n)
		done += n
		if err != nil || done >= len(raw) {
			return done, err
		}
	}
}

// endedBody takes the deadline away when the body has come: waiting for the answer is no fault of
// the peer's, and the server would take it for one.
type endedBody struct {
	io.ReadCloser
	ctl *http.ResponseController
}

// Read implements io.Reader.
func (b *endedBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	if errors.Is(err, io.EOF) {
		_ = b.ctl.SetReadDeadline(time.Time{})
	}
	return n, err
}

// pacedBody is a file that comes in at any time as long as it keeps the pace.
type pacedBody struct {
	io.ReadCloser
	ctl *http.ResponseController
	pace
}

// pacedFile replaces the deadline of a JSON body by the pace of a file.
func (p paces) pacedFile(w http.ResponseWriter, r *http.Request) {
	r.Body = &pacedBody{ReadCloser: r.Body, ctl: http.NewResponseController(w), pace: pace{p, p.Grace}}
}

// Read implements io.Reader.
func (b *pacedBody) Read(to []byte) (int, error) {
	begin := time.Now()
	_ = b.ctl.SetReadDeadline(begin.Add(b.left))
	n, err := b.ReadCloser.Read(to)
	b.spent(time.Since(begin), n)
	if errors.Is(err, io.EOF) {
		_ = b.ctl.SetReadDeadline(time.Time{})
	}
	return n, err
}
