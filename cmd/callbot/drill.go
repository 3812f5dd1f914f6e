package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// drillCmd is a load under faults.
type drillCmd struct {
	loadCmd
	Do    string        `required:"" help:"Shell command that does the harm: kills a process, cuts a network, stops a database."`
	After time.Duration `default:"5s" help:"From the first tap to the first harm, and between two."`
	Times int           `default:"3" help:"How often."`
}

// Run makes the load, does the harm beside it and prints what both came to.
func (c drillCmd) Run(ctx context.Context) error { return c.run(ctx, c.harm) }

func (c drillCmd) harm(ctx context.Context) {
	tick := time.NewTicker(c.After)
	defer tick.Stop()
	for n := range c.Times {
		select {
		case <-tick.C:
		case <-ctx.Done():
			fmt.Fprintf(os.Stderr, "the load ended after %d of %d harms\n", n, c.Times)
			return
		}
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", c.Do)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		cmd.WaitDelay = time.Second
		if err := cmd.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "harm %d: %v\n", n+1, err)
		}
	}
}
