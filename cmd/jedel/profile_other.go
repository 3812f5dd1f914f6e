//go:build !unix

package main

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const profileTime = 0

func profiles(context.Context, string, time.Duration, *slog.Logger) error {
	return errors.New("there is no signal to ask for profiles by")
}
