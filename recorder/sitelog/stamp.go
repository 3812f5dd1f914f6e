package sitelog

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"net/http"

	"jedel/recorder/verify"

	"github.com/digitorus/timestamp"
)

// stamp asks the time-stamping authority for a token over a text (RFC 3161, by HTTP). The answer is
// kept as it came; that it is about this text is checked here, the authority's certificate by
// whoever verifies.
func (o *outside) stamp(ctx context.Context, text []byte) ([]byte, error) {
	ask, err := timestamp.CreateRequest(bytes.NewReader(text), &timestamp.RequestOptions{Hash: crypto.SHA256, Certificates: true})
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	status, answer, err := o.post(ctx, o.cfg.TSA, "application/timestamp-query", ask)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("status %d", status)
	}
	token, err := verify.ParseToken(answer)
	if err != nil {
		return nil, fmt.Errorf("its answer: %w", err)
	}
	if !token.Stamps(string(text)) {
		return nil, fmt.Errorf("its answer is about something else")
	}
	return answer, nil
}
