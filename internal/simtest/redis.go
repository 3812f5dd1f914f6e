package simtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Redis is a running redis-server. Stop, Freeze and Start are for one goroutine.
type Redis struct {
	bin  string
	dir  string
	port int
	proc *process
}

// NewRedis starts a server that ends with the test and keeps nothing on disk.
func NewRedis(t testing.TB) *Redis {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("this test needs Redis: sudo apt-get install redis-server")
	}
	r := &Redis{bin: bin}
	if r.dir, err = os.MkdirTemp("", "jedel-redis-"); err != nil {
		t.Fatal(err)
	}
	if r.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	r.Start(t)
	atEnd(t, r.dir, r.stop)
	return r
}

// URL is the server's address.
func (r *Redis) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", r.port) }

// Start starts the server again after Stop, empty, on the same port.
func (r *Redis) Start(t testing.TB) {
	t.Helper()
	var err error
	r.proc, err = launch(exec.Command(r.bin, "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.dir),
		syscall.SIGKILL)
	if err == nil {
		err = r.proc.await(r.answers)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server at once.
func (r *Redis) Stop(t testing.TB) {
	t.Helper()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

func (r *Redis) stop() error { return r.proc.end(syscall.SIGKILL) }

// Freeze makes the server silent without closing anything; the function returned wakes it.
func (r *Redis) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	if err := r.proc.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return func() { _ = r.proc.cmd.Process.Signal(syscall.SIGCONT) } // gone already: nothing to wake
}

func (r *Redis) answers() bool {
	c, err := net.DialTimeout("tcp4", fmt.Sprintf("127.0.0.1:%d", r.port), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	if c.SetDeadline(time.Now().Add(time.Second)) != nil {
		return false
	}
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	b := make([]byte, 7)
	n, err := c.Read(b)
	return err == nil && string(b[:n]) == "+PONG\r\n"
}
