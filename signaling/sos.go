package signaling

import (
	"context"
	"errors"
	"io"
	"net/http"

	"jedel/internal/fault"
	"jedel/internal/sos"
)

// SOS takes calls of one datagram, whichever way they come.
type SOS interface {
	// Take makes a datagram's call durable and returns the receipt, or nil for what is none of ours. from is where it came
	// from; proven tells that the sender receives there.
	Take(ctx context.Context, frame []byte, from string, proven bool) []byte
}

// sosDoor is the way of an SOS by HTTP: for pages and programs whose socket is not up.
type sosDoor struct {
	s  *Server
	in SOS
}

func (d sosDoor) table() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{"POST /api/v1/sos": d.take}
}

// take answers with the receipt as it would go into a datagram.
func (d sosDoor) take(w http.ResponseWriter, r *http.Request) {
	const op = "sos"
	raw, err := io.ReadAll(io.LimitReader(r.Body, sos.MaxFrame+1))
	if err == nil && len(raw) > sos.MaxFrame {
		err = fault.New(fault.TooLarge, op, nil)
	} else if err != nil {
		err = fault.New(fault.BadMessage, op, err)
	}
	var receipt []byte
	if err == nil && !sos.Is(raw) {
		err = fault.New(fault.BadMessage, op, nil)
	}
	if err == nil {
		if receipt = d.in.Take(r.Context(), raw, d.s.addr(r), true); receipt == nil {
			err = fault.New(fault.BadMessage, op, errors.New("no SOS datagram"))
		}
	}
	if err != nil {
		d.s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(receipt)
}
