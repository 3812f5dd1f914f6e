package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"time"

	"jedel/internal/app"
	"jedel/internal/config"
)

type notifyCmd struct {
	Test notifyTestCmd `cmd:"" help:"Send one text message by the configured carrier and say what happened. Exit code 0: the carrier took it."`
}

type notifyTestCmd struct {
	To     string        `required:"" help:"Phone, +77011234567."`
	Config string        `help:"Configuration file; defaults where it is left out." type:"existingfile"`
	Data   string        `help:"Folder of everything the gateway keeps." default:"data"`
	Lang   string        `help:"Language of the text." enum:"kk,ru,en" default:"kk"`
	Wait   time.Duration `help:"How long to wait for the link, and then for a report." default:"30s"`
}

var phone = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// Run sends it.
func (c notifyTestCmd) Run(ctx context.Context) error {
	if !phone.MatchString(c.To) {
		return fmt.Errorf("%q is not a phone such as +77011234567", c.To)
	}
	cfg := config.Default()
	if c.Config != "" {
		var err error
		if cfg, err = config.Load(c.Config); err != nil {
			return err
		}
	}
	return app.MessageTest{
		Config: cfg.Notify, Data: c.Data, To: c.To, Lang: c.Lang, Wait: c.Wait, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Say: func(s string) { fmt.Println(s) },
	}.Run(ctx)
}
