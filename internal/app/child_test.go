package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/config"
	"jedel/recorder/derive"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
)

// TestMain makes a gateway of this program where a test asks for one that it can kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JEDEL_APP_CHILD"); dir != "" {
		if err := serveChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveChild runs a gateway in a folder until it is asked to end, or kills itself after a step of settle.
func serveChild(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := config.Default()
	cfg.HTTP.Addr, cfg.Media.UDP, cfg.Media.TCP, cfg.Media.Turn.UDP, cfg.Media.AllowLoopback = os.Getenv("JEDEL_APP_ADDR"), "127.0.0.1:0", "", "", true
	cfg.Store.URL, cfg.Recorder.Dir, cfg.Recorder.Ballast = "sqlite:"+filepath.Join(dir, "jedel.db"), filepath.Join(dir, "archive"), 0
	cfg.Evidence.Recipients, cfg.Evidence.PlaybackKey = filepath.Join(dir, "keys", "recipients.txt"), filepath.Join(dir, "keys", "playback.key")
	a, err := New(ctx, cfg, Options{Demo: true, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Print: func(string) {}, Pages: fstest.MapFS{}, DataDir: dir})
	if err != nil {
		return err
	}
	if at, err := strconv.Atoi(os.Getenv("JEDEL_APP_KILL")); err == nil {
		a.uploads.after = func(step int) {
			if step == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
	}
	return a.Run(ctx)
}

// mortal is a gateway in another process, in a folder and at an address that outlive it.
type mortal struct {
	*gateway
	addr string
	cmd  *exec.Cmd
	gone chan error // gets how it ended
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	m := &mortal{gateway: &gateway{t: t, url: "http://" + addr, dir: t.TempDir(), doc: readDocument(t)}, addr: addr}
	t.Cleanup(func() { m.end(syscall.SIGKILL) })
	return m
}

// start begins a process; after step, where it is not 0, it kills itself.
func (m *mortal) start(step int) error {
	m.cmd = exec.Command(os.Args[0])
	m.cmd.Env = append(os.Environ(), "JEDEL_APP_CHILD="+m.dir, "JEDEL_APP_ADDR="+m.addr)
	if step > 0 {
		m.cmd.Env = append(m.cmd.Env, "JEDEL_APP_KILL="+strconv.Itoa(step))
	}
	m.cmd.Stderr = os.Stderr
	if err := m.cmd.Start(); err != nil {
		return err
	}
	m.gone = make(chan error, 1)
	go func(cmd *exec.Cmd, gone chan error) { gone <- cmd.Wait() }(m.cmd, m.gone) // joined by end
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(60 * time.Second); ; {
		res, err := http.Get(m.url + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case err := <-m.gone:
			m.gone <- err
			return errors.Join(errors.New("it ended at once"), err)
		case <-end:
			return errors.New("it is not ready")
		}
	}
}

// end ends the process and waits.
func (m *mortal) end(sig syscall.Signal) {
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Signal(sig)
	<-m.gone
	m.cmd = nil
}

// opened reads the archive of a recording with the key beside it. No process may be writing it.
func (m *mortal) opened(id string) (*derive.Recording, error) {
	found, err := filepath.Glob(filepath.Join(m.dir, "archive", "calls", "*", "*", "*", id+"*"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("%d folders of %s: %w", len(found), id, err)
	}
	raw, err := os.ReadFile(filepath.Join(m.dir, "keys", "playback.key"))
	if err != nil {
		return nil, err
	}
	ids, err := keys.ParseIdentities(string(raw))
	if err != nil {
		return nil, err
	}
	ring, err := plain.Unwrap(os.DirFS(found[0]), ids...)
	if err != nil {
		return nil, err
	}
	return derive.Load(os.DirFS(found[0]), ring)
}

// holds compares an archive with the files that were sent for it.
func (m *mortal) holds(id string, files []sentFile) error {
	rec, err := m.opened(id)
	if err != nil {
		return err
	}
	if len(rec.Blobs) != len(files) {
		return fmt.Errorf("%s has %d files, %d were sent", id, len(rec.Blobs), len(files))
	}
	for _, f := range files {
		var got strings.Builder
		if err := rec.Blob(f.id, &got); err != nil || got.String() != string(f.raw) {
			return fmt.Errorf("%s in %s: %d bytes of %d: %w", f.id, id, got.Len(), len(f.raw), err)
		}
	}
	return nil
}

// TestKilledAfterEachStepAFileIsKeptOnce kills a gateway after each step of a file's way into its archive,
// starts it again, and looks what is there.
func TestKilledAfterEachStepAFileIsKeptOnce(t *testing.T) {
	t.Parallel()
	for step := 1; step <= 6; step++ {
		t.Run(fmt.Sprint("step ", step), func(t *testing.T) {
			m := newMortal(t)
			if err := m.start(step); err != nil {
				t.Fatal(err)
			}
			key := phone()
			f := newFile("image/jpeg", snap(t, step, 300))
			id := m.report(key, f)
			if tusSend(t.Context(), http.DefaultClient, m.url, key, id+"-"+f.id, 0, f.raw) {
				t.Fatal("it was told, and should have been killed before")
			}
			<-m.gone
			m.gone <- nil
			m.cmd = nil
			if err := m.start(0); err != nil {
				t.Fatal(err)
			}
			if step%2 == 0 { // else nobody asks: it is settled all the same
				m.until("its sender is told of less than is here", func() bool {
					n := tusOffset(t.Context(), m.url, key, id+"-"+f.id)
					if n >= 0 && n != len(f.raw) {
						t.Fatalf("its sender is told of %d of %d bytes", n, len(f.raw))
					}
					return n == len(f.raw)
				})
			}
			m.until("it is not kept", func() bool { files := m.filesOf(key); return len(files) == 1 && files[0]["keptMs"].(float64) > 0 })
			if !strings.EqualFold(m.filesOf(key)[0]["sha256"].(string), f.sum) {
				t.Fatal(m.filesOf(key))
			}
			m.until("the staging folder is not emptied", func() bool {
				left, err := os.ReadDir(filepath.Join(m.dir, "uploads"))
				return err == nil && len(left) == 0
			})
			m.end(syscall.SIGTERM)
			if err := m.holds(id, []sentFile{f}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
