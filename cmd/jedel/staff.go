package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"jedel/internal/access"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/accounts"
)

type staffCmd struct {
	Store string        `help:"Store address." default:"sqlite:data/jedel.db"`
	List  staffListCmd  `cmd:"" help:"List accounts."`
	Add   staffAddCmd   `cmd:"" help:"Add an account, or change its roles, name and password. The password is read from standard input."`
	Block staffBlockCmd `cmd:"" help:"Block an account."`
}

func (c staffCmd) open(ctx context.Context) (*store.DB, error) {
	return store.Open(ctx, c.Store, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

type staffListCmd struct{}

// Run prints all accounts.
func (staffListCmd) Run(ctx context.Context, p *program) error {
	db, err := p.Staff.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.ListStaff(ctx)
	for _, s := range all {
		state := ""
		if s.Disabled {
			state = "blocked"
		}
		if len(s.Pending) > 0 {
			state += " waits: " + strings.Join(s.Pending, " ")
		}
		fmt.Printf("%-16s %-28s %-12s %-40s %s\n", s.Login, s.Name, s.Unit, strings.Join(s.Roles, " "), state)
	}
	return errors.Join(err, db.Close())
}

type staffAddCmd struct {
	Login string   `arg:"" help:"What the person signs in with."`
	Name  string   `required:"" help:"What the person is called."`
	Role  []string `required:"" help:"operator, dispatcher, camera, navigation, supervisor, investigator, administrator, patrol."`
	Unit  string   `help:"Where the person works; left out it stays, and of a new account it is the whole site."`
}

// Run adds or changes one account.
func (c staffAddCmd) Run(ctx context.Context, p *program) error {
	for _, r := range c.Role {
		if !slices.Contains(access.Roles(), access.Role(r)) {
			return fmt.Errorf("%q is no role", r)
		}
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read password: %w", err)
	}
	hash, err := accounts.HashPassword(strings.TrimRight(line, "\r\n"))
	if err != nil {
		return err
	}
	db, err := p.Staff.open(ctx)
	if err != nil {
		return err
	}
	s, err := db.StaffByLogin(ctx, c.Login)
	if errors.Is(err, store.ErrNotFound) {
		s, err = store.Staff{ID: ident.New[ident.StaffID](), Login: c.Login, Lang: "kk"}, nil
	}
	if err == nil {
		s.Name, s.Roles, s.PasswordHash, s.Disabled = c.Name, c.Role, hash, false
		if c.Unit != "" {
			s.Unit = c.Unit
		}
		s.Pending, s.PendingBy = nil, "" // whoever has this machine is both people
		err = db.PutStaff(ctx, s)
	}
	return errors.Join(err, db.Close())
}

type staffBlockCmd struct {
	Login string `arg:"" help:"Whose account."`
}

// Run blocks one account; its sessions and sockets end within a second.
func (c staffBlockCmd) Run(ctx context.Context, p *program) error {
	db, err := p.Staff.open(ctx)
	if err != nil {
		return err
	}
	s, err := db.StaffByLogin(ctx, c.Login)
	if err == nil {
		s.Disabled = true
		err = db.PutStaff(ctx, s)
	}
	return errors.Join(err, db.Close())
}
