package main

import (
	_ "embed"
	"os"
)

//go:embed licences.txt
var licences []byte

type licencesCmd struct{}

// Run prints the list; deploy/licences.sh writes it from the module graph and the lock file.
func (licencesCmd) Run() error {
	_, err := os.Stdout.Write(licences)
	return err
}
