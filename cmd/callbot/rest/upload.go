package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"jedel/cmd/callbot/exchange"
)

// uploads is where files go, by tus 1.0.
const uploads = "/api/v1/reports/uploads/"

const (
	part     = 256 << 10        // bytes of one request
	tries    = 5                // without progress
	fileTime = 2 * time.Minute  // for a whole file
	pause    = time.Second / 2  // between attempts
	partTime = 20 * time.Second // for one request
)

// errNotHere reports a gateway that takes no files.
var errNotHere = errors.New("the gateway takes no files")

// Upload sends a declared file. What breaks off goes on where the gateway has stopped.
func (c Client) Upload(ctx context.Context, report, file string, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	meta := "report " + base64.StdEncoding.EncodeToString([]byte(report)) + ",file " + base64.StdEncoding.EncodeToString([]byte(file))
	resp, err := c.tus(ctx, http.MethodPost, c.URL+uploads, nil, http.Header{"Upload-Length": {strconv.Itoa(len(raw))}, "Upload-Metadata": {meta}})
	if err != nil {
		return err
	}
	if resp.status != http.StatusCreated {
		return resp.err("upload")
	}
	base, err := url.Parse(c.URL + uploads)
	if err == nil {
		base, err = base.Parse(resp.header.Get("Location"))
	}
	if err != nil {
		return fmt.Errorf("upload: location: %w", err)
	}
	return c.parts(ctx, base.String(), raw, resp.offset())
}

// parts sends what is missing from at on.
func (c Client) parts(ctx context.Context, where string, raw []byte, at int) error {
	for failed := 0; at < len(raw); {
		end := min(at+part, len(raw))
		resp, err := c.tus(ctx, http.MethodPatch, where, raw[at:end], http.Header{
			"Upload-Offset": {strconv.Itoa(at)}, "Content-Type": {"application/offset+octet-stream"},
		})
		if err == nil && resp.status == http.StatusNoContent && resp.offset() > at {
			at, failed = resp.offset(), 0
			continue
		}
		if err == nil && resp.status/100 == 4 && resp.status != http.StatusConflict && resp.status != http.StatusLocked && resp.status != http.StatusTooManyRequests {
			return resp.err("upload")
		}
		if failed++; failed == tries || ctx.Err() != nil {
			return fmt.Errorf("upload: no progress at byte %d: %w", at, errors.Join(err, context.Cause(ctx)))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if resp, err := c.tus(ctx, http.MethodHead, where, nil, nil); err == nil && resp.status == http.StatusOK {
			at = resp.offset()
		}
	}
	return nil
}

// answer is what came back of one request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) offset() int {
	n, err := strconv.Atoi(a.header.Get("Upload-Offset"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (a answer) err(op string) error {
	err := refusal(op, a.status, a.body)
	if (a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed) && !exchange.Refused(err) {
		return fmt.Errorf("%s: %w", op, errNotHere)
	}
	return err
}

func (c Client) tus(ctx context.Context, method, where string, body []byte, more http.Header) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	header := http.Header{"Tus-Resumable": {"1.0.0"}}
	for k, v := range more {
		header[k] = v
	}
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(body)
	}
	resp, err := c.send(ctx, method, where, in, header)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return answer{resp.StatusCode, resp.Header, raw}, err
}
