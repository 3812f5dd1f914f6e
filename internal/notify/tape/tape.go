// Package tape is a gateway that sends nothing: it writes each message to a file, a line of JSON each, for
// demonstrations and tests.
package tape

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"jedel/internal/notify"
	"jedel/internal/outbox"
)

// Line is one message on the tape.
type Line struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"`
	Phone  string    `json:"phone"`
	Lang   string    `json:"lang"`
	Number string    `json:"number"`
	Text   string    `json:"text"`
}

// MaxBytes is how long a tape grows; then it begins anew and the one before is kept beside it.
const MaxBytes = 8 << 20

// Carrier writes a tape. It says of each message at once that it was delivered.
type Carrier struct {
	path    string
	reports chan notify.Told // capacity 64; what does not fit is not reported, as with a real carrier

	mu sync.Mutex // guards the file and n
	n  int
}

// New returns a carrier that appends to a file.
func New(path string) *Carrier {
	return &Carrier{path: path, reports: make(chan notify.Told, 64)}
}

// Send implements notify.Carrier.
func (c *Carrier) Send(_ context.Context, l notify.Letter) outbox.Outcome {
	raw, err := json.Marshal(Line{At: time.Now().UTC(), ID: l.ID, Phone: l.Phone, Lang: l.Lang, Number: l.Number, Text: l.Text})
	if err != nil {
		return outbox.Refused{Reason: "bad message"}
	}
	id, err := c.write(append(raw, '\n'))
	if err != nil {
		return outbox.Later{Reason: "tape cannot be written"}
	}
	select {
	case c.reports <- notify.Told{ID: id, Report: outbox.Delivered}:
	default:
	}
	return outbox.Accepted{ID: id}
}

// write appends one line and returns its name.
func (c *Carrier) write(line []byte) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return "", err
	}
	if st, err := os.Stat(c.path); err == nil && st.Size()+int64(len(line)) > MaxBytes {
		if err := os.Rename(c.path, c.path+".before"); err != nil {
			return "", err
		}
	}
	f, err := os.OpenFile(c.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.Write(line); err != nil {
		return "", err
	}
	c.n++
	return "tape-" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.Itoa(c.n), nil
}

// Run implements notify.Reporter.
func (c *Carrier) Run(ctx context.Context, told func(context.Context, notify.Told) error) error {
	for {
		select {
		case t := <-c.reports:
			if err := told(ctx, t); err != nil && ctx.Err() == nil {
				return fmt.Errorf("report: %w", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

var (
	_ notify.Carrier  = (*Carrier)(nil)
	_ notify.Reporter = (*Carrier)(nil)
)
