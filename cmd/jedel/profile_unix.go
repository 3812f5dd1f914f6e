//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"
)

// profileTime is how long one profile of the processor looks.
const profileTime = 10 * time.Second

// sampleEach is how many bytes are allocated between two samples of the heap: what a call keeps is small.
const sampleEach = 32 << 10

// profiles writes where the processor's time and the memory go into dir each time SIGUSR1 comes, for go tool pprof,
// until ctx ends. A profile is of the whole process and holds names of functions, nothing of anybody.
func profiles(ctx context.Context, dir string, each time.Duration, log *slog.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	runtime.MemProfileRate = sampleEach
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() { // ends with ctx
		defer signal.Stop(asked)
		for n := 1; ; n++ {
			select {
			case <-asked:
				if err := profile(ctx, dir, n, each); err != nil {
					log.Warn("no profile", "err", err)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

func profile(ctx context.Context, dir string, n int, each time.Duration) error {
	cpu, err := os.Create(filepath.Join(dir, fmt.Sprintf("cpu-%d.pprof", n)))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return errors.Join(err, cpu.Close())
	}
	select {
	case <-time.After(each):
	case <-ctx.Done():
	}
	pprof.StopCPUProfile()
	heap, err := os.Create(filepath.Join(dir, fmt.Sprintf("heap-%d.pprof", n)))
	if err != nil {
		return errors.Join(err, cpu.Close())
	}
	runtime.GC() // what is still in use, and not what nobody has swept
	return errors.Join(cpu.Close(), pprof.WriteHeapProfile(heap), heap.Close())
}
