// Package simtest has the real servers that tests run against: PostgreSQL and Redis of the
// system, each a child process on a loopback port with a folder of its own. A test that lacks a
// server fails and says what to install.
package simtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Bounds of a server's life. They are wide since a machine under test is busy.
const (
	startTime = 60 * time.Second
	stopTime  = 45 * time.Second // PostgreSQL writes a checkpoint first
	pollEvery = 20 * time.Millisecond
)

// process is one child. Its owner is the goroutine of the test.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer  // written by os/exec until exited is closed
	exited chan struct{} // closed when the child is gone
}

// launch starts a child that does not outlive us: the system sends it death when we die.
func launch(cmd *exec.Cmd, death syscall.Signal) (*process, error) {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = death
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() { // joined by end
		defer close(p.exited)
		_ = cmd.Wait() // how a server ends is told by what it left undone
	}()
	return p, nil
}

// end asks by a signal, waits, and kills what does not go.
func (p *process) end(sig syscall.Signal) error {
	_ = p.cmd.Process.Signal(sig) // it may be gone
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTime):
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
	return fmt.Errorf("%s did not stop within %s", p.cmd.Path, stopTime)
}

// await polls ready until it is true, the child is gone or the time is up.
func (p *process) await(ready func() bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	deadline := time.After(startTime)
	for {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended: %s", p.cmd.Path, p.output.String())
		case <-deadline:
			return errors.Join(fmt.Errorf("%s was not ready within %s", p.cmd.Path, startTime), p.end(syscall.SIGKILL))
		case <-tick.C:
			if ready() {
				return nil
			}
		}
	}
}

// freePort returns a loopback port that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// atEnd joins what a test leaves behind.
func atEnd(t testing.TB, dir string, stop func() error) {
	t.Cleanup(func() {
		if err := errors.Join(stop(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
}

// Eventually polls what until it is true, and fails the test after the time.
func Eventually(t testing.TB, within time.Duration, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	deadline := time.After(within)
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}
