//go:build unix

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// ownCPU returns the processor time of this program so far.
func ownCPU() time.Duration {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
