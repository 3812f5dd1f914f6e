// Package preview draws small pictures of files from outside in a process of their own: an image that
// explodes, or a decoder that can be broken, ends that process and nothing else. It gets the original on its
// standard input, gives a JPEG on its standard output, and may use nothing but memory and time, both bounded.
package preview

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"jedel/signaling/photo"
)

// Bounds of one picture.
const (
	// wallTime is how long a child may live. A busy machine draws 50 megapixels in 3 s.
	wallTime = 30 * time.Second
	// cpuTime is how many seconds of a core it may use.
	cpuTime = 20
	// roomBytes is how much address space it may take beyond what it begins with: the decoding itself, the
	// original, the small picture, and what the collector has not given back.
	roomBytes = 2*photo.MaxDecode + 256<<20
	// maxInput bounds the original, and maxOutput what comes back.
	maxInput  = 128 << 20
	maxOutput = 4 << 20
	// endTime is for a killed child to be gone.
	endTime = 5 * time.Second
)

// Codes with which a child ends.
const (
	exitNotPicture = 3
	exitTooLarge   = 4
)

// Drawer starts children. Command is this program and what makes it one.
type Drawer struct{ Command []string }

// Draw returns a small JPEG of what original has, and what that is. It fails with photo.ErrNotPicture or
// photo.ErrTooLarge where the original is at fault; any other end of the child is the first of them.
func (d Drawer) Draw(ctx context.Context, original io.Reader) ([]byte, photo.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, wallTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.Command[0], d.Command[1:]...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = []string{}, "/", endTime
	out := &bounded{cancel: cancel}
	cmd.Stdin, cmd.Stdout = original, out
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended) && ended.ExitCode() == exitTooLarge:
		return nil, photo.Info{}, fmt.Errorf("%w: says the process that draws", photo.ErrTooLarge)
	case ctx.Err() == context.DeadlineExceeded, errors.As(err, &ended), out.over:
		return nil, photo.Info{}, fmt.Errorf("%w: the process that draws ended: %v", photo.ErrNotPicture, err)
	case err != nil:
		return nil, photo.Info{}, fmt.Errorf("draw: %w", err)
	}
	return read(out.buf.Bytes())
}

// read takes an answer apart.
func read(raw []byte) ([]byte, photo.Info, error) {
	var info photo.Info
	head, small, ok := bytes.Cut(raw, []byte{'\n'})
	if !ok || json.Unmarshal(head, &info) != nil || !bytes.HasPrefix(small, []byte("\xff\xd8\xff")) {
		return nil, photo.Info{}, fmt.Errorf("%w: what was drawn is no picture", photo.ErrNotPicture)
	}
	return small, info, nil
}

// bounded collects what a child says and ends it when that is too much. The buffer is not embedded: its
// ReadFrom would take everything.
type bounded struct {
	buf    bytes.Buffer
	cancel context.CancelFunc
	over   bool
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > maxOutput {
		b.over = true
		b.cancel()
		return 0, io.ErrShortWrite
	}
	return b.buf.Write(p)
}

// Child is the whole life of a process that draws one picture; it returns its exit code. It gives up
// everything it does not need before it reads the first byte.
func Child(in io.Reader, out io.Writer) int {
	if err := confine(); err != nil {
		return 1
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return 1
	}
	if len(raw) > maxInput {
		return exitTooLarge
	}
	small, info, err := photo.Preview(raw)
	switch {
	case errors.Is(err, photo.ErrTooLarge):
		return exitTooLarge
	case err != nil:
		return exitNotPicture
	}
	head, err := json.Marshal(info)
	if err != nil {
		return 1
	}
	w := bufio.NewWriter(out)
	_, _ = w.Write(append(head, '\n')) // an error stays with the writer
	_, _ = w.Write(small)
	if err := w.Flush(); err != nil {
		return 1
	}
	return 0
}
