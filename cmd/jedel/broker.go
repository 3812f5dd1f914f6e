package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"jedel/internal/config"
	"jedel/recorder/broker"
	"jedel/recorder/keys"
)

type brokerCmd struct {
	Socket  string `required:"" help:"Where to listen: a unix socket. Whoever may open it may ask."`
	Archive string `help:"Folder of the archives, with the site's log in it; it is only read." default:"data/archive"`
	Key     string `help:"File with the secret key of a recipient. Waited for, where it is not there yet." default:"data/keys/playback.key"`
	Child   bool   `hidden:"" help:"End when the standard input does."`
}

// Run answers until ctx ends.
func (c brokerCmd) Run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, end := context.WithCancel(ctx)
	defer end()
	if c.Child { // the gateway may end in any way: its end of the pipe ends with it
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			end()
		}()
	}
	ids, err := c.identities(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if err := os.Remove(c.Socket); err != nil && !errors.Is(err, fs.ErrNotExist) { // of one that was killed
		return err
	}
	l, err := net.Listen("unix", c.Socket)
	if err != nil {
		return err
	}
	if err := os.Chmod(c.Socket, 0o660); err != nil {
		return errors.Join(err, l.Close())
	}
	return broker.New(os.DirFS(c.Archive), ids, log).Serve(ctx, l)
}

// identities reads the key, which the gateway makes at its first start.
func (c brokerCmd) identities(ctx context.Context) ([]keys.Identity, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		raw, err := os.ReadFile(c.Key)
		if err == nil {
			return keys.ParseIdentities(string(raw))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// child is the broker of a gateway.
type child struct {
	socket string // empty: there is none
	dir    string
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// brokerPause is between the end of a broker and the start of the next.
const brokerPause = time.Second

// startBroker starts a process that holds the playback key, and keeps one running. Where another
// account runs it, or there is no key on this machine, nothing is started.
func startBroker(ctx context.Context, cfg config.Config, log *slog.Logger) (*child, error) {
	b := &child{cancel: func() {}}
	switch {
	case cfg.Evidence.Broker != "child":
		b.socket = cfg.Evidence.Broker
		return b, nil
	case cfg.Evidence.PlaybackKey == "":
		return b, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "jedel-broker-"); err != nil { // 0700; a path that is short enough for a socket
		return nil, err
	}
	b.socket = filepath.Join(b.dir, "s")
	ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx)) // the gateway ends first
	b.wg.Go(func() {
		for ctx.Err() == nil {
			err := runBroker(ctx, self, cfg, b.socket)
			if ctx.Err() != nil {
				return
			}
			log.Error("the process that opens recordings ended and is started again", "err", err)
			select {
			case <-time.After(brokerPause):
			case <-ctx.Done():
			}
		}
	})
	return b, nil
}

func runBroker(ctx context.Context, self string, cfg config.Config, socket string) error {
	cmd := exec.CommandContext(ctx, self, "broker", "--child", "--socket", socket, "--archive", cfg.Recorder.Dir, "--key", cfg.Evidence.PlaybackKey)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer pipe.Close()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

// stop ends the broker of this gateway.
func (b *child) stop() {
	b.cancel()
	b.wg.Wait()
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}
