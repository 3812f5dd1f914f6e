package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"jedel/internal/tipmail"
	"jedel/internal/tips"
)

type tipsSendCmd struct {
	tipsServer
	Unit        string   `required:"" help:"Key of the unit."`
	Fingerprint string   `required:"" help:"Fingerprint of the unit's keys, from a place that you believe: paper, a newspaper."`
	Lang        string   `help:"Language that replies should be in." enum:"kk,ru,en" default:"kk"`
	Code        string   `help:"File with the code of a mailbox that is there already."`
	Files       []string `arg:"" optional:"" help:"Files to seal. They are taken as they are: what is in them about you is yours to remove." type:"existingfile"`
}

// Run seals and sends a tip.
func (c tipsSendCmd) Run(ctx context.Context) error {
	text, err := words(os.Stdin)
	if err != nil {
		return err
	}
	code, fresh, err := c.code()
	if err != nil {
		return err
	}
	l := tips.Letter{Kind: tips.Tip, Text: text, Lang: c.Lang}
	for i, name := range c.Files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		l.Files = append(l.Files, tips.File{Name: fmt.Sprintf("%d%s", i+1, filepath.Ext(name)), Data: raw})
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	start, err := client.Begin(ctx)
	if err != nil {
		return said(err)
	}
	unit, err := c.unit(start)
	if err != nil {
		return err
	}
	if err := client.Send(ctx, start, unit, code, l); err != nil {
		return said(err)
	}
	if fresh {
		fmt.Printf("It is there. Keep these words, or keep them in mind; nobody can make them again:\n\n    %s\n\n", code.Words())
	} else {
		fmt.Println("It is there, in the same mailbox.")
	}
	return nil
}

func (c tipsSendCmd) code() (code tips.Code, fresh bool, err error) {
	if c.Code == "" {
		_, err = rand.Read(code[:])
		return code, true, err
	}
	raw, err := os.ReadFile(c.Code)
	if err != nil {
		return code, false, err
	}
	code, err = tips.ParseCode(string(raw))
	return code, false, err
}

// unit returns the unit whose keys have the fingerprint that the citizen knows.
func (c tipsSendCmd) unit(s tipmail.Start) (tipmail.Unit, error) {
	for _, u := range s.Units {
		if u.Key != c.Unit {
			continue
		}
		if got := tips.Fingerprint(u.Recipients); got != c.Fingerprint {
			return u, fmt.Errorf("the keys there have the fingerprint %s: do not send", got)
		}
		return u, nil
	}
	return tipmail.Unit{}, fmt.Errorf("no unit %q there", c.Unit)
}

type tipsInboxCmd struct{ tipsServer }

// Run prints the replies.
func (c tipsInboxCmd) Run(ctx context.Context) error {
	text, err := words(os.Stdin)
	if err != nil {
		return err
	}
	code, err := tips.ParseCode(text)
	if err != nil {
		return fmt.Errorf("that is not six words of a code")
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	list, err := client.Replies(ctx, code)
	if err != nil {
		return said(err)
	}
	for _, r := range list {
		fmt.Printf("--- %s\n%s\n", r.Day, shown(r.Letter.Text))
	}
	if len(list) == 0 {
		fmt.Println("No replies yet.")
	}
	return nil
}
