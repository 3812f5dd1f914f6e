package main

import (
	"errors"
	"fmt"
	"io"
)

// exitCode ends the program with a code of its own; everything has been said already.
type exitCode int

// Error implements error.
func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitRefused is for scripts: another password may help, another try will not.
const exitRefused = 3

// refusal is an answer of the gateway that says no: who asks is unknown or may not.
type refusal struct {
	status string
	code   string // of the protocol; empty where the answer is none of the gateway's
	words  string
}

// Error implements error.
func (r *refusal) Error() string {
	if r.code == "" {
		return r.status
	}
	return fmt.Sprintf("%s (%s)", r.words, r.code)
}

// status says on w what went wrong, unless it has been said, and returns the program's exit code.
func status(err error, w io.Writer) int {
	if err == nil {
		return 0
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	_, _ = fmt.Fprintln(w, "jedel:", err) // there is nowhere else to say it
	var no *refusal
	if errors.As(err, &no) {
		return exitRefused
	}
	return 1
}
