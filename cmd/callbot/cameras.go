package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"jedel/cmd/callbot/camera"

	"golang.org/x/sync/errgroup"
)

// camerasCmd plays RTSP cameras.
type camerasCmd struct {
	Names    []string `arg:"" help:"Names of the cameras: each is a path of the address."`
	Listen   string   `default:"127.0.0.1:8554" help:"host:port to serve RTSP on."`
	Login    string   `help:"Login that the cameras ask for; empty: none."`
	Password string   `env:"CALLBOT_CAMERA_PASSWORD" help:"Its password."`
	Size     string   `default:"640x360" help:"Width and height of the pictures."`
	Rate     int      `default:"15" help:"Pictures per second."`
	Codec    string   `default:"h264" enum:"h264,h265" help:"h264, or h265 for cameras that browsers cannot show."`
}

// Run serves until a signal comes.
func (c camerasCmd) Run(ctx context.Context) error {
	s, err := camera.Start(c.Listen, c.Login, c.Password)
	if err != nil {
		return fmt.Errorf("cameras: %w", err)
	}
	defer s.Close()
	draw := camera.Picture(c.Size, c.Rate)
	if c.Codec == "h265" {
		draw = []string{"-re", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=%s:rate=%d", c.Size, c.Rate), "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"}
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, name := range c.Names {
		path := "/" + strings.TrimPrefix(name, "/")
		all.Go(func() error { return s.Show(ctx, path, draw...) })
		fmt.Fprintf(os.Stdout, "rtsp://%s%s\n", s.Addr(), path)
	}
	return all.Wait()
}
