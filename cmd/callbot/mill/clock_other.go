//go:build !linux

package mill

import "time"

// clock waits as finely as the runtime does.
type clock struct{}

func newClock() (*clock, error) { return &clock{}, nil }

func (*clock) wait(d time.Duration) error { time.Sleep(d); return nil }

func (*clock) close() error { return nil }
