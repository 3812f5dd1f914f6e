package main

import (
	"os"

	"jedel/signaling/preview"
)

type previewCmd struct{}

// Run draws one picture and ends the process, which can do nothing else from then on.
func (previewCmd) Run() error {
	os.Exit(preview.Child(os.Stdin, os.Stdout))
	return nil
}
