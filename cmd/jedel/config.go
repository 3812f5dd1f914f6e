package main

import (
	"fmt"

	"jedel/internal/config"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Read a configuration file and say what is wrong with it."`
}

type configCheckCmd struct {
	File string `arg:"" help:"The file." type:"existingfile"`
}

// Run reads the file as serve would.
func (c configCheckCmd) Run() error {
	if _, err := config.Load(c.File); err != nil {
		return err
	}
	fmt.Println(c.File, "is fine")
	return nil
}
