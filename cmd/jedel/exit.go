package main

import (
	"errors"
	"fmt"
)

// exitCode ends the program with a code of its own; everything has been said already.
type exitCode int

// Error implements error.
func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func asExit(err error, code *exitCode) bool { return errors.As(err, code) }
