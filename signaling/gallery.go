package signaling

import (
	"bytes"
	"container/list"
	"context"
	"io"
	"sync"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/signaling/photo"

	"github.com/prometheus/client_golang/prometheus"
)

// maxPreviews bounds the previews that are remembered, in bytes; one takes 100 to 300 kB.
const maxPreviews = 64 << 20

// pictureID names a picture of a call.
type pictureID struct {
	call ident.CallID
	file ident.FileID
}

// Draw draws a small JPEG of a picture. It fails with photo.ErrNotPicture or photo.ErrTooLarge where the
// picture is at fault.
type Draw func(ctx context.Context, original io.Reader) ([]byte, photo.Info, error)

// drawHere draws in this process.
func drawHere(_ context.Context, original io.Reader) ([]byte, photo.Info, error) {
	raw, err := io.ReadAll(original)
	if err != nil {
		return nil, photo.Info{}, err
	}
	return photo.Preview(raw)
}

// gallery makes previews, one at a time, and remembers the newest.
type gallery struct {
	turn    chan struct{} // capacity 1: a picture may take photo.MaxDecode
	preview Draw
	made    prometheus.Counter

	mu    sync.Mutex // guards the rest
	bytes int
	max   int
	known map[pictureID]*list.Element // of *preview
	order *list.List                  // the last used in front
}

type preview struct {
	id  pictureID
	raw []byte
}

func newGallery(preview Draw, made prometheus.Counter) *gallery {
	if preview == nil {
		preview = drawHere
	}
	return &gallery{turn: make(chan struct{}, 1), preview: preview, made: made, max: maxPreviews, known: map[pictureID]*list.Element{}, order: list.New()}
}

// wait waits for the turn to hold and decode a picture; done gives it back.
func (g *gallery) wait(ctx context.Context, op string) (done func(), err error) {
	select {
	case g.turn <- struct{}{}:
		return func() { <-g.turn }, nil
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, op, ctx.Err())
	}
}

// draw makes the preview of a picture that is not kept yet.
func (g *gallery) draw(ctx context.Context, raw []byte) ([]byte, photo.Info, error) {
	done, err := g.wait(ctx, "files.put")
	if err != nil {
		return nil, photo.Info{}, err
	}
	defer done()
	g.made.Inc()
	return g.preview(ctx, bytes.NewReader(raw))
}

// show returns the preview of a kept picture, reading it only where the preview is not known. Many
// who ask at once wait for the one that makes it.
func (g *gallery) show(ctx context.Context, id pictureID, read func() (io.Reader, error)) ([]byte, error) {
	const op = "files.preview"
	if small := g.find(id); small != nil {
		return small, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	done, err := g.wait(ctx, op)
	if err != nil {
		return nil, err
	}
	defer done()
	if small := g.find(id); small != nil {
		return small, nil
	}
	raw, err := read()
	if err != nil {
		return nil, err
	}
	g.made.Inc()
	small, _, err := g.preview(ctx, raw)
	if err != nil {
		return nil, fault.New(fault.BadFile, op, err)
	}
	g.keep(id, small)
	return small, nil
}

func (g *gallery) find(id pictureID) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.known[id]
	if e == nil {
		return nil
	}
	g.order.MoveToFront(e)
	return e.Value.(*preview).raw
}

// keep remembers a preview; those that were not used for the longest time are forgotten for it.
func (g *gallery) keep(id pictureID, small []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known[id] != nil || len(small) > g.max {
		return
	}
	g.known[id] = g.order.PushFront(&preview{id, small})
	for g.bytes += len(small); g.bytes > g.max; {
		last := g.order.Back()
		old := g.order.Remove(last).(*preview)
		delete(g.known, old.id)
		g.bytes -= len(old.raw)
	}
}
